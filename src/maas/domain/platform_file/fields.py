"""What may stand in each field, and what to write instead.

Every field arrives as the text that was written (tree.py). A validator raises ValueError with the whole message,
because pydantic's own ("unable to parse string as an integer") name the rule but not the way out.
"""

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from maas.domain import durations

RESERVED = frozenset({"v1", "llm", "health", "authz", "metrics"})  # first segments of the gateway's own paths
LONGEST_NAME = 63
LONGEST_WINDOW = 366 * 86400
LONGEST_WAIT = 540  # seconds; the gateway ends a stream on which nothing moves for 600
MOST = 10**15  # of requests or tokens: far below what JSON numbers and database columns hold
MOST_MONEY = 9_000_000  # in pico this just fits a 64-bit column
MONEY_PLACES = 6
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_FLAG = re.compile(r"[a-z][a-z0-9-]*")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_WHOLE = re.compile(r"[0-9][0-9_]*")
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

T = TypeVar("T")


def _reader(read: Callable[[str], T], expected: str) -> BeforeValidator:
    """Entries without a value never get here (schema.Part drops them), so None is an empty item of a list."""

    def validate(value: Any) -> T:
        if not isinstance(value, str):
            raise ValueError(f"must be {expected}")  # noqa: TRY004 - pydantic collects ValueErrors only
        return read(value)

    return BeforeValidator(validate)


def _whole(low: int, high: int, expected: str) -> BeforeValidator:
    def read(text: str) -> int:
        digits = text.replace("_", "")
        if not _WHOLE.fullmatch(text) or len(digits) > 18 or not low <= int(digits) <= high:
            raise ValueError(f"{_quoted(text)} must be {expected}")
        return int(digits)

    return _reader(read, expected)


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME or not _NAME.fullmatch(text):
        raise ValueError(
            f"{_quoted(text)} is no name: up to {LONGEST_NAME} lower-case letters, digits, '.', '_' and '-', with a "
            f"letter or a digit at both ends; write for example {_tidied(text)}"
        )
    return text


def _model_name(text: str) -> str:
    if text in RESERVED:
        raise ValueError(f"{text!r} is a path of the gateway's own; call the model for example {text}-model")
    return _name(text)


def _tidied(text: str) -> str:
    tidy = re.sub(r"[^a-z0-9._-]+", "-", text.lower())[:LONGEST_NAME].strip("._-")
    return tidy or "my-model"


def _window(text: str) -> int:
    seconds = durations.parse(text) if len(text) <= 60 else LONGEST_WINDOW + 1
    if seconds > LONGEST_WINDOW:
        raise ValueError(f"{_quoted(text)} is longer than 366d, the longest window; write for example 30d")
    if seconds != int(seconds) or seconds < 1:
        raise ValueError(f"{text!r} must be whole seconds, at least 1s; write for example 10s or 2m")
    return int(seconds)


def _money(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value <= MOST_MONEY:
        raise ValueError(f"{_quoted(text)} must be an amount from 0 to {MOST_MONEY}, for example 10 or 0.15")
    if value != round(value, MONEY_PLACES):
        raise ValueError(f"{_quoted(text)} has more than {MONEY_PLACES} decimals; write such as {round(value, 6):f}")
    return value


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(f"{_quoted(text)} must be true or false")
    return _SWITCH[text.lower()]


def _text(text: str) -> str:
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in text) or len(text) > 1000:
        raise ValueError("must be at most 1000 characters, without control characters")
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{_quoted(text)} is no IP address; write for example 127.0.0.1 or 0.0.0.0") from None


def _host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise ValueError(
            f"{_quoted(text)} is no host name; write for example models.example.com, without a port or https://"
        )
    return text.lower()


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and text.isprintable()
    except ValueError:
        good = False
    if not good or " " in text or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            f"{_quoted(text)} is no address of a server; write http(s)://host:port, for example http://127.0.0.1:8000"
        )
    return text.rstrip("/")


def _path(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("must be the path of a PEM file, for example /etc/maas/tls.crt")
    return text


def _absolute(text: str) -> str:
    if not text.startswith("/") or not text.isprintable():
        raise ValueError("must be the absolute path of a file with the API key in it, never the key itself")
    return text


def _weights(text: str) -> str:
    if not text or not text.isprintable() or len(text) > 500 or text.startswith("-"):
        raise ValueError(f"{_quoted(text)} is neither a path nor a name such as Qwen/Qwen3-0.6B-GGUF")
    return text


def _served_name(text: str) -> str:
    if not text or not text.isprintable() or not text.isascii() or len(text) > 256:
        raise ValueError(f"{_quoted(text)} must be the name that the server knows the model by, at most 256 characters")
    return text


def _wait(text: str) -> int:
    seconds = durations.parse(text) if len(text) <= 60 else LONGEST_WAIT + 1
    longest = durations.compact(LONGEST_WAIT)
    if seconds != int(seconds) or not 1 <= seconds <= LONGEST_WAIT:
        raise ValueError(f"{_quoted(text)} must be whole seconds, from 1s to {longest}; write for example 30s")
    return int(seconds)


def _flag(text: str) -> str:
    if _FLAG.fullmatch(text.replace("_", "-")) and "_" in text:
        raise ValueError(f"{_quoted(text)} is no option; write it with dashes: {text.replace('_', '-')[:60]}")
    if not _FLAG.fullmatch(text):
        raise ValueError(f"{_quoted(text)} is no option; write its name without dashes before it: mode, not --mode")
    return text


def _option(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("must be one printable text; write for example 100ms")
    return value


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _choice(*known: str) -> BeforeValidator:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"{_quoted(text)} is not known; write {expected}")
        return text

    expected = f"{', '.join(known[:-1])} or {known[-1]}"
    return _reader(read, expected)


Name = Annotated[str, _reader(_name, "a name")]
ModelName = Annotated[str, _reader(_model_name, "a name")]
Runtime = Annotated[str, _choice("simulator", "llama-cpp", "vllm", "external")]
Window = Annotated[int, _reader(_window, "a duration, for example 30s, 2m, 24h or 30d")]
Amount = Annotated[int, _whole(0, MOST, "a whole number from 0, for example 100")]
Positive = Annotated[int, _whole(1, 10**9, "a whole number from 1, for example 32768")]
Port = Annotated[int, _whole(1, 65535, "a port from 1 to 65535")]
Days = Annotated[int, _whole(1, 36500, "a number of days from 1 to 36500, for example 400")]
Money = Annotated[Decimal, _reader(_money, "an amount, for example 10 or 0.15")]
Switch = Annotated[bool, _reader(_switch, "true or false")]
Text = Annotated[str, _reader(_text, "a text")]
Address = Annotated[str, _reader(_address, "an IP address, for example 127.0.0.1")]
Host = Annotated[str, _reader(_host, "a host name")]
Url = Annotated[str, _reader(_url, "an address, for example http://127.0.0.1:8000")]
KeyPath = Annotated[str, _reader(_absolute, "the absolute path of a file that holds an API key")]
Weights = Annotated[str, _reader(_weights, "a path, or a name on the hub")]
ServedName = Annotated[str, _reader(_served_name, "a name")]
Weight = Annotated[int, _whole(1, 1000, "a whole number from 1 to 1000, for example 3")]
Wait = Annotated[int, _reader(_wait, "a duration, for example 30s")]
PemPath = Annotated[str, _reader(_path, "the path of a PEM file, for example /etc/maas/tls.crt")]
Flag = Annotated[str, _reader(_flag, "the name of an option")]
OptionValue = Annotated[str, BeforeValidator(_option)]
