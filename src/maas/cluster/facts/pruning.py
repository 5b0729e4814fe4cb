"""What is kept of each object that was read, live or from a snapshot: so both give the same facts.

managedFields and the last-applied annotation are most of an object and say nothing. Values of Secrets are needed only
to tell equal ones and empty ones: they become digests here, at reading, so no key is ever in Facts. Of a thousand
nodes' 20 000 pods nearly all are somebody else's and well: of those is kept what fills nodes and what NetworkPolicies
and Services select by. A pod is judged by itself alone (namespace, labels, resources, status), never by other objects,
and pruning what was pruned changes nothing.
"""

from collections.abc import Callable, Mapping
from sys import intern
from typing import Any

from maas.cluster.facts.redaction import without_values
from maas.cluster.kinds import ENDPOINT_SLICE, NODE, POD, SECRET, Body, Kind
from maas.cluster.objects import Object, items, mapping, text

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Namespaces of the stack and those that its models usually live in.
_OURS = (
    "kuadrant", "kserve", "gpu", "nvidia", "nfd", "istio", "servicemesh", "service-mesh", "cert-manager", "knative",
    "serverless", "ingress", "gateway", "opendatahub", "redhat-ods", "rhoai", "openshift-operators", "llm", "maas",
    "model", "kube-system", "olm",
)  # fmt: skip
_LABELS_OF_OURS = (
    "serving.kserve.io/", "gateway.networking.k8s.io/", "kuadrant.io/", "sidecar.istio.io/",
    "app.kubernetes.io/part-of=maas",
    "app.kubernetes.io/part-of=llminferenceservice", "kserve.io/",
)  # fmt: skip
_POD_SPEC = frozenset(
    {
        "nodeName", "containers", "initContainers", "ephemeralContainers", "volumes", "tolerations", "nodeSelector",
        "affinity", "priority", "priorityClassName", "securityContext", "runtimeClassName", "serviceAccountName",
        "hostNetwork", "hostPID", "hostIPC", "overhead", "resources", "restartPolicy", "schedulerName",
        "schedulingGates", "imagePullSecrets", "topologySpreadConstraints", "terminationGracePeriodSeconds",
    }
)  # fmt: skip
_CONTAINER_OF_NO_USE = frozenset({"terminationMessagePath", "terminationMessagePolicy"})


def pruned(kind: Kind, object: Object) -> Object:
    """The parts that checks may ask for; absurd parts of them as they are. Never raises."""
    if kind.body is Body.metadata:
        object = {key: value for key, value in object.items() if key in ("apiVersion", "kind", "metadata")}
    special = _OF.get(kind.key.partition("@")[0])
    return special(object) if special else _without_noise(object)


def _without_noise(object: Object) -> Object:
    metadata = object.get("metadata")
    return {**object, "metadata": _metadata(metadata)} if isinstance(metadata, Mapping) else object


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key not in ("managedFields", "selfLink")}
    annotations = kept.get("annotations")
    if isinstance(annotations, Mapping) and _LAST_APPLIED in annotations:
        kept["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    return kept


def _secret(object: Object) -> Object:
    return without_values(_without_noise(object))


def _node(object: Object) -> Object:
    """Nodes list up to fifty images each, which nobody asks for."""
    status = object.get("status")
    if not isinstance(status, Mapping):
        return _without_noise(object)
    unused = ("images", "volumesInUse", "volumesAttached")
    return _without_noise({**object, "status": {key: value for key, value in status.items() if key not in unused}})


def _endpoint_slice(object: Object) -> Object:
    """Of each endpoint, whether it is ready; of a slice, how many addresses, not each one's zone and node."""
    endpoints = object.get("endpoints")
    if not isinstance(endpoints, list):
        return _without_noise(object)
    kept = [_endpoint(each) if isinstance(each, Mapping) else each for each in endpoints]
    return _without_noise({**object, "endpoints": kept})


def _endpoint(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in endpoint.items() if key in ("addresses", "conditions", "targetRef")}


def _pod(pod: Object) -> Object:
    return _whole_pod(pod) if _matters(pod) else _slim_pod(pod)


def _matters(pod: Object) -> bool:
    namespace = text(pod, "metadata", "namespace")
    if any(part in namespace for part in _OURS):
        return True
    labels = mapping(pod, "metadata", "labels")
    if any(f"{key}={labels[key]}".startswith(_LABELS_OF_OURS) for key in labels):
        return True
    return _asks_for_devices(pod) or not _is_well(pod)


def _asks_for_devices(pod: Object) -> bool:
    """nvidia.com/gpu and the like: only extended resources have a slash in their names."""
    return any(
        "/" in str(resource)
        for container in items(pod, "spec", "containers")
        for resource in mapping(container, "resources", "requests")
    )


def _is_well(pod: Object) -> bool:
    phase = text(pod, "status", "phase")
    if phase == "Succeeded":
        return True
    statuses = items(pod, "status", "containerStatuses")
    return phase == "Running" and all(status.get("ready") is True for status in statuses)


def _whole_pod(pod: Object) -> Object:
    kept = dict(_without_noise(pod))
    spec = pod.get("spec")
    if isinstance(spec, Mapping):
        kept["spec"] = {key: _of_spec(key, value) for key, value in spec.items() if key in _POD_SPEC}
    return kept


def _of_spec(key: str, value: Any) -> Any:
    if key in ("containers", "initContainers") and isinstance(value, list):
        return [_container(each) if isinstance(each, Mapping) else each for each in value]
    return value


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in container.items() if key not in _CONTAINER_OF_NO_USE}


def _slim_pod(pod: Object) -> Object:
    metadata, spec, status = mapping(pod, "metadata"), mapping(pod, "spec"), mapping(pod, "status")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _some(metadata, ("name", "namespace", "labels")),
        "spec": _slim_spec(spec),
        "status": _slim_status(status),
    }


def _slim_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    kept = _some(spec, ("nodeName", "overhead", "resources", "hostNetwork"))
    if context := spec.get("securityContext"):
        kept["securityContext"] = context
    for key in ("containers", "initContainers"):
        if key in spec:
            kept[key] = [_slim_container(each) for each in items(spec, key)]
    return kept


def _slim_container(container: Mapping[str, Any]) -> dict[str, Any]:
    kept = _some(container, ("name", "image", "restartPolicy"))
    if requests := mapping(container, "resources", "requests"):
        kept["resources"] = {"requests": _shared(requests)}
    if context := container.get("securityContext"):
        kept["securityContext"] = context
    if ports := [port for port in items(container, "ports") if "hostPort" in port]:
        kept["ports"] = ports
    return kept


def _slim_status(status: Mapping[str, Any]) -> dict[str, Any]:
    kept = _some(status, ("phase",))
    if "containerStatuses" in status:
        kept["containerStatuses"] = [_slim_state(each) for each in items(status, "containerStatuses")]
    return kept


def _slim_state(status: Mapping[str, Any]) -> dict[str, Any]:
    kept = _some(status, ("name", "ready", "restartCount"))
    return {**kept, "lastState": status["lastState"]} if status.get("lastState") else kept


def _some(found: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: _shared(found[key]) for key in keys if key in found}


def _shared(value: Any) -> Any:
    """The same names of nodes, namespaces and images come thousands of times: one string each."""
    if isinstance(value, str):
        return intern(value)
    if isinstance(value, Mapping):
        return {key: _shared(each) for key, each in value.items()}
    return value


_OF: Mapping[str, Callable[[Object], Object]] = {
    POD.key: _pod,
    NODE.key: _node,
    SECRET.key: _secret,
    ENDPOINT_SLICE.key: _endpoint_slice,
}
