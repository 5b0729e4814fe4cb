"""Who may talk to whom: models to nobody but the gateway, Authorino and Limitador to nobody but gateways.

Policies choose pods by what they are, never all of a namespace: others may have theirs there. The operator of Kuadrant
is left open, since gateways fetch its wasm module and its makers may add webhooks; so is what leaves the gateway, which
must reach istiod, Kuadrant, DNS and the models. Models take files of strangers: what they may reach is DNS and, where
they download by themselves, port 443.

Whoever reads metrics is let in to the port that has them. The models and Limitador serve them on the port of their API,
where a policy cannot tell one path from another: there, only pods that are Prometheus are let in, or are labelled.
"""

from collections.abc import Iterator, Sequence

from maas.cluster.plan.model import Apply, Step
from maas.cluster.reach import MONITORING
from maas.cluster.resources import external, names, services, weights
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, KUADRANT, Target, Wanted
from maas.domain.platform import Model

KEY = "network policies"
METRICS_LABEL = "maas.io/metrics"  # on a namespace: metrics are read from there; on a pod: it is the one that does
_PROMETHEUS = "app.kubernetes.io/name"  # "prometheus": of OpenShift's, of the Prometheus operator's and of its charts
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
_AUTHORINO, _LIMITADOR = 50051, 8081
_DNS = (53, 5353)  # Kubernetes' and OpenShift's
_HEALTH, _ENVOY_METRICS = 15021, (15020, 15090)


def steps(wanted: Wanted) -> list[Step]:
    return [
        Step(
            KEY,
            "network policies",
            "let only the gateway reach the models, and only gateways reach Authorino and Limitador",
            tuple(Apply(each) for each in policies(wanted)),
            needs=("namespaces", "kuadrant-operator", "kuadrant"),
            undo=f"kubectl delete networkpolicies -n {wanted.namespace} -l app.kubernetes.io/managed-by=maas",
            affects="pods that called models directly are cut off",
        )
    ]


def policies(wanted: Wanted) -> list[Body]:
    found = [*_of_gateway(wanted), *_of_models(wanted)]
    shared = {"kuadrant", "kuadrant-operator"} & wanted.site.theirs
    return found if shared else [*found, *_of_kuadrant(wanted)]


def _of_gateway(wanted: Wanted) -> Iterator[Body]:
    """On OpenShift it is behind the router: who came by another way would not come by TLS."""
    rules = [
        {**_from(*(_ROUTERS if wanted.site.target is Target.openshift else ())), "ports": _ports(80, 443)},
        {"ports": _ports(_HEALTH)},
        *_metrics(wanted, *_ENVOY_METRICS),
    ]
    yield _policy("maas-gateway", wanted.namespace, {"matchLabels": {_GATEWAY_NAME: GATEWAY}}, ingress=rules)


_ROUTERS = (  # also as seen where they use the nodes' network
    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-ingress"}}},
    {"namespaceSelector": {"matchLabels": {"policy-group.network.openshift.io/ingress": ""}}},
    {"namespaceSelector": {"matchLabels": {"policy-group.network.openshift.io/host-network": ""}}},
)


def _of_models(wanted: Wanted) -> Iterator[Body]:
    through_gateway = {"from": [_gateway_pods()], "ports": _ports(services.PORT)}
    every = {"matchExpressions": [{"key": services.INFERENCE_SERVICE, "operator": "Exists"}]}
    ingress = [through_gateway, *_metrics(wanted, services.PORT, only=_READERS)]
    yield _policy("maas-models", wanted.namespace, every, ingress=ingress, egress=[_DNS_RULE])
    if downloading := [names.object_name(each.name) for each in names.models(wanted) if _downloads(each)]:
        chosen = {"key": services.INFERENCE_SERVICE, "operator": "In", "values": downloading}
        egress = [{"ports": _ports(443)}]
        yield _policy("maas-downloads", wanted.namespace, {"matchExpressions": [chosen]}, egress=egress)
    for model in names.models(wanted):
        if model.runtime == "external":
            leaves = [_DNS_RULE, {"ports": _ports(*external.ports(model))}]
            chosen_by = {"matchLabels": services.selector(model)}
            yield _policy(external.name(model), wanted.namespace, chosen_by, ingress=[through_gateway], egress=leaves)


def _downloads(model: Model) -> bool:
    return model.runtime == "vllm" and weights.of(model).is_fetched_by_pod


def _gateway_pods() -> Body:
    return {"podSelector": {"matchLabels": {_GATEWAY_NAME: GATEWAY}}}


def _of_kuadrant(wanted: Wanted) -> Iterator[Body]:
    """Of any gateway: others of the cluster may have policies of Kuadrant as well."""
    gateways = {
        "namespaceSelector": {},
        "podSelector": {"matchExpressions": [{"key": _GATEWAY_NAME, "operator": "Exists"}]},
    }
    beside: Body = {"from": [{"podSelector": {}}]}
    for name, label, port, only in (
        ("authorino", "authorino-resource", _AUTHORINO, _ANY_POD),
        ("limitador", "app", _LIMITADOR, _READERS),
    ):
        ingress = [{"from": [gateways], "ports": _ports(port)}, beside, *_metrics(wanted, 8080, only=only)]
        yield _policy(f"maas-{name}", KUADRANT, {"matchLabels": {label: name}}, ingress=ingress)


_ANY_POD: tuple[Body, ...] = ({},)
_READERS: tuple[Body, ...] = tuple(
    {"podSelector": {"matchLabels": labels}} for labels in ({_PROMETHEUS: "prometheus"}, {METRICS_LABEL: "true"})
)


def _metrics(wanted: Wanted, *ports: int, only: Sequence[Body] = _ANY_POD) -> list[Body]:
    """only: what chooses pods where metrics have no port of their own."""
    if not wanted.metrics:
        return []
    named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(MONITORING)}
    namespaces: tuple[Body, ...] = (
        {"namespaceSelector": {"matchExpressions": [named]}},
        {"namespaceSelector": {"matchLabels": {METRICS_LABEL: "true"}}},
    )
    return [{**_from(*({**where, **pods} for where in namespaces for pods in only)), "ports": _ports(*ports)}]


def _from(*peers: Body) -> Body:
    """No peers are everybody."""
    return {"from": list(peers)} if peers else {}


def _ports(*ports: int, protocol: str = "TCP") -> list[Body]:
    return [{"protocol": protocol, "port": port} for port in ports]


_DNS_RULE = {"ports": [*_ports(*_DNS, protocol="UDP"), *_ports(*_DNS)]}


def _policy(name: str, where: str, pods: Body, *, ingress: Sequence[Body] = (), egress: Sequence[Body] = ()) -> Body:
    spec: Body = {"podSelector": pods, "policyTypes": []}
    for direction, rules in (("Ingress", ingress), ("Egress", egress)):
        if rules:
            spec["policyTypes"] += [direction]
            spec[direction.lower()] = list(rules)
    return made("networking.k8s.io/v1", "NetworkPolicy", name, where, spec=spec)
