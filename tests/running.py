"""The real platform for tests: its own home, free ports, a real Envoy, real processes, gone afterwards."""

import json
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx

from maas.embedded import decisions, platform, settings
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import READY
from tests.ports import free_ports

PATIENCE = 20.0
T = TypeVar("T")

TIERS = """
tiers:
  free: {limits: [{requests: 5, per: 2m}, {tokens: 200, per: 1m}]}
  premium: {limits: [{requests: 20, per: 2m}, {tokens: 1000, per: 1m}]}
  tokens: {limits: [{tokens: 200, per: 1h}]}
  roomy: {limits: [{requests: 5, per: 2m}, {tokens: 1000, per: 1m}]}
  brief: {limits: [{requests: 2, per: 2s}]}
  narrow: {models: [other]}
  open: {}
"""


class Running:
    """A platform that is up. `requests_seen` is the independent count, written by the model itself."""

    def __init__(self, home: Home, ports: tuple[int, int, int]) -> None:
        self.home, (self.http_port, self.https_port, self.metrics_port) = home, ports
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.api = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(home.api_socket)), base_url="http://maas", timeout=PATIENCE
        )

    def key(self, user: str, tier: str, **fields: object) -> str:
        value: str = self.made_key(user, tier, **fields)["key"]
        return value

    def made_key(self, user: str, tier: str, **fields: object) -> dict[str, Any]:
        answer = self.api.post("/v1/api-keys", json={"name": user, "username": user, "tier": tier, **fields})
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    def usage(self, by: str = "user") -> dict[str, dict[str, Any]]:
        rows = self.api.get("/v1/usage", params={"by": by}).raise_for_status().json()["data"]
        return {row["name"]: row for row in rows}

    def records(self) -> list[dict[str, Any]]:
        """The ledger itself, with all that has settled."""
        self.usage()
        with closing(sqlite3.connect(self.home.database)) as database:
            database.row_factory = sqlite3.Row
            return [{**row, "user": row["user_name"]} for row in database.execute("select * from usage")]

    def admitted(self, user: str) -> set[str]:
        """The ids of all requests of this user that were let through, as admission noted them down."""
        return {line["id"] for _, line in decisions.read(self.home.journal) if "holds" in line and line["user"] == user}

    def pid(self, name: str) -> int:
        """Of the process whose name begins so."""
        status = client.status(self.home)
        assert status is not None
        process = next(p for p in status.processes if p.name.startswith(name))
        assert process.pid is not None
        return process.pid

    def kill(self, name: str) -> int:
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def ready(self, name: str, not_pid: int) -> bool:
        status = client.status(self.home)
        processes = status.processes if status else ()
        return any(p.name.startswith(name) and p.state == READY and p.pid != not_pid for p in processes)

    def chat(
        self, key: str, *, client: httpx.Client | None = None, within: float = PATIENCE, **body: object
    ) -> httpx.Response:
        content = {"model": "simulator", "messages": [{"role": "user", "content": "Hello"}], **body}
        send = client.post if client else httpx.post
        return send(f"{self.url}/v1/chat/completions", json=content, headers=bearer(key), timeout=within)

    @property
    def seen_log(self) -> Path:
        return self.home.root / "seen.jsonl"

    def requests_seen(self) -> list[dict[str, Any]]:
        """Every request that reached the model, in order, with what the model generated for it in the end."""
        if not self.seen_log.exists():
            return []
        return [json.loads(line) for line in self.seen_log.read_text().splitlines() if line.endswith("}")]

    def ended(self, request_id: str) -> dict[str, Any]:
        """What the model generated for it. A client may have its answer before the model has noted it down."""
        ended = {"request_id": request_id, "event": "end"}
        return eventually(lambda: next((line for line in self.requests_seen() if ended.items() <= line.items()), None))


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def config(ports: tuple[int, int, int], options: str = "", extra: str = "", tiers: str = TIERS) -> str:
    """`options` and `extra` are lines of YAML: of the simulator, and of more models."""
    http, https, metrics = ports
    return f"""
gateway: {{http_port: {http}, https_port: {https}, metrics_port: {metrics}}}
models:
  simulator:
    runtime: simulator
    context_length: 4096
    price: {{input: 1, output: 2}}
    options: {{request-log: SEEN, {options}}}
  other: {{runtime: simulator}}
{extra}
{tiers}
"""


@contextmanager
def running(
    options: str = "", extra: str = "", tiers: str = TIERS, database_url: str | None = None
) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="maas-test-") as folder:
        home, ports = Home(Path(folder)), free_ports()
        text = config(ports, options, extra, tiers).replace("SEEN", str(home.root / "seen.jsonl"))
        home.prepare()
        home.config.write_text(text)
        settings.save(home, settings.Settings(database_url))
        try:
            platform.start(home)
            up = Running(home, ports)
            yield up
            up.api.close()
        finally:
            platform.stop(home)


def stopped(pid: int) -> bool:
    """All of its threads: a signal is only asked for when kill() returns. A thread may end while we look."""
    try:
        stats = [(task / "stat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def eventually(look: Callable[[], T | Literal[False] | None], what: str = "", within: float = PATIENCE) -> T:
    """The first true answer. Fails with the last one, and with what was waited for."""
    deadline = time.monotonic() + within
    while not (answer := look()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within:g} s: {what}".rstrip(": ")
        time.sleep(0.02)
    return answer
