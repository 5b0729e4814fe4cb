"""Which database a URL means, and how it may be shown: a password never gets into a message or a log."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from maas.domain.errors import InvalidInput

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",  # SQLAlchemy's own default is psycopg2
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_WANTED = "a database URL looks like sqlite:////path/to/maas.db or postgresql://user:password@host/database"


def parse(url: str) -> URL:
    """The URL with the driver we use. Raises InvalidInput, which never repeats what was given."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number, such as half of a password
        raise InvalidInput(f"this is not a database URL: {_WANTED}") from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise InvalidInput(f"{parsed.drivername} is not a database maas can use: {_WANTED}")
    if driver.startswith("sqlite"):
        _require_file(parsed)
    return parsed.set(drivername=driver)


def shown(url: URL) -> str:
    """Without any password; without the query too, since libpq takes passwords there as well."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


def _require_file(url: URL) -> None:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:") or url.query:
        raise InvalidInput("SQLite needs the plain path of a file: a database in memory would forget every key")
