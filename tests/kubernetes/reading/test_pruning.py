"""What is kept of an object, and that no key ever is."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.demand import of_pod
from maas.cluster.facts.pruning import pruned
from maas.cluster.kinds import ALL, CRD, DEPLOYMENT, ENDPOINT_SLICE, NODE, POD, SECRET

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def noisy(**fields: Any) -> dict[str, Any]:
    metadata = {
        "name": "x",
        "namespace": "team",
        "labels": {"app": "x"},
        "annotations": {LAST: "{}", "mine": "1"},
        "managedFields": [{"manager": "kubectl"}],
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"apiVersion": "v1", "kind": "X", "metadata": metadata, **fields}


def busy_pod(**changes: Any) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "app:1",
        "env": [{"name": "A", "value": "b"}],
        "args": ["--x"],
        "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {"runAsNonRoot": True},
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    spec = {
        "nodeName": "n1",
        "containers": [container],
        "initContainers": [{**container, "restartPolicy": "Always"}],
        "overhead": {"cpu": "10m"},
        "volumes": [{"name": "v", "emptyDir": {}}],
        "tolerations": [{"key": "nvidia.com/gpu"}],
    }
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "main", "ready": True, "restartCount": 0, "imageID": "sha256:abc"}],
    }
    pod = noisy(spec=spec, status=status)
    for path, value in changes.items():
        at: Any = pod
        *way, last = path.split("__")
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = value
    return pod


def is_whole(pod: dict[str, Any]) -> bool:
    kept = pruned(POD, pod)
    return "env" in kept["spec"]["containers"][0] and "conditions" in kept["status"]


def test_noise_is_dropped_and_the_rest_stays() -> None:
    kept = pruned(DEPLOYMENT, noisy(spec={"replicas": 1}))
    assert kept["metadata"]["annotations"] == {"mine": "1"}
    assert "managedFields" not in kept["metadata"]
    assert kept["metadata"]["creationTimestamp"] and kept["spec"] == {"replicas": 1}


def test_of_definitions_the_metadata_is_kept_whichever_way_they_came() -> None:
    assert set(pruned(CRD, noisy(spec={"versions": []}, status={}))) == {"apiVersion", "kind", "metadata"}


def test_secrets_keep_whether_values_are_equal_and_nothing_of_them() -> None:
    def secret(**data: str) -> Any:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        last = json.dumps({"data": encoded})
        object = noisy(data=encoded)
        object["metadata"]["annotations"][LAST] = last
        return pruned(SECRET, object)

    one, same, other = secret(api_key="canary-1"), secret(api_key="canary-1"), secret(api_key="canary-2", empty="")
    assert one["data"]["api_key"] == same["data"]["api_key"] != other["data"]["api_key"]
    assert other["data"]["empty"] == ""
    for found in (one, same, other):
        assert "canary" not in json.dumps(found)
        assert base64.b64encode(b"canary-1").decode() not in json.dumps(found)


def test_a_plain_value_in_stringData_equals_the_stored_one() -> None:
    stored = pruned(SECRET, noisy(data={"api_key": base64.b64encode(b"abc").decode()}))
    written = pruned(SECRET, noisy(stringData={"api_key": "abc"}))
    assert stored["data"] == written["data"]


def test_nodes_lose_their_images_only() -> None:
    kept = pruned(NODE, noisy(status={"images": [1] * 50, "allocatable": {"cpu": "4"}, "conditions": []}))
    assert set(kept["status"]) == {"allocatable", "conditions"}


def test_endpoints_keep_whether_they_are_ready() -> None:
    endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "nodeName": "n", "zone": "z"}
    kept = pruned(ENDPOINT_SLICE, noisy(endpoints=[endpoint, "absurd"], ports=[{"port": 1}]))
    assert kept["endpoints"] == [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}, "absurd"]
    assert kept["ports"] == [{"port": 1}]


def test_of_somebody_elses_healthy_pod_little_is_kept() -> None:
    kept = pruned(POD, busy_pod())
    assert len(json.dumps(kept)) < len(json.dumps(busy_pod())) * 0.7
    assert kept["metadata"] == {"name": "x", "namespace": "team", "labels": {"app": "x"}}
    assert kept["spec"]["nodeName"] == "n1"
    assert kept["spec"]["containers"][0]["securityContext"] == {"runAsNonRoot": True}
    assert not is_whole(busy_pod())


def test_what_a_pod_requests_is_the_same_after_it() -> None:
    assert of_pod(pruned(POD, busy_pod())) == of_pod(busy_pod()) != {}


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata__namespace": "kuadrant-system"},
        {"metadata__namespace": "llm"},
        {"metadata__namespace": "nvidia-gpu-operator"},
        {"metadata__labels": {"serving.kserve.io/inferenceservice": "m"}},
        {"metadata__labels": {"gateway.networking.k8s.io/gateway-name": "g"}},
        {"metadata__labels": {"app.kubernetes.io/part-of": "llminferenceservice"}},
        {"metadata__labels": {"app.kubernetes.io/part-of": "maas"}},
        {"spec__containers__0__resources": {"requests": {"nvidia.com/gpu": "1"}}},
        {"status__phase": "Pending"},
        {"status__phase": "Failed"},
        {"status__containerStatuses__0__ready": False},
    ],
)
def test_pods_of_the_platform_and_pods_in_trouble_are_kept(changes: dict[str, Any]) -> None:
    pod = busy_pod(**changes)
    assert is_whole(pod)
    kept = pruned(POD, pod)
    assert kept["spec"]["tolerations"] and kept["spec"]["volumes"] and kept["metadata"]["creationTimestamp"]
    assert kept["status"] == pod["status"]
    assert "managedFields" not in kept["metadata"]


def test_why_a_healthy_pod_restarted_is_kept() -> None:
    ended = {"terminated": {"reason": "OOMKilled"}}
    status = {"name": "main", "ready": True, "restartCount": 3, "lastState": ended}
    kept = pruned(POD, busy_pod(status__containerStatuses=[status]))
    assert kept["status"]["containerStatuses"] == [status]


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ABSURD = st.fixed_dictionaries(
    {},
    optional={
        "metadata": JSON
        | st.fixed_dictionaries({}, optional={"annotations": JSON, "labels": JSON, "namespace": JSON, "name": JSON}),
        "spec": JSON | st.fixed_dictionaries({}, optional={"containers": JSON, "nodeName": JSON, "overhead": JSON}),
        "status": JSON | st.fixed_dictionaries({}, optional={"containerStatuses": JSON, "phase": JSON}),
        "data": JSON,
        "stringData": JSON,
        "endpoints": JSON,
    },
)


@given(kind=st.sampled_from(ALL), object=ABSURD)
def test_absurd_objects_pass_and_pruning_twice_is_pruning_once(kind: Any, object: dict[str, Any]) -> None:
    once = pruned(kind, object)
    assert pruned(kind, once) == once


@given(changes=st.sampled_from(["Running", "Succeeded", "Pending", ""]), namespace=st.sampled_from(["a", "llm"]))
def test_pruning_pods_twice_is_pruning_once(changes: str, namespace: str) -> None:
    once = pruned(POD, busy_pod(status__phase=changes, metadata__namespace=namespace))
    assert pruned(POD, once) == once
