"""python -m benchmarks.cpu_model: what a real model on the CPU loses by standing behind the gateway."""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.cpu_model import report
from benchmarks.cpu_model.asking import Stream, ask, body
from benchmarks.cpu_model.figures import Case
from benchmarks.gateway import machine
from benchmarks.gateway.processes import free_ports
from maas.embedded import platform
from maas.embedded.home import Home, default_root
from maas.embedded.supervisor import client as supervisor
from maas.models import llama_cpp
from maas.models.weights import places

_HERE = Path(__file__).parent
_QUICK = Path("~/.cache/maas-bench/quick").expanduser()
_TIMEOUT = 300.0
_ONCE = {"connection": "close"}  # llama-server closes after a stream without a word; the gateway knows
_CASES = (("30 tokens in, 64 out", 8, 64), ("about 600 tokens in, 64 out", 200, 64))  # name, words, tokens
_QUICK_CASES = (("30 tokens in, 12 out", 8, 12),)
_CONFIG = """
gateway: {http_port: %d, https_port: %d, metrics_port: %d}
models:
  small: {runtime: llama-cpp, weights: "%s", context_length: 2048}
tiers:
  large: {limits: [{requests: 1_000_000_000, per: 24h}, {tokens: 100_000_000_000, per: 24h}]}
"""


def main() -> None:
    told = _parser().parse_args()
    weights = told.weights or places.packaged_place(Home(default_root()).weights)
    if not weights.exists():
        sys.exit(f"there are no weights at {weights}: `maas models pull smollm2` brings them")
    facts = machine.basics() | {"llama-server": _version(), "weights": weights.name}
    with _serving(weights) as (direct, gateway):
        pairs, cases = (3, _QUICK_CASES) if told.quick else (told.pairs, _CASES)
        measured = [_measure(direct, gateway, *case, pairs) for case in cases]
    print(report.text(measured))
    report.save(_QUICK if told.quick else told.output, facts, measured)


def _version() -> str:
    """Of llama.cpp, as its server says: "0.5.0-dev"."""
    said = subprocess.run((llama_cpp.program(), "--version"), capture_output=True, text=True, check=False)
    found = re.search(r"version: (\S+)", said.stdout + said.stderr)
    return found[1] if found else "unknown"


@contextmanager
def _serving(weights: Path) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two clients of one llama-server that the platform started: on its socket, and on the gateway's port."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="maas-bench-") as folder:
        home, ports = Home(Path(folder)), free_ports(3)
        home.prepare()
        home.config.write_text(_CONFIG % (*ports, weights.resolve()))
        platform.start(home)
        try:
            direct = httpx.HTTPTransport(uds=str(_socket(home)))
            key = {"authorization": f"Bearer {_key(home)}"}
            with (
                httpx.Client(transport=direct, base_url="http://model", headers=_ONCE, timeout=_TIMEOUT) as straight,
                httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}", headers=key, timeout=_TIMEOUT) as through,
            ):
                yield straight, through
        finally:
            platform.stop(home)


def _socket(home: Home) -> Path:
    status = supervisor.status(home)
    assert status is not None
    return home.model_socket(next(p.name.partition("@")[2] for p in status.processes if p.name.startswith("small@")))


def _key(home: Home) -> str:
    wanted = {"name": "benchmark", "username": "bench", "tier": "large"}
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(home.api_socket)), base_url="http://maas") as api:
        return str(api.post("/v1/api-keys", json=wanted).raise_for_status().json()["key"])


def _measure(direct: httpx.Client, gateway: httpx.Client, name: str, words: int, tokens: int, pairs: int) -> Case:
    for client in (direct, gateway):
        ask(client, body(words, 4, 0))  # connections are made, caches filled
    return Case(name, [_pair(direct, gateway, body(words, tokens, n), n) for n in range(1, pairs + 1)])


def _pair(direct: httpx.Client, gateway: httpx.Client, asked: dict[str, object], turn: int) -> tuple[Stream, Stream]:
    """Who is first changes with every pair: so that neither gains from what the other left behind."""
    if turn % 2:
        through = ask(gateway, asked)
        return ask(direct, asked), through
    straight = ask(direct, asked)
    return straight, ask(gateway, asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cpu_model", description=__doc__)
    parser.add_argument("--weights", type=Path, help="a .gguf file; else what `maas models pull smollm2` brought")
    parser.add_argument("--pairs", type=int, default=60, help="of requests, for each case (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="does it work? three pairs; results go elsewhere")
    parser.add_argument("--output", type=Path, default=_HERE, help="folder for results.json and results.md")
    return parser


if __name__ == "__main__":
    main()
