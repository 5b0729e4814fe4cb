"""The keys that other people's servers want to see: each in a file of its own, read when the gateway is described.

A file that can't be read any more takes no key away from a gateway that has it: what was read last is used on, and
`maas status` warns. One that says something else is taken up within seconds, as whoever rotates keys would expect.
"""

from collections.abc import Iterable
from pathlib import Path

from maas.domain.errors import InvalidPlatform
from maas.domain.platform import Platform
from maas.embedded import log

_LONGEST = 8192
_used: dict[str, str] = {}  # by file, as long as this process lives: the key that the gateway was told last
_unreadable: set[str] = set()


def read(file: str | None) -> str | None:
    """None for no file, and for one that could never be read: that server will refuse, and the others serve on."""
    if file is None:
        return None
    try:
        _used[file] = _text(Path(file))
    except (OSError, ValueError) as error:
        if file not in _unreadable:
            log.error("api_key_file_unusable", file=file, reason=_reason(error), key_kept=file in _used)
        _unreadable.add(file)
    else:
        _unreadable.discard(file)
    return _used.get(file)


def changed(platform: Platform) -> bool:
    """Whether a file holds another key than the gateway has."""
    return any(_now(file) not in (None, _used.get(file)) for file in _files(platform))


def trouble(platform: Platform) -> str | None:
    """Which files can't be read now, if any."""
    lost = sorted(file for file in set(_files(platform)) if _now(file) is None)
    if not lost:
        return None
    kept = "the key that was read before is used on" if set(lost) <= _used.keys() else "their servers will refuse"
    return f"no key can be read from {', '.join(lost)}: {kept}"


def _files(platform: Platform) -> Iterable[str]:
    for model in platform.models.values():
        for endpoint in model.endpoints:
            if endpoint.api_key_file is not None:
                yield endpoint.api_key_file


def _now(file: str) -> str | None:
    try:
        return _text(Path(file))
    except (OSError, ValueError):
        return None


def require_readable(platform: Platform) -> None:
    """Raises InvalidPlatform that names every file that does not hold a key."""
    problems = []
    for model in platform.models.values():
        for endpoint in model.endpoints:
            try:
                if endpoint.api_key_file is not None:
                    _text(Path(endpoint.api_key_file))
            except (OSError, ValueError) as error:
                problems.append(f"models.{model.name}: api_key_file {endpoint.api_key_file}: {_reason(error)}")
    if problems:
        raise InvalidPlatform(problems)


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():  # a pipe, say, would make whoever reads it wait
        raise ValueError("is no regular file")
    text = path.read_text(encoding="ascii").strip()
    if not text or not text.isprintable() or " " in text or len(text) > _LONGEST:
        raise ValueError("does not hold one key, in one line")
    return text


def _reason(error: Exception) -> str:
    """Without what the file holds."""
    if isinstance(error, UnicodeDecodeError):
        return "holds characters that no key has"
    return (error.strerror or "can't be read") if isinstance(error, OSError) else str(error)
