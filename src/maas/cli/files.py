"""Files that people name in a command."""

import os
import sys
from pathlib import Path

from maas.domain.errors import InvalidInput


def text(file: Path) -> str:
    """ "-" is stdin. Raises InvalidInput, in words that say what is the matter with which file."""
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {file}{_from_where(file)}") from None
    except IsADirectoryError:
        raise InvalidInput(f"{file} is a folder, and a file is asked for") from None
    except PermissionError:
        raise InvalidInput(f"{file} may not be read by the user you are here") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is no text in UTF-8") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {os.strerror(error.errno or 0)}") from None


def _from_where(file: Path) -> str:
    return "" if file.is_absolute() else f" in {Path.cwd()}"
