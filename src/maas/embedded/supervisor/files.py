"""Files that others read while they are written."""

import os
from pathlib import Path


def replace_file(path: Path, text: str) -> None:
    """A reader sees the old text or the new one, never a part. No fsync: what is in it describes live processes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
