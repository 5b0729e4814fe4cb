"""What belongs to this installation and not to the platform's description: today, where the database is.

A database URL may hold a password. It is therefore kept in a file that only its owner can read, not in maas.yaml,
which people share; and the processes read it from there, since arguments and environments show up in `ps`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from maas.domain.errors import InvalidInput
from maas.embedded.atomic import replace
from maas.embedded.home import Home


@dataclass(frozen=True)
class Settings:
    """database_url: None for SQLite in the home."""

    database_url: str | None = None


def load(home: Home) -> Settings:
    path = _path(home)
    try:
        return Settings(**json.loads(path.read_text()))
    except FileNotFoundError:
        return Settings()
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{path} is damaged; remove it, and name the database again with --database-url") from error


def save(home: Home, settings: Settings) -> None:
    replace(_path(home), json.dumps(asdict(settings)).encode())


def _path(home: Home) -> Path:
    return home.root / "secrets" / "settings.json"
