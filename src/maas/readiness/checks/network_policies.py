"""Do NetworkPolicies let through what must meet? (MAAS-155 to 157)

Pods that are there are taken as they are; for those yet to come, the labels that they will have.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NETWORK_POLICY, POD
from maas.cluster.objects import Object, items, label, mapping, name, namespace, number, place, text
from maas.cluster.reach import Closed, End, closed
from maas.readiness.catalogue import Asked, check
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed
from maas.readiness.wording import count

GATEWAY = "gateway.networking.k8s.io/gateway-name"
MODEL = "serving.kserve.io/inferenceservice"
KUADRANT = "kuadrant-system"
_PROMETHEUS = ("openshift-user-workload-monitoring", "openshift-monitoring", "monitoring")


def _end(pod: Object) -> End:
    ports = [port for each in items(pod, "spec", "containers") for port in items(each, "ports")]
    by_name = {text(port, "name"): number(port, "containerPort") or 0 for port in ports}
    return End(f"Pod {place(pod)}", namespace(pod), mapping(pod, "metadata", "labels"), by_name)


def _labelled(facts: Facts, key: str) -> list[Object]:
    return [pod for pod in facts.known(POD) if label(pod, key) and text(pod, "status", "phase") != "Succeeded"]


def _gateways(facts: Facts, asked: Asked) -> list[End]:
    """One pod of each gateway is enough."""
    pods = {(namespace(pod), label(pod, GATEWAY)): pod for pod in _labelled(facts, GATEWAY)}
    to_come = End("the gateway", asked.namespace, {GATEWAY: "maas-gateway"}, {"http-envoy-prom": 15090})
    return [_end(pod) for pod in pods.values()] or [to_come]


def _models(facts: Facts, asked: Asked) -> list[End]:
    pods = {(namespace(pod), label(pod, MODEL)): pod for pod in _labelled(facts, MODEL)}
    to_come = End("models", asked.namespace, {MODEL: "simulator", "component": "predictor"})
    return [_end(pod) for pod in pods.values()] or [to_come]


@check(
    "MAAS-155",
    "NetworkPolicies let the gateway reach the models",
    Category.network,
    wanted="port 8080 of the models, open to the gateway's pods",
    looks="NetworkPolicies on the models' pods (what may enter) and on the gateway's (what may leave); for pods that "
    "are yet to come, with the labels that they will have.",
    why="A policy that denies by default makes the gateway answer 503, and no status tells of it.",
    mend="Add a NetworkPolicy that admits the gateway's pods to port 8080.",
    covers=("Network Requirements", "Security Considerations"),
)
def gateway_to_models(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _judged(facts, _gateways(facts, asked), _models(facts, asked), 8080)


@check(
    "MAAS-156",
    "NetworkPolicies let the gateway reach Authorino, Limitador and Kuadrant",
    Category.network,
    wanted="ports 50051 (Authorino), 8081 (Limitador) and 8082 (the operator's wasm module), open to the gateway",
    looks="NetworkPolicies in kuadrant-system (what may enter) and on the gateway's pods (what may leave).",
    why="Without Authorino nobody is let in. Without Limitador everybody is, without limit. Without the wasm module "
    "Kuadrant 1.5 enforces nothing.",
    mend="Add a NetworkPolicy in kuadrant-system that admits the gateway's namespace to these ports.",
    covers=("Network Requirements", "Security Considerations"),
)
def gateway_to_kuadrant(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    gateways = _gateways(facts, asked)
    shut = [
        outcome
        for what, prefix, labels, port in _SERVICES
        for outcome in _shut(facts, gateways, [_service(facts, what, prefix, labels)], port)
    ]
    yield from shut
    if not shut:
        yield passed(f"ports 50051, 8081 and 8082 are open: {_looked_at(facts)}")


def _service(facts: Facts, what: str, prefix: str, labels: Mapping[str, str]) -> End:
    pods = [pod for pod in facts.known(POD) if namespace(pod) == KUADRANT and name(pod).startswith(prefix)]
    return next(
        (_end(pod) for pod in pods if not name(pod).startswith("authorino-operator")), End(what, KUADRANT, labels)
    )


_SERVICES = (
    ("Authorino", "authorino-", {"authorino-resource": "authorino", "control-plane": "controller-manager"}, 50051),
    ("Limitador", "limitador-limitador-", {"app": "limitador", "limitador-resource": "limitador"}, 8081),
    ("the Kuadrant operator", "kuadrant-operator-controller-manager-", {"app": "kuadrant"}, 8082),
)


@check(
    "MAAS-157",
    "NetworkPolicies let Prometheus read the gateway's metrics",
    Category.network,
    wanted="port 15090 of the gateway's pods, open to Prometheus",
    severity=Severity.warning,
    looks="NetworkPolicies on the gateway's pods, for the Prometheus of the cluster.",
    why="Usage and latency are read from Envoy's metrics; without them dashboards stay empty.",
    mend="Add a NetworkPolicy that admits Prometheus' namespace to port 15090.",
    covers=("Network Requirements",),
)
def prometheus_to_gateway(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pods = [pod for pod in facts.known(POD) if label(pod, "app.kubernetes.io/name") == "prometheus"]
    mine = {namespace(pod): pod for pod in pods if namespace(pod) in _PROMETHEUS}
    first = next((_end(mine[each]) for each in _PROMETHEUS if each in mine), None)
    to_come = End("Prometheus", _PROMETHEUS[-1], {"app.kubernetes.io/name": "prometheus"})
    yield from _judged(facts, [first or to_come], _gateways(facts, asked), 15090)


def _judged(facts: Facts, sources: Sequence[End], targets: Sequence[End], port: int) -> Iterator[Outcome]:
    shut = _shut(facts, sources, targets, port)
    yield from shut
    if not shut:
        yield passed(f"port {port} is open: {_looked_at(facts)}")


def _shut(facts: Facts, sources: Sequence[End], targets: Sequence[End], port: int) -> list[Outcome]:
    """A few of the ways that are closed; mending them mends their like."""
    ways = ((s, t, found) for s in sources for t in targets if (found := closed(facts, s, t, port)))
    return [_blocked(source, target, port, found) for source, target, found in islice(ways, 5)]


def _looked_at(facts: Facts) -> str:
    policies = len(facts.whole(NETWORK_POLICY))
    return (
        f"{count(policies, 'NetworkPolicy', 'NetworkPolicies')} looked at"
        if policies
        else "there are no NetworkPolicies"
    )


def _blocked(source: End, target: End, port: int, ends: Sequence[Closed]) -> Outcome:
    policies = [policy for end in ends for policy in end.policies]
    where = " and ".join("where it leaves" if end.leaving else "where it enters" for end in ends)
    return failed(
        f"{source.described} does not reach port {port} of {target.described}: {names(map(place, policies))}",
        *some(Seen(f"NetworkPolicy {place(each)}", "spec.podSelector", _selector(each)) for each in policies),
        remedy=Remedy(
            f"Admit it {where}, with one more NetworkPolicy.",
            changes=tuple(_opening(source, target, port, end) for end in ends),
        ),
        about=f"{target.described}, port {port}",
    )


def _opening(source: End, target: End, port: int, end: Closed) -> Change:
    """For the pods that are closed already, and no others: a first policy would close what is open now."""
    here, there = (source, target) if end.leaving else (target, source)
    direction, peers = ("egress", "to") if end.leaving else ("ingress", "from")
    of_there = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": there.namespace}}}
    named = f"maas-{direction}-{port}-{name(end.policies[0])}"
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": named, "namespace": here.namespace, "labels": {"app.kubernetes.io/part-of": "maas"}},
        "spec": {
            "podSelector": dict(mapping(end.policies[0], "spec", "podSelector")),
            "policyTypes": [direction.capitalize()],
            direction: [{peers: [of_there], "ports": [{"port": port, "protocol": "TCP"}]}],
        },
    }
    return Change(
        Verb.apply, NETWORK_POLICY, named, here.namespace, body, why=f"{source.described} → {target.described}"
    )


def _selector(policy: Object) -> str:
    labels = mapping(policy, "spec", "podSelector", "matchLabels")
    return names(f"{key}={value}" for key, value in labels.items()) if labels else "all pods"
