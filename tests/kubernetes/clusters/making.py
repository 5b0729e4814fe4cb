"""Objects as a healthy cluster holds them, statuses and all: the words in which clusters are described.

Each is plain JSON, made by a pure function, and taken by a real API server as it is (live/test_same_verdict.py).
What a server would fill in itself is written where a check may look at it, so that the same objects are good offline.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]
Labels = Mapping[str, str]
SINCE = "2026-09-20T06:00:00Z"  # a day before the clock of the offline tests
SEEN = {"observedGeneration": 1}


def made(
    api_version: str,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: Labels | None = None,
    annotations: Labels | None = None,
    **fields: Any,
) -> Object:
    metadata: Object = {"name": name, "generation": 1, "creationTimestamp": SINCE}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {"labels": dict(labels)} if labels else {}
    metadata |= {"annotations": dict(annotations)} if annotations else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def condition(type: str, status: bool | str = True, reason: str = "", message: str = "", **more: Any) -> Object:
    text = status if isinstance(status, str) else str(status)
    return {
        "type": type,
        "status": text,
        "reason": reason or type,
        "message": message,
        "lastTransitionTime": SINCE,
    } | more


def current(type: str, status: bool | str = True, reason: str = "", message: str = "") -> Object:
    """A condition that says that it speaks of the newest spec."""
    return condition(type, status, reason, message, **SEEN)


def namespace(name: str, **labels: str) -> Object:
    wanted = {"kubernetes.io/metadata.name": name} | {key.replace("__", "/"): value for key, value in labels.items()}
    return made("v1", "Namespace", name, labels=wanted, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"})


def labelled_namespace(name: str, labels: Labels) -> Object:
    return namespace(name) | {
        "metadata": {**namespace(name)["metadata"], "labels": {"kubernetes.io/metadata.name": name, **labels}}
    }


def container(
    name: str,
    image: str,
    *,
    cpu: str = "100m",
    memory: str = "128Mi",
    limits: Labels | None = None,
    **fields: Any,
) -> Object:
    """Under the restricted security standard, unless `fields` say otherwise."""
    gpu = {key: value for key, value in (limits or {}).items() if key.startswith("nvidia.com/")}
    return {
        "name": name,
        "image": image,
        "resources": {"requests": {"cpu": cpu, "memory": memory, **gpu}} | ({"limits": dict(limits)} if limits else {}),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **fields,
    }


def pod_spec(*containers: Object, **fields: Any) -> Object:
    return {
        "containers": list(containers),
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        **fields,
    }


def pod(name: str, namespace: str, spec: Object, node: str, *, labels: Labels, owner: Object | None = None) -> Object:
    """A running one."""
    result = made("v1", "Pod", name, namespace, labels=labels)
    if owner:
        result["metadata"]["ownerReferences"] = [owner]
    result["spec"] = {**spec, "nodeName": node}
    result["status"] = {
        "phase": "Running",
        "startTime": SINCE,
        "conditions": [
            _pod_condition(type)
            for type in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "containerStatuses": [_running(each) for each in spec["containers"]],
    }
    if inits := spec.get("initContainers"):
        result["status"]["initContainerStatuses"] = [_finished(each) for each in inits]
    return result


def _pod_condition(type: str) -> Object:
    return {"type": type, "status": "True", "lastTransitionTime": SINCE}


def _running(container: Object) -> Object:
    return _container_status(container) | {"ready": True, "started": True, "state": {"running": {"startedAt": SINCE}}}


def _finished(container: Object) -> Object:
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": SINCE, "finishedAt": SINCE}
    return _container_status(container) | {"ready": True, "started": False, "state": {"terminated": ended}}


def _container_status(container: Object) -> Object:
    image = container["image"]
    digest = f"{image.partition(':')[0]}@sha256:{zlib.crc32(image.encode()):064x}"
    return {"name": container["name"], "image": image, "imageID": digest, "restartCount": 0}


def deployment(
    name: str,
    namespace: str,
    spec: Object,
    node: str = "",
    *,
    labels: Labels | None = None,
    pod_labels: Labels | None = None,
    **fields: Any,
) -> list[Object]:
    """With its one pod, which runs on that node; no pod if there is none."""
    selector = {"app": name} | dict(labels or {})
    chosen = selector | dict(pod_labels or {})
    counts = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    template = {"metadata": {"labels": chosen}, "spec": spec}
    object = made("apps/v1", "Deployment", name, namespace, labels=selector)
    object["spec"] = {"replicas": 1, "selector": {"matchLabels": selector}, "template": template, **fields}
    object["status"] = {
        **SEEN,
        **counts,
        "conditions": [
            condition("Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability."),
            condition("Progressing", True, "NewReplicaSetAvailable", "has successfully progressed."),
        ],
    }
    if not node:
        return [object]
    hash = f"{zlib.crc32(f'{namespace}/{name}'.encode()):08x}"
    owner = _owner("ReplicaSet", f"{name}-{hash}")
    running = pod(
        f"{name}-{hash}-x7k2p", namespace, spec, node, labels={**chosen, "pod-template-hash": hash}, owner=owner
    )
    return [object, running]


def daemon_set(name: str, namespace: str, spec: Object, nodes: Sequence[str]) -> list[Object]:
    """With a running pod on each node."""
    labels, count = {"app": name}, len(nodes)
    object = made("apps/v1", "DaemonSet", name, namespace, labels=labels)
    object["spec"] = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": spec},
    }
    object["status"] = {
        **SEEN,
        "numberMisscheduled": 0,
        **dict.fromkeys(("currentNumberScheduled", "desiredNumberScheduled", "numberReady"), count),
        **dict.fromkeys(("numberAvailable", "updatedNumberScheduled"), count),
    }
    owner = _owner("DaemonSet", name)
    return [
        object,
        *(
            pod(f"{name}-{zlib.crc32(node.encode()):05x}"[:60], namespace, spec, node, labels=labels, owner=owner)
            for node in nodes
        ),
    ]


def _owner(kind: str, name: str) -> Object:
    uid = f"00000000-0000-4000-8000-{zlib.crc32(name.encode()):012x}"
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": True}


def service(
    name: str,
    namespace: str,
    ports: Mapping[str, tuple[int, int]],
    selector: Labels,
    *,
    labels: Labels | None = None,
    headless: bool = False,
    load_balancer: str = "",
) -> list[Object]:
    """With an endpoint behind it. ports: name to port and the container's. load_balancer: its address."""
    address = "None" if headless else cluster_ip(f"{namespace}/{name}")
    object = made("v1", "Service", name, namespace, labels=labels)
    object["spec"] = {
        "type": "LoadBalancer" if load_balancer else "ClusterIP",
        "clusterIP": address,
        "selector": dict(selector),
        "ports": [
            {"name": key, "port": port, "targetPort": target, "protocol": "TCP"}
            for key, (port, target) in ports.items()
        ],
    }
    if load_balancer:
        field = "ip" if load_balancer.replace(".", "").isdigit() else "hostname"
        object["status"] = {"loadBalancer": {"ingress": [{field: load_balancer}]}}
    return [object, _endpoints(name, namespace, ports)]


def _endpoints(name: str, namespace: str, ports: Mapping[str, tuple[int, int]]) -> Object:
    return made(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        f"{name}-abcde",
        namespace,
        labels={"kubernetes.io/service-name": name},
        addressType="IPv4",
        endpoints=[
            {
                "addresses": [f"10.129.{zlib.crc32(name.encode()) % 200}.7"],
                "conditions": {"ready": True, "serving": True, "terminating": False},
            }
        ],
        ports=[{"name": key, "port": target, "protocol": "TCP"} for key, (_, target) in ports.items()],
    )


def cluster_ip(of: str) -> str:
    """Always the same for the same Service, from the range of the test cluster."""
    number = zlib.crc32(of.encode()) % 60000 + 2000
    return f"10.0.{number // 256}.{number % 256}"


def event(kind: str, name: str, namespace: str, reason: str, message: str, *, type: str = "Warning") -> Object:
    involved = {"kind": kind, "name": name, "namespace": namespace}
    return made(
        "v1",
        "Event",
        f"{name}.{zlib.crc32((reason + message).encode()):016x}",
        namespace or "default",
        involvedObject=involved,
        reason=reason,
        message=message,
        type=type,
        count=3,
        firstTimestamp=SINCE,
        lastTimestamp="2026-09-20T23:50:00Z",
        source={"component": "test"},
    )
