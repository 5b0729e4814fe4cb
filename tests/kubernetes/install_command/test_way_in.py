"""Which way live requests take into a cluster, and what stays of it on this machine."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from maas.cli import way_in
from maas.cli.installing import forwarding, remembered
from maas.cli.installing.options import Cluster
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object
from maas.embedded.home import Home
from tests.kubernetes.clusters import typical

_UNREACHABLE = "127.31.0.9"  # nothing listens there


def _facts(*, without: str = "") -> Facts:
    def changed(objects: Sequence[Object]) -> Sequence[Object]:
        return [_moved(each) if each["kind"] == "Gateway" else each for each in objects if each["kind"] != without]

    return typical.kubernetes_1_34().changed(changed).facts()


def _moved(gateway: Object) -> Object:
    return {**gateway, "status": {"addresses": [{"type": "IPAddress", "value": _UNREACHABLE}]}}


def test_the_service_and_its_secure_port_are_found_in_the_cluster() -> None:
    assert forwarding.entry_in(_facts(), "llm") == forwarding.Entry("llm", "maas-gateway-istio", 443, "https")
    assert forwarding.entry_in(_facts(without="Service"), "llm") is None


def _found(facts: Facts, url: str = "") -> tuple[way_in.Way, list[str]]:
    said: list[str] = []
    with way_in.found(Cluster(), facts, url, said.append) as way:
        return way, said


def test_what_somebody_names_is_taken_as_it_is() -> None:
    assert _found(_facts(), "https://models.example.com") == (way_in.Way("https://models.example.com"), [])


def test_a_way_is_opened_said_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f"#!/bin/sh\necho $$ >{tmp_path}/pid\necho 'Forwarding from 127.0.0.1:4711 -> 443'\nexec sleep 600\n"
    )
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    said: list[str] = []
    with way_in.found(Cluster(), _facts(), "", said.append) as way:
        assert way == way_in.Way("https://127.0.0.1:4711", by_forwarding=True)
        assert Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert [line.rpartition("\n")[2] for line in said] == [
        "opened a port-forward to it, https://127.0.0.1:4711",
        "Closed the port-forward.",
    ]


def test_without_a_service_nothing_is_opened_and_why_is_known() -> None:
    way, said = _found(_facts(without="Service"))
    assert (way.url, said) == ("", []) and way.why_not.endswith("and no Service")


def test_the_cas_file_is_gone_afterwards_and_the_installations_one_is_second_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path))
    with way_in.believed("") as nothing:
        assert nothing is None
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "cluster-ca.crt").write_text("left")
    with way_in.believed("") as left:
        assert left is not None and left.read_text() == "left"
    with way_in.believed("new") as file:
        assert file is not None and file.read_text() == "new"
    assert not file.exists()


def test_a_cluster_leaves_no_folders_of_the_other_target(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    remembered.save(home, remembered.Remembered("prod", None, "llm", "kubernetes"))
    assert [each.name for each in home.root.iterdir()] == ["cluster.json"]
    assert home.root.stat().st_mode & 0o777 == 0o700
