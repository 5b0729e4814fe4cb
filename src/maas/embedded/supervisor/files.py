"""Files that others read while they are written."""

import os
from pathlib import Path


def replace_file(path: Path, text: str) -> None:
    """A reader sees the old text or the new one, never a part; nobody but the owner sees either.

    No fsync, unlike embedded/atomic.py: what is in it describes live processes.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
