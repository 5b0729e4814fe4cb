"""Do NetworkPolicies let through what must meet? (MAAS-155 to 157)

Pods that are there are taken as they are; for those yet to come, the labels that they will have.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import GATEWAY, HTTP_ROUTE, KUADRANT, POD, SERVICE
from maas.cluster.objects import Object, items, label, mapping, name, namespace, number, place, selects, text
from maas.cluster.reach import MONITORING, End, closed
from maas.cluster.stack import ends, ours
from maas.readiness.catalogue import Asked, Phase, check
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Severity, passed, skipped
from maas.readiness.openings import blocked, looked_at, shut_ways

MODEL = "serving.kserve.io/inferenceservice"
_KUADRANT = "kuadrant-system"
_PORT = 8080
_EXAMPLES = 5


def _labelled(facts: Facts, key: str) -> list[Object]:
    return [pod for pod in facts.known(POD) if label(pod, key) and text(pod, "status", "phase") != "Succeeded"]


Ports = tuple[int, ...]


def _models(facts: Facts, asked: Asked) -> list[tuple[End, Ports]]:
    """Of each model one pod, with the ports by which it is reached: by its Service, or else by its containers."""
    behind = list(_behind_services(facts, asked))
    if behind:
        return behind
    pods = {(namespace(pod), label(pod, MODEL)): pod for pod in _labelled(facts, MODEL)}
    if pods or asked.phase is not Phase.before:
        return [(ends.of_pod(pod), _container_ports(pod) or (_PORT,)) for pod in pods.values()]
    return [(End("models", asked.namespace, {MODEL: "simulator", "component": "predictor"}), (_PORT,))]


def _behind_services(facts: Facts, asked: Asked) -> Iterator[tuple[End, Ports]]:
    """Pods of the Services that routes lead to, and of those of InferenceServices."""
    gateways = ours.known_gateways(facts, asked.namespace)
    any_gateway = not facts.known(GATEWAY)  # else those of others lead to nothing of ours
    routes = [route for route in facts.known(HTTP_ROUTE) if any_gateway or ours.attached(route, gateways)]
    routed = {f"{b.namespace}/{b.name}" for route in routes for b in ours.backends(route)}
    by_namespace = facts.derived(_pods_by_namespace)
    for service in facts.known(SERVICE):
        chosen = mapping(service, "spec", "selector")
        if chosen and (place(service) in routed or MODEL in chosen):
            near = by_namespace.get(namespace(service), [])
            pod = next(
                (pod for pod in near if selects({"matchLabels": chosen}, mapping(pod, "metadata", "labels"))), None
            )
            if pod is not None:
                yield ends.of_pod(pod), _target_ports(service, ends.of_pod(pod)) or (_PORT,)


def _container_ports(pod: Object) -> Ports:
    found = (
        number(port, "containerPort") for each in items(pod, "spec", "containers") for port in items(each, "ports")
    )
    return tuple(port for port in found if port)


def _pods_by_namespace(facts: Facts) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in facts.known(POD):
        if text(pod, "status", "phase") not in ("Succeeded", "Failed"):
            found.setdefault(namespace(pod), []).append(pod)
    return found


def _target_ports(service: Object, end: End) -> Ports:
    ports = items(service, "spec", "ports")
    found = (
        number(port, "targetPort") or end.ports.get(text(port, "targetPort")) or number(port, "port") for port in ports
    )
    return tuple(port for port in found if port)


@check(
    "MAAS-155",
    "NetworkPolicies let the gateway reach the models",
    Category.network,
    wanted="the port that models listen on (8080, if nothing else is said), open to the gateway's pods",
    looks="NetworkPolicies on the models' pods (what may enter) and on the gateway's (what may leave); for pods that "
    "are yet to come, with the labels that they will have. Ports are those of the Services that routes lead to.",
    why="A policy that denies by default makes the gateway answer 503, and no status tells of it.",
    mend="Add a NetworkPolicy that admits the gateway's pods to the models' port.",
    covers=("Network Requirements", "Ports", "Security Considerations"),
)
def gateway_to_models(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    models = _models(facts, asked)
    if not models:
        facts.whole(POD)  # else nobody knows
        yield skipped("no pods of models are there")
        return
    gateways = ends.gateways(facts, asked.namespace)
    # One open port is enough: others are for metrics.
    ways = ((g, m, [(p, closed(facts, g, m, p)) for p in ports]) for g in gateways for m, ports in models)
    shut = ((g, m, *found[0]) for g, m, found in ways if all(closed_ends for _, closed_ends in found))
    bad = [blocked(gateway, model, port, at_ends) for gateway, model, port, at_ends in islice(shut, _EXAMPLES)]
    yield from bad
    if not bad:
        said = names(map(str, sorted({port for _, ports in models for port in ports})))
        yield passed(f"port {said} is open: {looked_at(facts)}")


@check(
    "MAAS-156",
    "NetworkPolicies let the gateway reach Authorino, Limitador and Kuadrant",
    Category.network,
    wanted="ports 50051 (Authorino), 8081 (Limitador) and 8082 (the operator's wasm module), open to the gateway",
    looks="NetworkPolicies where Kuadrant runs (what may enter) and on the gateway's pods (what may leave).",
    why="Without Authorino nobody is let in. Without Limitador everybody is, without limit. Without the wasm module "
    "Kuadrant 1.5 enforces nothing.",
    mend="Add a NetworkPolicy where Kuadrant runs that admits the gateway's namespace to these ports.",
    covers=("Network Requirements", "Security Considerations"),
)
def gateway_to_kuadrant(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    gateways = ends.gateways(facts, asked.namespace)
    shut = [
        outcome
        for what, prefix, labels, port in _SERVICES
        for outcome in shut_ways(facts, gateways, [_service(facts, what, prefix, labels)], port)
    ]
    yield from shut
    if not shut:
        yield passed(f"ports 50051, 8081 and 8082 are open: {looked_at(facts)}")


def _service(facts: Facts, what: str, prefix: str, labels: Mapping[str, str]) -> End:
    where = next((namespace(each) for each in facts.known(KUADRANT)), _KUADRANT)
    pods = [pod for pod in facts.known(POD) if namespace(pod) == where and name(pod).startswith(prefix)]
    return next(
        (ends.of_pod(pod) for pod in pods if not name(pod).startswith("authorino-operator")), End(what, where, labels)
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
    covers=("Network Requirements", "Ports"),
)
def prometheus_to_gateway(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pods = [pod for pod in facts.known(POD) if label(pod, "app.kubernetes.io/name") == "prometheus"]
    mine = {namespace(pod): pod for pod in pods if namespace(pod) in MONITORING}
    first = next((ends.of_pod(mine[each]) for each in MONITORING if each in mine), None)
    to_come = End("Prometheus", MONITORING[-1], {"app.kubernetes.io/name": "prometheus"})
    yield from _judged(facts, [first or to_come], ends.gateways(facts, asked.namespace), 15090)


def _judged(facts: Facts, sources: Sequence[End], targets: Sequence[End], port: int) -> Iterator[Outcome]:
    shut = shut_ways(facts, sources, targets, port)
    yield from shut
    if not shut:
        yield passed(f"port {port} is open: {looked_at(facts)}")
