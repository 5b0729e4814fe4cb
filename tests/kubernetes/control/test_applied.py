"""A platform on a cluster is changed by the commands that change one on this machine: on a real API server, with the
controllers that tests/kubernetes/installation plays. One cluster lives through it all, in this order.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maas.cluster import sites
from maas.cluster.plan.planning import every_step
from maas.cluster.wanted import Target, Wanted
from maas.domain import platform_file
from tests.kubernetes.charts.stand_ins import mirrored
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.control.conftest import DOCUMENT, Run, commands
from tests.kubernetes.installation.installing import Installer
from tests.kubernetes.installation.stages import kubernetes

pytestmark = pytest.mark.timeout(200)
_ISVC = "/apis/serving.kserve.io/v1beta1/namespaces/llm/inferenceservices"
_LIMITS = "/apis/kuadrant.io/v1/namespaces/llm/ratelimitpolicies/maas-requests"


@pytest.fixture(scope="module")
def installed(helm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("mirror")
    wanted = Wanted(platform_file.load(DOCUMENT), sites.assumed(Target.kubernetes))
    mirror = mirrored(every_step(wanted), folder)
    with kubernetes() as cluster:
        Installer(cluster.kubeconfig(), mirror, maas_yaml=DOCUMENT).install()
        yield cluster


@pytest.fixture
def maas(
    installed: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Run]:
    with commands(installed.kubeconfig(), monkeypatch, capsys, tmp_path) as run:
        yield run


def test_it_is_healthy(installed: Cluster, maas: Run) -> None:
    said = maas("status", "-o", "json")
    assert said.code == 0, said
    document = json.loads(said.out)
    assert set(document["parts"].values()) == {"ok"}
    assert document["models"] == [{"name": "simulator", "state": "ready", "trouble": None}]


def test_the_same_again_changes_nothing(installed: Cluster, maas: Run, tmp_path: Path) -> None:
    before = _version(installed, _LIMITS), _version(installed, f"{_ISVC}/simulator")
    assert _applied(maas, tmp_path, DOCUMENT) == "No changes.\n"
    assert (_version(installed, _LIMITS), _version(installed, f"{_ISVC}/simulator")) == before


def test_a_limit_is_changed_and_nothing_else(installed: Cluster, maas: Run, tmp_path: Path) -> None:
    model = _version(installed, f"{_ISVC}/simulator")
    said = _applied(maas, tmp_path, DOCUMENT.replace("requests: 20", "requests: 30"))
    assert said == "1 change applied.\n"
    limits = _get(installed, _LIMITS)["spec"]["limits"]
    assert limits["premium"]["rates"] == [{"limit": 30, "window": "2m"}]
    assert limits["free"]["rates"] == [{"limit": 5, "window": "2m"}]
    assert _version(installed, f"{_ISVC}/simulator") == model
    assert "30 requests per 2m" in maas("tiers", "show", "premium").out
    assert _document(installed).startswith("# Whose comments stay.\n")


def test_a_model_more(installed: Cluster, maas: Run) -> None:
    said = maas("models", "add", "second", "--runtime", "simulator", "--alias", "zwei")
    assert (said.code, said.out) == (0, "Added second; it is ready.\n"), said
    assert _get(installed, f"{_ISVC}/second")["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "maas"
    route = _get(installed, "/apis/gateway.networking.k8s.io/v1/namespaces/llm/httproutes/second")
    assert route["spec"]["hostnames"] == ["second.maas.local", "zwei.maas.local"]
    policy = _get(installed, "/apis/kuadrant.io/v1/namespaces/llm/authpolicies/maas-auth")
    assert '"zwei": "second"' in policy["spec"]["rules"]["authorization"]["judged"]["opa"]["rego"]
    assert maas("keys", "create", "--user", "alice", "--model", "second").code == 0
    assert maas("models", "add", "second", "--runtime", "simulator").code == 5
    assert "# Whose comments stay." in _document(installed)


def test_and_gone_again_but_for_its_keys(installed: Cluster, maas: Run) -> None:
    said = maas("models", "remove", "second")
    assert (said.code, said.out) == (0, "Removed second.\n"), said
    with installed.client() as client:
        assert client.get(f"{_ISVC}/second").status_code == 404
        assert client.get("/apis/gateway.networking.k8s.io/v1/namespaces/llm/httproutes/second").status_code == 404
    assert [row["username"] for row in json.loads(maas("keys", "list", "-o", "json").out)] == ["alice"]
    assert maas("models", "remove", "second").code == 4
    assert maas("status").code == 0, "nothing else was pruned"


def test_what_cannot_be_changes_nothing(installed: Cluster, maas: Run, tmp_path: Path) -> None:
    before = _document(installed)
    file = tmp_path / "maas.yaml"
    file.write_text(DOCUMENT.replace("{requests: 20, per: 2m}", "{money: 10, per: 30d}"))
    assert maas("apply", "-f", str(file)).code == 2
    assert _document(installed) == before


def test_ctrl_c_ends_a_command_that_waits(installed: Cluster, maas: Run) -> None:
    """A process of its own: Python itself waits at its end, for the threads of whatever was not closed before."""
    command = [sys.executable, "-m", "maas.cli.main", "models", "add", "third", "--runtime", "simulator"]
    with _cordoned(installed), subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = next((line for line in process.stderr if "waiting until" in line), "")
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=10)
        finally:
            process.kill()
    assert "InferenceService llm/third" in said
    assert process.returncode == 130, rest
    assert "Traceback" not in rest


@contextlib.contextmanager
def _cordoned(cluster: Cluster) -> Iterator[None]:
    """Its nodes take no new Pods, so no further model becomes ready."""
    _set_cordon(cluster, True)
    try:
        yield
    finally:
        _set_cordon(cluster, False)


def _set_cordon(cluster: Cluster, on: bool) -> None:
    body, kind = json.dumps({"spec": {"unschedulable": on}}), {"content-type": "application/merge-patch+json"}
    with cluster.client() as client:
        for node in client.get("/api/v1/nodes").raise_for_status().json()["items"]:
            path = f"/api/v1/nodes/{node['metadata']['name']}"
            client.patch(path, content=body, headers=kind).raise_for_status()


def _applied(maas: Run, folder: Path, text: str) -> str:
    file = folder / "maas.yaml"
    file.write_text(text)
    said = maas("apply", "-f", str(file))
    assert said.code == 0, said
    return said.out


def _document(cluster: Cluster) -> str:
    text: str = _get(cluster, "/api/v1/namespaces/llm/configmaps/maas-platform")["data"]["maas.yaml"]
    return text


def _version(cluster: Cluster, path: str) -> str:
    version: str = _get(cluster, path)["metadata"]["resourceVersion"]
    return version


def _get(cluster: Cluster, path: str) -> dict[str, Any]:
    with cluster.client() as client:
        found: dict[str, Any] = client.get(path).raise_for_status().json()
    return found
