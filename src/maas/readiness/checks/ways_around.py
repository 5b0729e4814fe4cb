"""Ways to models that do not lead through the platform's gateway, where keys and limits are looked at."""

from collections.abc import Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, items, name, namespace, number, place, text
from maas.cluster.reach import OUTSIDE, End, closed
from maas.cluster.shell import word
from maas.cluster.stack import ends, ours, serving
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped

_EXAMPLES = 5
_ROUTER = End(
    "the router",
    "openshift-ingress",
    {"ingresscontroller.operator.openshift.io/deployment-ingresscontroller": "default"},
)
_ASKS_ITSELF = ("kube-rbac-proxy", "oauth-proxy")  # beside a model of OpenShift AI: it wants a token


@check(
    "MAAS-374",
    "no way leads around the gateway",
    Category.security,
    phases=AFTER,
    severity=Severity.warning,
    wanted="nothing but the platform's gateway leads from outside to a model",
    looks="Services with an address of their own (LoadBalancer, NodePort) that choose models' pods; OpenShift's Routes "
    "to models; HTTPRoutes to models at other Gateways without an AuthPolicy. What NetworkPolicies close is no way.",
    why="Whoever takes such a way needs no key, and no limit counts.",
    mend="Remove it, attach an AuthPolicy to it, or close it with a NetworkPolicy on the models' pods.",
    covers=("Network policies restrict inter-namespace communication", "Security Considerations"),
)
def around(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    models = serving.services(facts)
    facts.all(kinds.SERVICE), facts.all(kinds.POD)  # else nobody knows
    found = [*_by_address(facts), *_by_route(facts), *_by_gateway(facts, asked)]
    yield from found[:_EXAMPLES]
    if not found:
        yield passed(f"{len(models)} Services of models looked at") if models else skipped("no model has a Service")


def _by_address(facts: Facts) -> Iterator[Outcome]:
    models = serving.services(facts)
    for service in facts.all(kinds.SERVICE):
        kind, pod = text(service, "spec", "type"), models.get((namespace(service), name(service)))
        if pod is None or kind not in ("LoadBalancer", "NodePort") or not _open(facts, OUTSIDE, pod, service):
            continue
        about = ours.shown(kinds.SERVICE, service)
        patch = word('{"spec":{"type":"ClusterIP"}}')
        command = f"kubectl patch service {word(name(service))} -n {word(namespace(service))} --type=merge -p {patch}"
        remedy = Remedy("Make it a ClusterIP, or close it with a NetworkPolicy.", (command,))
        said = f"leads from outside to {_shown(pod)}, past the gateway: no key is asked for"
        yield failed(said, Seen(about, "spec.type", kind), remedy=remedy, about=about)


def _by_route(facts: Facts) -> Iterator[Outcome]:
    models = serving.services(facts)
    for route in facts.all(kinds.ROUTE):
        to = text(route, "spec", "to", "name")
        pod, service = models.get((namespace(route), to)), facts.one(kinds.SERVICE, to, namespace(route))
        if pod is None or service is None or _asks_itself(pod) or not _open(facts, _ROUTER, pod, service):
            continue
        about = ours.shown(kinds.ROUTE, route)
        command = f"oc delete route {word(name(route))} -n {word(namespace(route))}"
        remedy = Remedy("Remove it, or close it with a NetworkPolicy.", (command,))
        said = f"{text(route, 'spec', 'host')} leads to {_shown(pod)}, past the gateway: no key is asked for"
        yield failed(said, Seen(about, "spec.to.name", to), remedy=remedy, about=about)


def _by_gateway(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    mine, policies = ours.gateways(facts, asked.namespace), facts.all(kinds.AUTH_POLICY)
    others = [gateway for gateway in facts.all(kinds.GATEWAY) if gateway not in mine]
    for gateway in others:
        for route in ours.routes(facts, [gateway]):
            if pod := _led_past(facts, gateway, route, policies):
                about = ours.shown(kinds.HTTP_ROUTE, route)
                said = f"leads through {ours.shown(kinds.GATEWAY, gateway)} to {_shown(pod)}: no key is asked for there"
                remedy = Remedy(
                    "Attach an AuthPolicy to that Gateway, or remove the route.",
                    (f"kubectl get authpolicies -n {word(namespace(gateway))}",),
                )
                yield failed(said, Seen(about, "spec.parentRefs", place(gateway)), remedy=remedy, about=about)


def _led_past(facts: Facts, gateway: Object, route: Object, policies: Sequence[Object]) -> Object | None:
    """The pod of a model that the route leads to without asking for a key."""
    if any(ours.aimed_at(policy, [gateway], [route]) for policy in policies):
        return None
    (through,) = ends.of_gateways(facts, [gateway])
    for backend in ours.backends(route):
        pod = serving.services(facts).get((backend.namespace, backend.name))
        service = facts.one(kinds.SERVICE, backend.name, backend.namespace) if pod else None
        if pod is not None and service is not None and _open(facts, through, pod, service):
            return pod
    return None


def _open(facts: Facts, source: End, pod: Object, service: Object) -> bool:
    end = ends.of_pod(pod)
    ports = items(service, "spec", "ports")
    found = [
        number(port, "targetPort") or end.ports.get(text(port, "targetPort")) or number(port, "port") for port in ports
    ]
    return any(not closed(facts, source, end, port) for port in found if port)


def _asks_itself(pod: Object) -> bool:
    return any(text(each, "name") in _ASKS_ITSELF for each in items(pod, "spec", "containers"))


def _shown(pod: Object) -> str:
    return f"the model {ours.model_of(pod) or name(pod)}"
