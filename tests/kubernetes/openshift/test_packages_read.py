"""Catalogs are asked for the operators that are missing, and for nothing else: megabytes for each."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maas.cluster import sites
from maas.cluster.api import Api, path_of
from maas.cluster.facts import live, snapshot, snapshot_writing
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.facts.packages import PROBE
from maas.cluster.kinds import ALL, PACKAGE_MANIFEST, Kind
from maas.cluster.objects import Object, items, mapping, name
from tests.kubernetes.clusters import stack, typical
from tests.kubernetes.clusters.making import made, namespace
from tests.kubernetes.clusters.nodes import node
from tests.kubernetes.clusters.scenario import BY_GROUP_AND_KIND, GROUPS, Scenario
from tests.kubernetes.installation.olm import package_manifests
from tests.kubernetes.openshift.shapes import bare, one, steps, subscriptions
from tests.kubernetes.played import Request, Server, listed, status
from tests.kubernetes.reading.pretending import ORDINARY, aggregated, pretending, with_api

_AT = path_of(PACKAGE_MANIFEST, "v1", "openshift-marketplace")
_MISSING = {"openshift-cert-manager-operator", "rhcl-operator", "rhods-operator"}
_FOR_GPUS = {"nfd", "gpu-operator-certified"}


class _Catalogs:
    """Of a played server that has a scenario's objects."""

    def __init__(self, scenario: Scenario, manifests: Sequence[Object] | None = None, refuse: int = 0) -> None:
        self.scenario, self.refuse = scenario, refuse
        self.manifests = package_manifests() if manifests is None else manifests
        self.served = True
        self.asked: list[str] = []

    def read(self, folder: Path, *, gpu_operator: bool = False, upgrade: bool = False) -> Facts:
        async def all_of_it(api: Api, _: Server) -> Facts:
            return await live.read(api, deadline=20, tools=False, gpu_operator=gpu_operator, upgrade=upgrade)

        return with_api(folder, pretending(self._objects(), self._spoil), all_of_it)

    def _objects(self) -> dict[Kind, list[Object]]:
        found: dict[Kind, list[Object]] = defaultdict(list)
        for each in self.scenario.objects:
            group = str(each["apiVersion"]).rpartition("/")[0]
            if kind := BY_GROUP_AND_KIND.get((group, str(each["kind"]))):
                found[kind].append(each)
        return found

    async def _spoil(self, request: Request) -> Any:
        if request.path == "/apis":
            groups = {group for each in self.scenario.components for group in GROUPS[each]}
            groups |= {each.group for each in ALL if each.group.endswith(".k8s.io") and "gateway" not in each.group}
            kinds = [each for each in ALL if each.group in groups | {"apps"}]
            return aggregated([*kinds, *([PACKAGE_MANIFEST] if self.served else [])])
        if request.path != _AT:
            return ORDINARY
        package = request.query["fieldSelector"].removeprefix("metadata.name=")
        self.asked.append(package)
        return status(self.refuse, "no") if self.refuse else listed("PackageManifest", *self._of(package))

    def _of(self, package: str) -> list[Object]:
        """An API server's own filter."""
        return [each for each in self.manifests if name(each) == package]


def test_a_bare_cluster(tmp_path: Path) -> None:
    catalogs = _Catalogs(bare("4.20.4", "v1.33.5"))
    facts = catalogs.read(tmp_path)
    assert sorted(catalogs.asked) == sorted(_MISSING)
    assert set(facts.probe(PROBE)) == _MISSING  # type: ignore[arg-type]
    specs = subscriptions(steps(facts))
    assert specs["rhcl-operator"]["startingCSV"] == "rhcl-operator.v1.4.2"


def test_before_4_19_the_mesh_too(tmp_path: Path) -> None:
    catalogs = _Catalogs(bare("4.16.48", "v1.29.14"))
    catalogs.read(tmp_path)
    assert set(catalogs.asked) == {*_MISSING, "servicemeshoperator3"}


def test_for_gpus_where_they_are_asked_for_or_nobody_can_use_them(tmp_path: Path) -> None:
    catalogs = _Catalogs(bare("4.20.4", "v1.33.5"))
    catalogs.read(tmp_path, gpu_operator=True)
    assert set(catalogs.asked) == _MISSING | _FOR_GPUS
    idle = node("gpu-0", cpu=16, memory="64Gi")
    idle["metadata"]["labels"]["feature.node.kubernetes.io/pci-10de.present"] = "true"
    catalogs = _Catalogs(bare("4.20.4", "v1.33.5", idle))
    catalogs.read(tmp_path)
    assert set(catalogs.asked) == _MISSING | _FOR_GPUS


def test_no_catalog_is_asked_where_everything_is_there(tmp_path: Path) -> None:
    """A second run costs nothing."""
    catalogs = _Catalogs(typical.openshift_4_20())
    facts = catalogs.read(tmp_path, gpu_operator=True)
    assert catalogs.asked == [] and facts.probe(PROBE) is None


def test_what_is_subscribed_to_already_is_not_asked_for(tmp_path: Path) -> None:
    """Also where OLM has not come to it yet: what was asked for stays asked for."""
    spec = {"name": "rhcl-operator", "channel": "stable", "source": "x", "sourceNamespace": "y"}
    there = made("operators.coreos.com/v1alpha1", "Subscription", "rhcl-operator", "kuadrant-system", spec=spec)
    for labels in ({}, {"app.kubernetes.io/managed-by": "maas"}):
        there["metadata"]["labels"] = labels
        catalogs = _Catalogs(bare("4.20.4", "v1.33.5", there))
        catalogs.read(tmp_path)
        assert set(catalogs.asked) == _MISSING - {"rhcl-operator"}


def test_what_others_brought_by_other_means_is_not_asked_for(tmp_path: Path) -> None:
    helms = [namespace("cert-manager"), *stack.cert_manager("worker-0")]
    catalogs = _Catalogs(bare("4.20.4", "v1.33.5", *helms))
    facts = catalogs.read(tmp_path)
    assert set(catalogs.asked) == _MISSING - {"openshift-cert-manager-operator"}
    assert "cert-manager" not in [step.key for step in steps(facts)]


def _subscribed(channel: str, csv: str, *, ours: bool) -> Object:
    spec = {"name": "gpu-operator-certified", "channel": channel, "source": "certified-operators"}
    spec |= {"sourceNamespace": "openshift-marketplace", "startingCSV": csv}
    labels = {"app.kubernetes.io/managed-by": "maas"} if ours else {}
    return made(
        "operators.coreos.com/v1alpha1",
        "Subscription",
        "gpu-operator-certified",
        "nvidia-gpu-operator",
        labels=labels,
        spec=spec,
        status={"installedCSV": csv},
    )


def test_an_upgrade_asks_for_what_is_ours_and_moves_it_to_the_channel_of_a_newer_version(tmp_path: Path) -> None:
    older = "gpu-operator-certified.v25.10.1"
    catalogs = _Catalogs(bare("4.20.4", "v1.33.5", _subscribed("v25.10", older, ours=True)))
    facts = catalogs.read(tmp_path, upgrade=True)
    assert set(catalogs.asked) == {*_MISSING, "gpu-operator-certified"}
    step = one(steps(facts, gpu_operator=True, upgrade=True), "gpu-operator")
    spec = subscriptions([step])["gpu-operator-certified"]
    assert (spec["channel"], spec["startingCSV"]) == ("v26.7", older), "nothing else of it changes"
    assert "gpu-operator-certified.v26.7.0" in [wait.name for wait in step.waits]


def test_within_a_channel_olm_updates_by_itself(tmp_path: Path) -> None:
    """Nor is another channel with the same version a reason to move."""
    for channel, csv in (("v26.7", "gpu-operator-certified.v26.3.1"), ("stable", "gpu-operator-certified.v26.7.0")):
        ours = _subscribed(channel, csv, ours=True)
        facts = _Catalogs(bare("4.20.4", "v1.33.5", ours)).read(tmp_path, upgrade=True)
        step = one(steps(facts, gpu_operator=True, upgrade=True), "gpu-operator")
        assert subscriptions([step])["gpu-operator-certified"]["channel"] == channel
        assert [wait.name for wait in step.waits if wait.kind.name == "ClusterServiceVersion"] == [csv]


def test_an_upgrade_leaves_what_others_subscribed_to_and_never_goes_back(tmp_path: Path) -> None:
    catalogs = _Catalogs(
        bare("4.20.4", "v1.33.5", _subscribed("v25.10", "gpu-operator-certified.v25.10.1", ours=False))
    )
    catalogs.read(tmp_path, upgrade=True)
    assert "gpu-operator-certified" not in catalogs.asked
    newer = _subscribed("v27.1", "gpu-operator-certified.v27.1.0", ours=True)
    facts = _Catalogs(bare("4.20.4", "v1.33.5", newer)).read(tmp_path, upgrade=True)
    found = subscriptions(steps(facts, gpu_operator=True, upgrade=True))
    assert found["gpu-operator-certified"]["channel"] == "v27.1"


def test_on_kubernetes_there_is_nobody_to_ask(tmp_path: Path) -> None:
    catalogs = _Catalogs(typical.kind())
    assert catalogs.read(tmp_path).probe(PROBE) is None and catalogs.asked == []
    catalogs = _Catalogs(bare("4.20.4", "v1.33.5"))
    catalogs.served = False  # without the marketplace
    assert catalogs.read(tmp_path).probe(PROBE) is None and catalogs.asked == []


def test_who_may_not_ask_is_told_and_gets_the_usual_channels(tmp_path: Path) -> None:
    catalogs = _Catalogs(bare("4.20.4", "v1.33.5"), refuse=403)
    facts = catalogs.read(tmp_path)
    denied = facts.probes[PROBE]
    assert isinstance(denied, Unread) and denied.cause is Cause.denied
    spec = subscriptions(steps(facts))["rhcl-operator"]
    assert spec["channel"] == "stable" and "startingCSV" not in spec


def test_all_catalogs_that_have_it_are_kept_and_nothing_of_another_name(tmp_path: Path) -> None:
    class Careless(_Catalogs):
        def _of(self, package: str) -> list[Object]:
            return list(self.manifests)

    mirror = [
        {**each, "status": {**mapping(each, "status"), "catalogSource": "mirror"}} for each in package_manifests()
    ]
    facts = Careless(bare("4.20.4", "v1.33.5"), [*package_manifests(), *mirror]).read(tmp_path)
    found = facts.probe(PROBE)
    assert [each["catalog"] for each in items(found, "rhcl-operator")] == ["redhat-operators", "mirror"]


@pytest.mark.parametrize("file", ["facts", "facts.tar.gz"])
def test_a_snapshot_holds_what_was_offered(tmp_path: Path, file: str) -> None:
    """So a plan can be made from it, away from the cluster."""
    facts = _Catalogs(bare("4.20.4", "v1.33.5")).read(tmp_path, gpu_operator=True)
    snapshot_writing.write(facts, tmp_path / file)
    again = snapshot.read(tmp_path / file)
    assert again.probe(PROBE) == facts.probe(PROBE)
    assert replace(sites.of(again), versions={}) == replace(sites.of(facts), versions={})
    assert steps(again, gpu_operator=True)[0].key == steps(facts, gpu_operator=True)[0].key
