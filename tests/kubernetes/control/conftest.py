"""The commands against a platform on a real API server, where nothing runs but what a test has put there."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maas.cli import frame, in_process, who
from maas.cli.frame import home
from maas.cli.installing import remembered
from maas.cli.installing.remembered import Remembered
from maas.cli.main import COMMANDS
from maas.cluster import document
from maas.cluster.document import Document
from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.definitions import of_components, stored

DOCUMENT = """\
# Whose comments stay.
models:
  simulator: {runtime: simulator, context_length: 8192, price: {input: 1, output: 2}}
tiers:
  free: {limits: [{requests: 5, per: 2m}, {tokens: 200, per: 1m}]}
  premium: {limits: [{requests: 20, per: 2m}]}
"""
KEYS, MODELS = "kuadrant-system", "llm"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture(scope="package")
def shared() -> Iterator[Cluster]:
    definitions = [stored(each) for each in of_components("gateway-api", "kuadrant-operator", "kserve")]
    with running(definitions=definitions) as started:
        for name in (KEYS, MODELS):
            create(started, "/api/v1/namespaces", {"metadata": {"name": name}})
        yield started


@pytest.fixture
def platform(shared: Cluster) -> Iterator[Cluster]:
    """With maas.yaml and without keys; both are new for each test."""
    path = f"/api/v1/namespaces/{MODELS}/configmaps"
    create(shared, path, document.manifest(Document(DOCUMENT)))
    yield shared
    with shared.client() as client:
        client.delete(f"{path}/{document.NAME}").raise_for_status()
        client.delete(f"/api/v1/namespaces/{KEYS}/secrets").raise_for_status()


@pytest.fixture
def maas(
    shared: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Run]:
    """maas("keys", "list", stdin="..."): what it printed, and its exit code."""
    with commands(shared.kubeconfig(), monkeypatch, capsys, tmp_path) as run:
        yield run


@contextlib.contextmanager
def commands(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> Iterator[Run]:
    """Of somebody with that kubeconfig, on a machine that installed the platform."""
    monkeypatch.setenv("MAAS_HOME", str(folder))
    monkeypatch.delenv("MAAS_TARGET", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(who, "user", lambda: "olga")
    remembered.save(home(), Remembered("", kubeconfig, MODELS, "kubernetes"))

    def run(name: str, *arguments: str, stdin: str = "") -> Said:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        try:
            code = frame.run(name, COMMANDS[name][0], list(arguments))
        finally:
            in_process.end()  # as at the end of the command
        return Said(code, *capsys.readouterr())

    yield run


def create(cluster: Cluster, path: str, body: Any) -> None:
    with cluster.client() as client:
        client.post(path, json=body, params={"fieldValidation": "Strict"}).raise_for_status()


def secrets(cluster: Cluster) -> dict[str, Any]:
    """By name."""
    with cluster.client() as client:
        found = client.get(f"/api/v1/namespaces/{KEYS}/secrets").raise_for_status().json()["items"]
    return {each["metadata"]["name"]: each for each in found}
