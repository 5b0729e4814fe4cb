"""Do NetworkPolicies let through what must meet? (MAAS-155 to 157)

Pods that are there are taken as they are; for those yet to come, the labels that they will have.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import GATEWAY as GATEWAY_KIND
from maas.cluster.kinds import HTTP_ROUTE, KUADRANT, NETWORK_POLICY, POD, SERVICE
from maas.cluster.objects import Object, items, label, mapping, name, namespace, number, place, selects, text, texts
from maas.cluster.reach import Closed, End, closed
from maas.cluster.stack import ours
from maas.readiness.catalogue import Asked, Phase, check
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped
from maas.readiness.wording import count

GATEWAY = "gateway.networking.k8s.io/gateway-name"
MODEL = "serving.kserve.io/inferenceservice"
_KUADRANT = "kuadrant-system"
_PORT = 8080
_EXAMPLES = 5
_PROMETHEUS = ("openshift-user-workload-monitoring", "openshift-monitoring", "monitoring")


def _end(pod: Object) -> End:
    ports = [port for each in items(pod, "spec", "containers") for port in items(each, "ports")]
    by_name = {text(port, "name"): number(port, "containerPort") or 0 for port in ports}
    return End(f"Pod {place(pod)}", namespace(pod), mapping(pod, "metadata", "labels"), by_name)


def _labelled(facts: Facts, key: str) -> list[Object]:
    return [pod for pod in facts.known(POD) if label(pod, key) and text(pod, "status", "phase") != "Succeeded"]


def _gateways(facts: Facts, asked: Asked) -> list[End]:
    """One pod of each of the platform's is enough. To those of others nothing is to be opened."""
    pods = {(namespace(pod), label(pod, GATEWAY)): pod for pod in _labelled(facts, GATEWAY)}
    if facts.known(GATEWAY_KIND):
        mine = {(namespace(each), name(each)) for each in ours.gateways(facts, asked.namespace)}
        pods = {key: pod for key, pod in pods.items() if key in mine}
    to_come = End("the gateway", asked.namespace, {GATEWAY: "maas-gateway"}, {"http-envoy-prom": 15090})
    return [_end(pod) for pod in pods.values()] or [to_come]


Ports = tuple[int, ...]


def _models(facts: Facts, asked: Asked) -> list[tuple[End, Ports]]:
    """Of each model one pod, with the ports by which it is reached: by its Service, or else by its containers."""
    behind = list(_behind_services(facts))
    if behind:
        return behind
    pods = {(namespace(pod), label(pod, MODEL)): pod for pod in _labelled(facts, MODEL)}
    if pods or asked.phase is not Phase.before:
        return [(_end(pod), _container_ports(pod) or (_PORT,)) for pod in pods.values()]
    return [(End("models", asked.namespace, {MODEL: "simulator", "component": "predictor"}), (_PORT,))]


def _behind_services(facts: Facts) -> Iterator[tuple[End, Ports]]:
    """Pods of the Services that routes lead to, and of those of InferenceServices."""
    routed = {backend for route in facts.known(HTTP_ROUTE) for backend in _backends(route)}
    by_namespace = facts.derived(_pods_by_namespace)
    for service in facts.known(SERVICE):
        chosen = mapping(service, "spec", "selector")
        if chosen and (place(service) in routed or MODEL in chosen):
            near = by_namespace.get(namespace(service), [])
            pod = next(
                (pod for pod in near if selects({"matchLabels": chosen}, mapping(pod, "metadata", "labels"))), None
            )
            if pod is not None:
                yield _end(pod), _target_ports(service, _end(pod)) or (_PORT,)


def _labels(pod: Object) -> Mapping[str, object]:
    return mapping(pod, "metadata", "labels")


def _container_ports(pod: Object) -> Ports:
    found = (
        number(port, "containerPort") for each in items(pod, "spec", "containers") for port in items(each, "ports")
    )
    return tuple(port for port in found if port)


def _backends(route: Object) -> Iterator[str]:
    for rule in items(route, "spec", "rules"):
        for each in items(rule, "backendRefs"):
            yield f"{text(each, 'namespace') or namespace(route)}/{text(each, 'name')}"


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
    gateways = _gateways(facts, asked)
    # One open port is enough: others are for metrics.
    ways = ((g, m, [(p, closed(facts, g, m, p)) for p in ports]) for g in gateways for m, ports in models)
    shut = ((g, m, *found[0]) for g, m, found in ways if all(ends for _, ends in found))
    bad = [_blocked(gateway, model, port, ends) for gateway, model, port, ends in islice(shut, _EXAMPLES)]
    yield from bad
    if not bad:
        said = names(map(str, sorted({port for _, ports in models for port in ports})))
        yield passed(f"port {said} is open: {_looked_at(facts)}")


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
    where = next((namespace(each) for each in facts.known(KUADRANT)), _KUADRANT)
    pods = [pod for pod in facts.known(POD) if namespace(pod) == where and name(pod).startswith(prefix)]
    return next((_end(pod) for pod in pods if not name(pod).startswith("authorino-operator")), End(what, where, labels))


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
    return [_blocked(source, target, port, found) for source, target, found in islice(ways, _EXAMPLES)]


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
    if gateway := there.labels.get(GATEWAY):  # and nobody else in its namespace
        of_there["podSelector"] = {"matchLabels": {GATEWAY: str(gateway)}}
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
    selector = mapping(policy, "spec", "podSelector")
    chosen = [f"{key}={value}" for key, value in mapping(selector, "matchLabels").items()]
    for each in items(selector, "matchExpressions"):
        values = f" ({', '.join(texts(each, 'values'))})" if texts(each, "values") else ""
        chosen.append(f"{text(each, 'key')} {text(each, 'operator')}{values}")
    return names(chosen) or "all pods"
