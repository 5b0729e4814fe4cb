"""The keys that other people's servers want to see: each in a file of its own, read when the gateway is described."""

from pathlib import Path

from maas.domain.errors import InvalidPlatform
from maas.domain.platform import Platform
from maas.embedded import log

_LONGEST = 8192


def read(file: str | None) -> str | None:
    """None for no file, and for one that can't be read: that server will refuse, and the others serve on."""
    if file is None:
        return None
    try:
        return _text(Path(file))
    except (OSError, ValueError) as error:
        log.error("api_key_file_unusable", file=file, reason=str(error))
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
    text = path.read_text(encoding="ascii").strip()
    if not text or not text.isprintable() or " " in text or len(text) > _LONGEST:
        raise ValueError("does not hold one key, in one line")
    return text


def _reason(error: Exception) -> str:
    """Without what the file holds."""
    if isinstance(error, UnicodeDecodeError):
        return "holds characters that no key has"
    return (error.strerror or "can't be read") if isinstance(error, OSError) else str(error)
