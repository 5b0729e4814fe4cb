"""What is copied: a node, its twenty pods, and what stands around them, in the sizes that real ones have."""

from collections.abc import Iterator

from tests.kubernetes.clusters.making import (
    SINCE,
    Object,
    container,
    deployment,
    labelled_namespace,
    made,
    pod,
    pod_spec,
)
from tests.kubernetes.clusters.nodes import A10G, node

PODS_PER_NODE, NAMESPACES = 20, 50
NODE, APP, NAMESPACE = "node-00000", "app-00000", "load-00"
POD_IP = "10.128.100.100"
GPU_NODE = "gpu--00000"  # as long as the other's
CRASHING = f"{APP}-7c9d8e-xx"
_IMAGE = f"registry.example.com/team/{APP}@sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"


def namespaces() -> list[Object]:
    return [labelled_namespace(f"load-{number:02}", {"team": f"team-{number:02}"}) for number in range(NAMESPACES)]


def all_templates() -> list[Object]:
    pods = list(_pods())
    return [
        *namespaces(),
        node(NODE, cpu=32, memory="128Gi"),
        node(GPU_NODE, cpu=32, memory="128Gi", gpu=A10G),
        *pods,
        *deployment(APP, NAMESPACE, _spec())[:1],
        *_service(),
    ]


def pod_name(slot: int) -> str:
    return f"{APP}-7c9d8e-{slot:02}"


def _pods() -> Iterator[Object]:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{APP}-7c9d8e", "controller": True}
    labels = {"app": APP, "pod-template-hash": "7c9d8e", "app.kubernetes.io/name": APP, "team": "shop"}
    for slot in range(PODS_PER_NODE):
        owned = {**owner, "uid": "11111111-1111-4111-8111-111111111111"}
        yield _addressed(pod(pod_name(slot), NAMESPACE, _spec(), NODE, labels=labels, owner=owned))
    yield _crashing(_addressed(pod(CRASHING, NAMESPACE, _spec(), NODE, labels=labels)))


def _spec() -> Object:
    env = [{"name": f"SETTING_{number}", "value": f"value-{number}"} for number in range(8)]
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10, "timeoutSeconds": 1}
    mounts = [{"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]
    app = container(
        "app",
        _IMAGE,
        cpu="500m",
        memory="2Gi",
        limits={"memory": "4Gi"},
        env=env,
        ports=[{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        livenessProbe=probe,
        readinessProbe=probe,
        volumeMounts=mounts,
    )
    sidecar = container("istio-proxy", "docker.io/istio/proxyv2:1.30.3", env=env, volumeMounts=mounts)
    return pod_spec(app, sidecar, volumes=[_api_access()], serviceAccountName="app")


def _api_access() -> Object:
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    return {"name": "kube-api-access", "projected": {"sources": sources, "defaultMode": 420}}


def _addressed(object: Object) -> Object:
    object["status"] |= {"podIP": POD_IP, "podIPs": [{"ip": POD_IP}], "hostIP": "10.1.0.10", "qosClass": "Burstable"}
    return object


def _crashing(object: Object) -> Object:
    ended = {"exitCode": 1, "reason": "Error", "startedAt": SINCE, "finishedAt": SINCE}
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=app"}
    first, *others = object["status"]["containerStatuses"]
    changed = {"ready": False, "started": False, "restartCount": 42, "state": {"waiting": waiting}}
    object["status"]["containerStatuses"] = [{**first, **changed, "lastState": {"terminated": ended}}, *others]
    for condition in object["status"]["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady"):
            condition |= {"status": "False", "reason": "ContainersNotReady"}
    return object


def _service() -> list[Object]:
    """Headless: a server that finds thousands of addresses nobody allocated is busy with repairing them."""
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "clusterIP": "None", "selector": {"app": APP}, "ports": ports}
    endpoints = [
        {
            "addresses": [f"10.128.100.{100 + slot}"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": NODE,
            "targetRef": {"kind": "Pod", "name": pod_name(slot), "namespace": NAMESPACE},
        }
        for slot in range(PODS_PER_NODE)
    ]
    slice = made(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        f"{APP}-abcde",
        NAMESPACE,
        labels={"kubernetes.io/service-name": APP},
        addressType="IPv4",
        endpoints=endpoints,
        ports=[{"name": "http", "port": 8080, "protocol": "TCP"}],
    )
    return [made("v1", "Service", APP, NAMESPACE, labels={"app": APP}, spec=spec), slice]
