"""What MaaS leaves in a cluster: gateway, routes, policies, keys and models, all working.

Shapes and reasons: kuadrant-operator v1.5.2 (policies' statuses), Gateway API v1.5.1, KServe v0.20.0 in Standard mode.
"""

import base64
import zlib

from tests.kubernetes.clusters.making import (
    SEEN,
    SINCE,
    Object,
    condition,
    container,
    current,
    deployment,
    event,
    labelled_namespace,
    made,
    pod_spec,
    service,
)

OURS = {"app.kubernetes.io/part-of": "maas"}
LLM, GATEWAY = "llm", "maas-gateway"
_GATEWAY_API = "gateway.networking.k8s.io"
_TARGET = {"group": _GATEWAY_API, "kind": "Gateway", "name": GATEWAY}
_POLICIES = ("AuthPolicy", "RateLimitPolicy", "TokenRateLimitPolicy")


def installed(
    gateway_class: str, controller: str, on: str, *, domain: str, gpu_node: str = "", address: str = "203.0.113.7"
) -> list[Object]:
    """With the simulator, and Qwen3 if there is a node with a GPU for it."""
    models = simulator(on) + (qwen3(gpu_node) if gpu_node else [])
    names = ["simulator"] + (["qwen3-0-6b"] if gpu_node else [])
    return [
        labelled_namespace(LLM, OURS),
        *gateway(gateway_class, on, domain, address, routes=len(names)),
        *certificates(domain),
        *(http_route(name, domain, controller) for name in names),
        auth_policy(),
        *limits(),
        *(key(name, tier) for name, tier in (("alice", "free"), ("bob", "premium"), ("carol", "free"))),
        *models,
        only_through_the_gateway(),
        event("Pod", "some-pod", LLM, "FailedScheduling", "0/5 nodes are available: a moment ago, not any more"),
    ]


def gateway(gateway_class: str, on: str, domain: str, address: str, *, routes: int) -> list[Object]:
    name = f"{GATEWAY}-{gateway_class}"
    labels = {f"{_GATEWAY_API}/gateway-name": GATEWAY}
    spec = pod_spec(container("istio-proxy", "docker.io/istio/proxyv2:1.30.3", cpu="100m", memory="128Mi"))
    kind = "ip" if address.replace(".", "").isdigit() else "hostname"
    affected = [current(f"kuadrant.io/{policy}Affected", True, "Accepted") for policy in _POLICIES]
    return [
        made(
            f"{_GATEWAY_API}/v1",
            "Gateway",
            GATEWAY,
            LLM,
            labels=OURS,
            spec={
                "gatewayClassName": gateway_class,
                "listeners": [
                    _listener("http", 80, "HTTP", domain),
                    _listener("https", 443, "HTTPS", domain, tls={"mode": "Terminate", "certificateRefs": [_SECRET]}),
                ],
            },
            status={
                "addresses": [{"type": "IPAddress" if kind == "ip" else "Hostname", "value": address}],
                "conditions": [
                    current("Accepted", True, "Accepted", "Resource accepted"),
                    current("Programmed", True, "Programmed", f"Resource programmed, assigned to service(s) {name}"),
                    *affected,
                ],
                "listeners": [_listening("http", routes), _listening("https", routes)],
            },
        ),
        *deployment(name, LLM, spec, on, labels=labels),
        *service(name, LLM, {"http": (80, 80), "https": (443, 443)}, labels, load_balancer=address, labels=labels),
    ]


_SECRET = {"group": "", "kind": "Secret", "name": "maas-gateway-tls"}


def _listener(name: str, port: int, protocol: str, domain: str, **more: object) -> Object:
    allowed = {"namespaces": {"from": "All"}}
    return {
        "name": name,
        "port": port,
        "protocol": protocol,
        "hostname": f"*.{domain}",
        "allowedRoutes": allowed,
        **more,
    }


def _listening(name: str, routes: int) -> Object:
    return {
        "name": name,
        "attachedRoutes": routes,
        "supportedKinds": [{"group": _GATEWAY_API, "kind": kind} for kind in ("HTTPRoute", "GRPCRoute")],
        "conditions": [
            current("Accepted", True, "Accepted"),
            current("Conflicted", False, "NoConflicts"),
            current("Programmed", True, "Programmed"),
            current("ResolvedRefs", True, "ResolvedRefs"),
        ],
    }


def certificates(domain: str) -> list[Object]:
    issuer = {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "selfsigned"}
    return [
        made(
            "kuadrant.io/v1",
            "TLSPolicy",
            "maas-tls",
            LLM,
            labels=OURS,
            spec={"targetRef": _TARGET, "issuerRef": issuer},
            status=_enforced("TLSPolicy"),
        ),
        made(
            "cert-manager.io/v1",
            "Certificate",
            "maas-gateway-tls",
            LLM,
            spec={"secretName": "maas-gateway-tls", "dnsNames": [f"*.{domain}"], "issuerRef": issuer},
            status={
                "conditions": [current("Ready", True, "Ready", "Certificate is up to date and has not expired")],
                "notBefore": SINCE,
                "notAfter": "2027-09-20T06:00:00Z",
                "renewalTime": "2027-08-20T06:00:00Z",
                "revision": 1,
            },
        ),
    ]


def http_route(name: str, domain: str, controller: str) -> Object:
    parent = {"group": _GATEWAY_API, "kind": "Gateway", "name": GATEWAY, "namespace": LLM}
    good = [current("Accepted", True, "Accepted"), current("ResolvedRefs", True, "ResolvedRefs")]
    return made(
        f"{_GATEWAY_API}/v1",
        "HTTPRoute",
        name,
        LLM,
        labels=OURS,
        spec={
            "parentRefs": [parent],
            "hostnames": [f"{name}.{domain}"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}],
                    "backendRefs": [
                        {"group": "", "kind": "Service", "name": f"{name}-predictor", "port": 80, "weight": 1}
                    ],
                    "timeouts": {"request": "300s"},
                }
            ],
        },
        status={"parents": [{"parentRef": parent, "controllerName": controller, "conditions": good}]},
    )


def auth_policy() -> Object:
    read = {
        "groups": {"selector": r"auth.identity.metadata.annotations.kuadrant\.io/groups"},
        "userid": {"selector": r"auth.identity.metadata.annotations.secret\.kuadrant\.io/user-id"},
    }
    rego = (
        'groups := split(object.get(input.auth.identity.metadata.annotations, "kuadrant.io/groups", ""), ",")\n'
        'allow { groups[_] == "free" }\nallow { groups[_] == "premium" }\n'
    )
    return made(
        "kuadrant.io/v1",
        "AuthPolicy",
        "maas-auth",
        LLM,
        labels=OURS,
        spec={
            "targetRef": _TARGET,
            "rules": {
                "authentication": {
                    "api-key-users": {
                        "apiKey": {"allNamespaces": True, "selector": {"matchLabels": {"app": "maas"}}},
                        "credentials": {"authorizationHeader": {"prefix": "APIKEY"}},
                    }
                },
                "authorization": {"allow-groups": {"opa": {"rego": rego}}},
                "response": {"success": {"filters": {"identity": {"json": {"properties": read}}}}},
            },
        },
        status=_enforced("AuthPolicy"),
    )


def limits() -> list[Object]:
    requests = {"free": [{"limit": 5, "window": "2m"}], "premium": [{"limit": 20, "window": "2m"}]}
    tokens = {"free": [{"limit": 20000, "window": "24h"}], "premium": [{"limit": 200000, "window": "24h"}]}
    return [
        _limit_policy("kuadrant.io/v1", "RateLimitPolicy", "maas-requests", requests),
        _limit_policy("kuadrant.io/v1alpha1", "TokenRateLimitPolicy", "maas-tokens", tokens),
    ]


def _limit_policy(version: str, kind: str, name: str, tiers: dict[str, list[Object]]) -> Object:
    limits = {
        tier: {
            "rates": rates,
            "when": [{"predicate": f'auth.identity.groups.split(",").exists(g, g == "{tier}")'}],
            "counters": [{"expression": "auth.identity.userid"}],
        }
        for tier, rates in tiers.items()
    }
    spec = {"targetRef": _TARGET, "limits": limits}
    return made(version, kind, name, LLM, labels=OURS, spec=spec, status=_enforced(kind))


def _enforced(kind: str) -> Object:
    return {
        **SEEN,
        "conditions": [
            condition("Accepted", True, "Accepted", f"{kind} has been accepted"),
            condition("Enforced", True, "Enforced", f"{kind} has been successfully enforced"),
        ],
    }


def only_through_the_gateway() -> Object:
    """Nobody else in the cluster reaches a model, except for its metrics."""
    gateway = {"podSelector": {"matchLabels": {f"{_GATEWAY_API}/gateway-name": GATEWAY}}}
    monitoring = {"namespaceSelector": {"matchLabels": {"openshift.io/cluster-monitoring": "true"}}}
    return made(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "models-through-the-gateway",
        LLM,
        labels=OURS,
        spec={
            "podSelector": {"matchExpressions": [{"key": "serving.kserve.io/inferenceservice", "operator": "Exists"}]},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [gateway, monitoring], "ports": [{"port": 8080, "protocol": "TCP"}]}],
        },
    )


def key(user: str, tier: str) -> Object:
    """A Secret as Authorino watches it."""
    value = base64.b64encode(f"maas-{user}-{zlib.crc32(user.encode()):08x}".encode()).decode()
    return made(
        "v1",
        "Secret",
        f"maas-key-{user}",
        "kuadrant-system",
        labels={"authorino.kuadrant.io/managed-by": "authorino", "app": "maas", **OURS},
        annotations={"kuadrant.io/groups": tier, "secret.kuadrant.io/user-id": user},
        type="Opaque",
        data={"api_key": value},
    )


def simulator(on: str) -> list[Object]:
    serving = container(
        "kserve-container",
        "ghcr.io/llm-d/llm-d-inference-sim:v0.10.2",
        memory="256Mi",
        limits={"cpu": "1", "memory": "512Mi"},
        args=["--port=8080", "--model=simulator-model", "--mode=random", "--force-dummy-tokenizer"],
        ports=[{"containerPort": 8080, "protocol": "TCP"}],
        readinessProbe={"httpGet": {"path": "/health/ready", "port": 8080}},
    )
    return model("simulator", {"containers": [serving]}, on)


def qwen3(on: str) -> list[Object]:
    writable = ("HOME", "HF_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "XDG_CACHE_HOME")
    serving = container(
        "kserve-container",
        "vllm/vllm-openai:v0.10.2",
        cpu="2",
        memory="8Gi",
        limits={"cpu": "4", "memory": "12Gi", "nvidia.com/gpu": "1"},
        args=[
            *("--model=Qwen/Qwen3-0.6B", "--served-model-name=qwen3-0-6b", "--port=8080", "--dtype=float16"),
            *("--max-model-len=4096", "--gpu-memory-utilization=0.85", "--max-num-seqs=16", "--enforce-eager"),
            "--enable-force-include-usage",
        ],
        env=[{"name": name, "value": "/cache"} for name in writable],
        ports=[{"containerPort": 8080, "protocol": "TCP"}],
        volumeMounts=[{"name": "shm", "mountPath": "/dev/shm"}, {"name": "cache", "mountPath": "/cache"}],
        readinessProbe={"httpGet": {"path": "/health", "port": 8080}},
    )
    spec = {
        "containers": [serving],
        "nodeSelector": {"nvidia.com/gpu.present": "true"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "volumes": [
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
            {"name": "cache", "emptyDir": {"sizeLimit": "20Gi"}},
        ],
    }
    return model("qwen3-0-6b", spec, on, deploymentStrategy={"type": "Recreate"})


def model(name: str, spec: Object, on: str, **predictor: object) -> list[Object]:
    """An InferenceService that is ready, with what KServe makes of it."""
    host = f"http://{name}-predictor.{LLM}.svc.cluster.local"
    labels = {"serving.kserve.io/inferenceservice": name, "component": "predictor", "app": f"isvc.{name}-predictor"}
    pod = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}, **spec}
    return [
        made(
            "serving.kserve.io/v1beta1",
            "InferenceService",
            name,
            LLM,
            labels=OURS,
            annotations={"serving.kserve.io/deploymentMode": "Standard"},
            spec={"predictor": {"minReplicas": 1, "maxReplicas": 1, **predictor, **pod}},
            status={
                **SEEN,
                "conditions": [_ready(type) for type in ("IngressReady", "PredictorReady", "Ready")]
                + [_ready("Stopped") | {"status": "False"}],
                "deploymentMode": "Standard",
                "url": host,
                "address": {"url": host},
                "modelStatus": {
                    "transitionStatus": "UpToDate",
                    "states": {"activeModelState": "Loaded", "targetModelState": "Loaded"},
                    "copies": {"failedCopies": 0, "totalCopies": 1},
                },
            },
        ),
        *deployment(f"{name}-predictor", LLM, pod, on, labels=labels, progressDeadlineSeconds=3600),
        *service(f"{name}-predictor", LLM, {"http": (80, 8080)}, labels, labels=labels),
    ]


def _ready(type: str) -> Object:
    return {"type": type, "status": "True", "severity": "Info", "lastTransitionTime": SINCE}
