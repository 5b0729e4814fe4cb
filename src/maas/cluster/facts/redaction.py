"""What must never leave the cluster in a snapshot: values of Secrets, passwords, tokens, private keys.

Two rules, because neither is enough. A name that says what it holds (HF_TOKEN, --api-key, clientSecret) hides its
value whatever that looks like; a value that looks like a credential (a JWT, sk-…, a password in a URL) is hidden
wherever it stands, also in the middle of a log line. What checks judge by stays: images and their digests, versions,
labels, names of Secrets.

A Secret's value becomes a digest: equal values can still be told, and empty ones. Its salt is random for each process
and forgotten, so that nobody can try guesses.
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from maas.cluster.facts.redaction_patterns import CREDENTIAL, LEAD, VALUE, is_prose, names_a_secret
from maas.cluster.objects import Object, mapping

REDACTED = "[redacted]"

_SALT = secrets.token_bytes(32)
_LONG_ENOUGH = 8  # characters of a value
_REFERENCE = re.compile(r"\$\([\w.-]+\)|\$\{?\w+\}?|\{\{.*\}\}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{16}")
_BY_A_TOOL = re.compile(
    r"[\[<({*\s-]*(?:redacted|hidden|omitted|elided|filtered|masked|removed|obfuscated|scrubbed|sanitized|secret)"
    r"[\])>}*\s-]*|\*{3,}|[xX]{4,}|•{3,}|\d+ bytes long|data[ +]omitted",
    re.IGNORECASE,
)
_LOGINS = ("-u", "--user", "--proxy-user")  # of curl, before user:password
_ABSENT = frozenset({"", "true", "false", "none", "null", "nil", "enabled", "disabled"})


def is_redacted(value: str) -> bool:
    """Whether some tool put this in the place of a value: nothing can be said of the value then.

    A digest of ours is none of them: it can be compared.
    """
    return bool(_BY_A_TOOL.fullmatch(value.strip())) or bool(_BY_A_TOOL.fullmatch(_decoded(value).strip()))


def digest(value: bytes) -> str:
    """Stands for a value: equal for equal values of one reading."""
    return "sha256:" + hashlib.sha256(_SALT + value).hexdigest()[:16]


def without_values(secret: Object) -> Object:
    """The Secret with its keys, and digests for its values; stringData is what the server would have made of it."""
    plain = {key: _stand_in(value, value) for key, value in mapping(secret, "stringData").items()}
    kept = {key: _stand_in(value, _unpacked(value)) for key, value in mapping(secret, "data").items()}
    rest = {key: value for key, value in secret.items() if key not in ("data", "stringData")}
    rest = _without(rest, _told(secret))
    return {**rest, "data": kept | plain} if kept or plain else rest


def _told(secret: Object) -> list[str]:
    """The values in clear that are long enough to be nobody's word: somebody may have noted one in an annotation."""
    packed = (_unpacked(value) for value in mapping(secret, "data").values() if isinstance(value, str))
    values = [value.decode(errors="replace") if isinstance(value, bytes) else value for value in packed]
    values += [value for value in mapping(secret, "stringData").values() if isinstance(value, str)]
    return sorted({value.strip() for value in values if len(value.strip()) >= _LONG_ENOUGH}, key=len, reverse=True)


def _without(value: Any, texts: Sequence[str]) -> Any:
    if isinstance(value, str):
        for text in texts:
            value = value.replace(text, REDACTED)
        return value
    if isinstance(value, Mapping):
        return {key: _without(each, texts) for key, each in value.items()}
    return [_without(each, texts) for each in value] if isinstance(value, list) else value


def redacted(value: Any) -> Any:
    """JSON without credentials, in the same shape."""
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, Sequence):
        return _sequence(value)
    return value


def scrubbed(text: str) -> str:
    """The text with `[redacted]` for what looks like a credential in it."""
    return _scrubbed_once(text) if len(text) <= 512 else _scrub(text)


def _scrub(text: str) -> str:
    return _without_assigned(CREDENTIAL.sub(_hide_credential, text))


_scrubbed_once = lru_cache(maxsize=100_000)(_scrub)  # the same strings come back thousands of times


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {scrubbed(str(key)): _named(key, each) for key, each in value.items()}
    named = value.get("name")
    if isinstance(named, str) and isinstance(value.get("value"), str) and names_a_secret(named):
        hidden["value"] = _hidden(str(value["value"]))  # an environment variable, a header, a parameter
    return hidden


def _named(key: Any, value: Any) -> Any:
    if isinstance(value, str) and isinstance(key, str) and names_a_secret(key):
        return _hidden(value)
    return redacted(value)


def _sequence(value: Sequence[Any]) -> list[Any]:
    """Of a command's arguments, the one after --api-key is the key."""
    hidden, before = [], None
    for each in value:
        is_value = isinstance(each, str) and isinstance(before, str) and not each.startswith("-")
        is_value = is_value and str(before).startswith("-") and "=" not in str(before) and names_a_secret(str(before))
        if before in _LOGINS and isinstance(each, str) and ":" in each and value[0] == "curl":
            hidden.append(f"{each.partition(':')[0]}:{REDACTED}")
        else:
            hidden.append(_hidden(each) if is_value else redacted(each))
        before = each
    return hidden


def _hidden(value: str) -> str:
    """Kept are a digest, a reference to a variable, and what is nobody's secret: nothing, or yes or no."""
    told = value.strip().lower() in _ABSENT or _DIGEST.fullmatch(value) or _REFERENCE.fullmatch(value)
    return value if told else REDACTED


def _hide_credential(match: re.Match[str]) -> str:
    found = match.groupdict("")
    if (encoded := found.pop("encoded")) and "PRIVATE KEY" not in _decoded(encoded):
        return match[0]
    return "".join(found.values()) + REDACTED


def _without_assigned(text: str) -> str:
    """Values are read only after names that say so: msg="token=x" holds an assignment in a value."""
    parts, position = [], 0
    for lead in LEAD.finditer(text):
        if lead.start() < position or not names_a_secret(lead["name"] or lead["flag"]):
            continue
        if value := VALUE.match(text, lead.end()):
            parts += [text[position : lead.end()], _hidden_value(lead, value)]
            position = value.end()
    return "".join((*parts, text[position:]))


def _hidden_value(lead: re.Match[str], value: re.Match[str]) -> str:
    """In quotes if it was, or if its name is: then it is a number in JSON."""
    if is_prose(lead["name"] or "", lead["by"] or "", value["bare"] or ""):
        return value[0]
    hidden = _hidden(value["quoted"] or value[0])
    if hidden != REDACTED:
        return value[0]
    quote = value["quote"] or (lead["key_quote"] if value["bare"] else "") or ""
    return f"{quote}{hidden}{quote}"


def _stand_in(shown: Any, value: bytes | str) -> str:
    raw = value.encode("utf-8", errors="surrogatepass") if isinstance(value, str) else value
    if not isinstance(shown, str) or not raw:
        return ""
    if _DIGEST.fullmatch(shown):
        return shown
    return REDACTED if is_redacted(shown) else digest(raw)


def _unpacked(value: Any) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        return str(value).encode("utf-8", errors="surrogatepass")


def _decoded(value: str) -> str:
    """What it says if it is base64; "" if it is not."""
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8", errors="replace")
    except (binascii.Error, ValueError):
        return ""
