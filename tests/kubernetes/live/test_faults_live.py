"""Faults planted on a real API server, one after the other, are found there as well; and gone when they are mended."""

from collections.abc import Iterator

import pytest

from maas.cluster.objects import Object
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.faults import K8S, Fault
from tests.kubernetes.clusters.faults_components import COMPONENTS
from tests.kubernetes.clusters.faults_installed import INSTALLED
from tests.kubernetes.clusters.faults_platform import PLATFORM
from tests.kubernetes.clusters.living import live
from tests.kubernetes.clusters.scenario import key
from tests.kubernetes.live.reading import read, said
from tests.kubernetes.seeding import seed

_HEALTHY = typical.kubernetes_1_34()
_BEFORE = {key(each): each for each in _HEALTHY.objects}
_FIXED = {"a Service that does not translate ports", "a model runs as root"}  # clusterIP, the spec of a pod
_BAD = ("failed", "warning", "unknown")
_TRIED = {"MAAS-112", "MAAS-113", "MAAS-152", "MAAS-222"}  # of this machine, not of the cluster


@pytest.fixture(scope="module")
def healthy() -> Iterator[Cluster]:
    with live(_HEALTHY) as cluster:
        yield cluster


def changed(fault: Fault) -> list[Object]:
    """What it changes, if that is all it does; what is left out or new, or may not be changed, is tested offline."""
    after = {key(each): each for each in fault.planted().objects}
    return [after[each] for each in after if after[each] != _BEFORE.get(each)] if after.keys() == _BEFORE.keys() else []


def _by_a_patch(fault: Fault) -> bool:
    """Whether a merge patch may do and undo it: no field comes or goes, and none is immutable."""
    if fault.cluster is not K8S or fault.name in _FIXED or not changed(fault):
        return False
    pairs = [(_BEFORE[key(each)], each) for each in changed(fault)]
    if any(new["kind"] == "HTTPRoute" and new["spec"] != old["spec"] for old, new in pairs):
        return False  # a new generation, which no controller is here to observe: MAAS-303 would go on telling of it
    return not any(_lost(old, new) or _lost(new, old) for old, new in pairs)


def _lost(old: object, new: object) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return any(name not in new or _lost(old[name], new[name]) for name in old)
    return False


@pytest.mark.timeout(600)
def test_each_is_found_and_nothing_is_left_when_all_are_mended(healthy: Cluster) -> None:
    faults = [each for each in (*PLATFORM, *COMPONENTS, *INSTALLED) if _by_a_patch(each)]
    missed = {}
    for fault in faults:
        seed(healthy, changed(fault))
        found = bad(healthy)
        seed(healthy, [_BEFORE[key(each)] for each in changed(fault)])
        if not fault.finds <= found:
            missed[fault.name] = found
    assert missed == {}
    assert len(faults) > 15
    assert bad(healthy) == set()


def bad(cluster: Cluster) -> set[str]:
    everything = said(read(cluster.kubeconfig()), _HEALTHY.asked)
    return {code for code, status, _, _ in everything if status in _BAD} - _TRIED
