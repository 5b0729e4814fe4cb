"""A real PostgreSQL for tests: on a unix socket in a short folder, with a password, gone afterwards.

In a conftest.py: `from tests.postgres import postgres`, which is a fixture of the session.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

USER = "maas"


@dataclass(frozen=True)
class Postgres:
    folder: Path
    password: str

    def url(self, database: str = "postgres", password: str | None = None) -> str:
        return f"postgresql://{USER}:{password or self.password}@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def name_in(self, url: str) -> str:
        """Of the database."""
        return url.partition("@/")[2].partition("?")[0]

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed (Debian: apt install postgresql)")
    with running(programs) as server:
        yield server


@contextmanager
def running(programs: Path) -> Iterator[Postgres]:
    """Takes about two seconds to start; what it keeps is not safe from a crash of the machine."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path has 107 bytes at most
    server = Postgres(folder, secrets.token_hex(8))
    try:
        _start(programs, server)
        try:
            yield server
        finally:
            _run(programs / "pg_ctl", "stop", "-D", folder / "data", "-m", "immediate", "-w")
    finally:
        shutil.rmtree(folder)


def _start(programs: Path, server: Postgres) -> None:
    secret, data = server.folder / "password", server.folder / "data"
    secret.write_text(server.password)
    if account := _account():
        for path in (server.folder, secret):
            shutil.chown(path, account)
    _run(
        *(programs / "initdb", "-D", data, "--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"),
        *(f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={secret}"),
    )
    options = f"-F -c listen_addresses='' -c unix_socket_directories='{server.folder}' -c shared_buffers=16MB"
    _run(programs / "pg_ctl", "start", "-D", data, "-w", "-l", server.folder / "log", "-o", options)


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, user=_account(), cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}")


def _account() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    present = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in present else "nobody"


def _programs() -> Path | None:
    """Their folder; Debian keeps each version in one of its own, off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    places = Path("/usr/lib/postgresql").glob("*/bin")
    return max(places, key=lambda place: int(place.parent.name), default=None)
