"""Who may read little is told so: what was not read is unknown, never passed, and never absent."""

from collections.abc import Iterator

import pytest

from maas.cluster.kinds import ALL
from maas.readiness.findings import Status, Verdict, verdict
from maas.readiness.judging import judge
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.living import live
from tests.kubernetes.live.reading import read

# What /version, discovery and questions about one's own rights tell anybody, and what is at hand on this machine.
_WITHOUT_RIGHTS = {"MAAS-101", "MAAS-102", "MAAS-111", "MAAS-112", "MAAS-113", "MAAS-210", "MAAS-290"}
_SCENARIO = typical.kubernetes_1_34()


@pytest.fixture(scope="module")
def installed() -> Iterator[Cluster]:
    with live(_SCENARIO) as cluster:
        yield cluster


def test_somebody_without_rights(installed: Cluster) -> None:
    facts = read(installed.kubeconfig("nobody-in-particular"))
    findings = judge(facts, _SCENARIO.asked, skip=["MAAS-9"])
    assert verdict(findings) is Verdict.not_ready
    judged = [each for each in findings if each.status in (Status.passed, Status.failed, Status.to_install)]
    assert {each.code for each in judged} <= _WITHOUT_RIGHTS
    unknown = [each for each in findings if each.status is Status.unknown]
    assert len(unknown) > 80
    assert all("denied" in each.message or "not read" in each.message for each in unknown)


def test_who_reads_all_but_the_keys(installed: Cluster) -> None:
    """Secrets are what most people may not read: the rest is judged as an administrator would see it."""
    groups = {kind.group for kind in ALL} - {""}
    core = ["nodes", "namespaces", "pods", "services", "events", "configmaps", "resourcequotas"]
    installed.allow(
        "auditor",
        {"apiGroups": [""], "resources": [*core, "persistentvolumes", "persistentvolumeclaims"], "verbs": ["list"]},
        {"apiGroups": sorted(groups), "resources": ["*"], "verbs": ["list"]},
    )
    everything = {each.code: each for each in judge(read(installed.kubeconfig()), _SCENARIO.asked)}
    findings = {each.code: each for each in judge(read(installed.kubeconfig("auditor")), _SCENARIO.asked)}
    differing = {code for code in findings if findings[code].status is not everything[code].status}
    keys = {code for code in differing if code.startswith("MAAS-33")}
    assert {findings[code].status for code in keys} == {Status.unknown}
    assert {"MAAS-330", "MAAS-332", "MAAS-333", "MAAS-334"} <= keys
    assert differing - keys <= {"MAAS-114", "MAAS-222", "MAAS-412", "MAAS-413", "MAAS-902", "MAAS-903"}
