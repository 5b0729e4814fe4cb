"""The platform on a real PostgreSQL: it works, and an outage of the database loses nothing and opens nothing."""

from collections.abc import Iterator

import pytest

from maas.embedded.supervisor import client
from tests.postgres import Postgres, postgres
from tests.running import Running, eventually, running

__all__ = ["postgres"]


@pytest.fixture
def on_postgres(postgres: Postgres) -> Iterator[tuple[Running, Postgres, str]]:
    url = postgres.new_database()
    with running(database_url=url) as up:
        yield up, postgres, postgres.name_in(url)


def test_an_outage_of_the_database(on_postgres: tuple[Running, Postgres, str]) -> None:
    """Requests go on while the journal can be written; what they used is in the ledger when the database is back."""
    up, server, database = on_postgres
    key = up.key("ann", "roomy")
    assert up.chat(key, max_tokens=2).status_code == 200
    eventually(lambda: _requests(up) == 1)
    assert not up.home.database.exists()

    _shut(server, database)
    assert [up.chat(key, max_tokens=2).status_code for _ in range(2)] == [200, 200]
    assert eventually(lambda: "ok" not in up.api.get("/health").json()["parts"]["ledger"])
    refused = up.api.post("/v1/api-keys", json={"name": "x", "username": "x", "tier": "free"})
    assert refused.status_code == 503
    assert server.password not in refused.text

    server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    eventually(lambda: _requests(up) == 3)
    assert [up.chat(key, max_tokens=2).status_code for _ in range(3)] == [200, 200, 429]


def test_the_control_plane_does_not_come_back_without_its_database(
    on_postgres: tuple[Running, Postgres, str],
) -> None:
    """Killed meanwhile, it can't know keys or counters: nothing gets in, and the log says why, without the password."""
    up, server, database = on_postgres
    key = up.key("ann", "roomy")
    assert up.chat(key, max_tokens=2).status_code == 200
    _shut(server, database)
    up.kill("control")
    log = up.home.logs / "control.log"
    eventually(lambda: "cannot_start" in log.read_text())
    answer = up.chat(key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "admission_unavailable")
    assert server.password not in log.read_text()

    server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    eventually(lambda: up.ready("control", not_pid=0) and client.status(up.home))
    assert [up.chat(key, max_tokens=2).status_code for _ in range(5)] == [200] * 4 + [429]


def _shut(server: Postgres, database: str) -> None:
    server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")


def _requests(up: Running) -> int:
    """In the ledger; none can be known while the database is away."""
    answer = up.api.get("/v1/usage", params={"by": "user"})
    rows = answer.json()["data"] if answer.status_code == 200 else []
    return sum(row["requests"] for row in rows if row["name"] == "ann")
