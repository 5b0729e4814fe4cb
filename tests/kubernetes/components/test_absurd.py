"""Absurd objects: a verdict or "unknown", and never a stumble."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import ALL
from maas.readiness.findings import Status
from maas.readiness.judging import judge
from tests.kubernetes.components.making import (
    AFTER,
    BEFORE,
    ON_OPENSHIFT,
    WITH_GPU,
    csv,
    deployment,
    object_of,
    openshift,
    subscription,
)
from tests.kubernetes.offline import facts

_NAMES = st.sampled_from(
    [
        "cert-manager", "istiod", "gpu-operator", "kserve-controller-manager", "kuadrant-operator-controller-manager",
        "version", "ingress", "cluster", "default", "inferenceservice-config", "rhods-operator.2.16.0", "nfd", "",
        "gatewayclasses.gateway.networking.k8s.io", "authorino", "openshift-gateway",
    ]
)  # fmt: skip
_KEYS = st.sampled_from(
    [
        "metadata", "spec", "status", "name", "namespace", "labels", "annotations", "conditions", "type", "reason",
        "message", "phase", "state", "components", "kserve", "managementState", "data", "deploy", "webhooks", "rules",
        "clientConfig", "service", "template", "containers", "image", "env", "value", "replicas", "history", "version",
        "clusterServiceVersionNames", "installedCSV", "source", "endpoints", "generation", "connectionState",
        "controllerName", "ownerReferences", "apiGroups", "requirementStatus", "releases", "serving", "allocatable",
    ]
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), _NAMES,
    st.sampled_from(["True", "False", "Ready", "v1.2.3", "RequiresApproval", "Managed", "[" * 3000]),
)  # fmt: skip
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_KEYS, st.integers()), inner, max_size=5)
    ),
    max_leaves=15,
)
_OBJECTS = st.dictionaries(_KEYS, _JSON, max_size=5)
_NAMED = st.builds(
    lambda body, name, where: {**body, "metadata": {"name": name, "namespace": where}}, _OBJECTS, _NAMES, _NAMES
)
_KINDS = st.sampled_from([kind.key for kind in ALL])
_ASKED = (BEFORE, AFTER, ON_OPENSHIFT, WITH_GPU)


def _no_stumble(facts: Facts) -> None:
    for asked in _ASKED:
        for finding in judge(facts, asked, only=["MAAS-2"]):
            assert "should not happen" not in finding.message, finding
            assert finding.status in Status


def _with(lists: Mapping[str, Any]) -> Facts:
    served = facts(serves=ALL)
    return replace(served, lists={**served.lists, **lists})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([kind.key for kind in ALL]), st.lists(st.one_of(_NAMED, _OBJECTS), max_size=3), max_size=12
    )
)
def test_absurd_objects_never_break_a_check(lists: dict[str, list[Any]]) -> None:
    _no_stumble(_with(lists))


_SANE = [
    deployment("cert-manager", "cert-manager", "quay.io/jetstack/cert-manager-controller:v1.21.1"),
    deployment("istiod", "istio-system"),
    deployment("kserve-controller-manager", "kserve"),
    deployment("kuadrant-operator-controller-manager", "kuadrant-system"),
    deployment("gpu-operator", "gpu-operator"),
    openshift("4.16.0"),
    subscription("rhods-operator", "redhat-ods-operator", csv="rhods-operator.2.16.0"),
    csv("rhods-operator.2.16.0", "redhat-ods-operator"),
    object_of(
        "datasciencecluster.opendatahub.io/v1",
        "DataScienceCluster",
        "default-dsc",
        spec={"components": {"kserve": {"managementState": "Managed", "serving": {"managementState": "Managed"}}}},
        status={"phase": "Ready", "conditions": [{"type": "Ready", "status": "True"}]},
    ),
    object_of("nvidia.com/v1", "ClusterPolicy", "gpu-cluster-policy", status={"state": "ready", "conditions": []}),
    object_of("kuadrant.io/v1beta1", "Kuadrant", "kuadrant", "kuadrant-system", status={"conditions": []}),
    object_of("v1", "ConfigMap", "inferenceservice-config", "kserve", data={"deploy": "{}", "service": "{}"}),
]


def _paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, each in inside for path in ((*before, key), *_paths(each, (*before, key)))]


def _put(value: Any, path: tuple[Any, ...], absurd: Any) -> Any:
    if not path:
        return absurd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], absurd)
    return copy


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_one_absurd_field_of_a_sane_object_never_breaks_a_check(data: st.DataObject) -> None:
    objects: list[Any] = list(_SANE)
    which = data.draw(st.integers(0, len(objects) - 1))
    paths = [path for path in _paths(objects[which]) if path[0] not in ("apiVersion", "kind")]
    objects[which] = _put(objects[which], data.draw(st.sampled_from(paths)), data.draw(_JSON))
    _no_stumble(facts(*objects))
