"""A database is brought to the newest schema by itself, by one process at a time, and never back."""

import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect

from maas.domain.errors import Conflict, MaasError
from maas.store import Store, migrate, tables
from maas.store.database import Database
from tests.store.processes import line_of, say, start
from tests.store.samples import KEY


def execute(url: str, statement: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql(statement)
    database.close()


def contents(url: str) -> dict[str, Any]:
    """Its tables, with their rows."""
    database = Database(url)
    with database.read() as connection:
        names = inspect(connection).get_table_names()
        found = {name: connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names}
    database.close()
    return found


def test_migrations_lead_to_the_tables_the_code_knows(store: Store) -> None:
    with store.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_the_head_is_alembics() -> None:
    assert ScriptDirectory(str(Path(migrate.__file__).with_name("migrations"))).get_heads() == [migrate.HEAD]


def test_a_database_at_the_head_opens_without_alembic(sqlite_url: str) -> None:
    Store.open(sqlite_url).close()
    code = "import sys; from maas.store import Store; Store.open(sys.argv[1]).close(); print('alembic' in sys.modules)"
    command = [sys.executable, "-c", code, sqlite_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": "src"})
    assert done.stdout == "False\n"


def test_what_is_stored_is_there_after_a_restart(empty_url: str) -> None:
    with closing(Store.open(empty_url)) as store:
        store.keys.insert(KEY, actor="test", at=1.0)
    with closing(Store.open(empty_url)) as store:
        assert store.keys.all() == [KEY]


def test_a_newer_database_is_refused_and_left_alone(empty_url: str) -> None:
    Store.open(empty_url).close()
    execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    before = contents(empty_url)
    with pytest.raises(MaasError, match="at schema 9999, which this version of maas does not know"):
        Store.open(empty_url)
    assert contents(empty_url) == before


def test_a_database_of_somebody_else_is_refused_and_left_alone(empty_url: str) -> None:
    execute(empty_url, "CREATE TABLE keys (door TEXT)")
    with pytest.raises(Conflict, match="has tables that maas did not make: keys"):
        Store.open(empty_url)
    assert contents(empty_url) == {"keys": []}


def test_a_migration_that_breaks_off_changes_nothing(empty_url: str) -> None:
    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE audit" in statement:
            raise RuntimeError("pulled the plug")

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(RuntimeError, match="pulled the plug"):
            Store.open(empty_url)
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert contents(empty_url) == {}
    Store.open(empty_url).close()


def test_processes_that_migrate_at_once_wait_for_each_other(empty_url: str) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(start("opening", empty_url, f"k{i}")) for i in range(2)]
        assert [line_of(process) for process in processes] == ["ready"] * 2
        for process in processes:
            say(process, "go")
        assert [process.wait() for process in processes] == [0, 0]
    with closing(Store.open(empty_url)) as store:
        assert {key.id for key in store.keys.all()} == {"k0", "k1"}
