"""Whatever objects hold, each check of platform, nodes, GPUs, storage and network says something, without stumbling."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.cluster.kinds import ALL
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.making import made
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.offline import asked, facts

Path = tuple[str | int, ...]
_SLIP = "should not happen"

absurd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "True", "-1", "1e999", "v", "4", "4.", "::", "10.0.0.0/99", "*", "\x00", "nvidia.com/gpu"]),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=3),
    st.dictionaries(
        st.one_of(st.text(max_size=3), st.integers()), st.one_of(st.none(), st.text(max_size=3)), max_size=2
    ),
    st.just([{}]),
    st.just({"a": {"b": []}}),
)


def _paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """To every field below."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*at, key)
        yield from _paths(each, (*at, key))


def _put(object: dict[str, Any], path: Path, value: Any) -> None:
    inner: Any = object
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value


def _interesting(scenario: Scenario) -> list[dict[str, Any]]:
    """At most three of a kind, and few enough to change many fields of each."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    known = {kind.name for kind in ALL}
    for each in (each for each in scenario.objects if each["kind"] in known):
        kinds.setdefault(each["kind"], []).append(dict(each))
    extra = [
        _policy("closed", {}),
        _policy("open", {"ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 8080, "endPort": 8090}]}]}),
        made("v1", "ResourceQuota", "q", "llm", status={"hard": {"requests.storage": "1Gi"}, "used": {}}),
        made("storage.k8s.io/v1", "CSIStorageCapacity", "c", "x", storageClassName="gp3", capacity="10Gi"),
        made("v1", "PersistentVolume", "v", spec={"capacity": {"storage": "1Gi"}}, status={"phase": "Available"}),
    ]
    return [*(each for found in kinds.values() for each in found[:3]), *extra]


def _policy(name: str, more: dict[str, Any]) -> dict[str, Any]:
    spec = {"podSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, **more}
    return made("networking.k8s.io/v1", "NetworkPolicy", name, "llm", spec=spec)


OBJECTS = {make().name: (_interesting(make()), make()) for make in (typical.openshift_4_20, typical.eks_1_31)}
_LABELS_AND_NAMES = ("apiVersion", "kind")  # by which the tests sort objects into facts


def _findings(objects: list[dict[str, Any]], scenario: Scenario, **more: Any) -> tuple[Finding, ...]:
    wanted = asked(scenario.asked.target, gpu=True, models=frozenset({"simulator", "qwen3", "qwen3-235b-a22b", ""}))
    return judge(facts(*objects, version=scenario.version, **more), wanted, only=["MAAS-1"])


@pytest.mark.parametrize("name", sorted(OBJECTS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_absurd_fields_are_judged_or_unknown(name: str, data: st.DataObject) -> None:
    objects, scenario = copy.deepcopy(OBJECTS[name])
    for _ in range(data.draw(st.integers(1, 8))):
        object = data.draw(st.sampled_from(objects))
        paths = [path for path in _paths(object) if path[0] not in _LABELS_AND_NAMES]
        if paths:
            _put(object, data.draw(st.sampled_from(paths)), copy.deepcopy(data.draw(absurd)))
    for finding in _findings(objects, scenario):
        assert _SLIP not in finding.message, (finding.code, finding.message)
        assert finding.message
        assert len(finding.seen) <= 12


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_each_field_may_be_missing_or_of_another_type(name: str) -> None:
    """Every field of every kind, one after the other: the few of a node, say, that a check may rely on."""
    objects, scenario = OBJECTS[name]
    seen = set()
    for index, object in enumerate(objects):
        for path in _paths(object):
            fields = (object["kind"], *(step for step in path if isinstance(step, str)))
            if path[0] in _LABELS_AND_NAMES or fields in seen or object["kind"] in ("Event", "Deployment", "DaemonSet"):
                continue
            seen.add(fields)
            broken = copy.deepcopy(object)
            _put(broken, path, None if len(seen) % 2 else [7])
            changed = [*objects[:index], broken, *objects[index + 1 :]]
            slips = [each for each in _findings(changed, scenario) if _SLIP in each.message]
            assert not slips, (fields, slips)


probes = st.dictionaries(
    st.sampled_from(["access", "dns", "tools", "dry_run_issuer"]),
    st.one_of(
        absurd, st.lists(st.dictionaries(st.sampled_from(["verb", "name", "allowed", "addresses"]), absurd), max_size=3)
    ),
)


@settings(max_examples=100, deadline=None)
@given(probes)
def test_absurd_probes_are_judged_or_unknown(tried: dict[str, Any]) -> None:
    objects, scenario = OBJECTS["EKS 1.31"]
    for finding in _findings(objects, scenario, probes=tried):
        assert _SLIP not in finding.message, (finding.code, finding.message)


def test_a_cluster_without_anything_is_not_ready() -> None:
    found = judge(facts(), asked(), only=["MAAS-1"])
    assert any(each.status is Status.failed for each in found)
    assert not [each for each in found if _SLIP in each.message]
