"""What leads through a gateway: HTTPRoutes to models, and OpenShift's Routes in front of it."""

from collections.abc import Iterable, Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, condition, is_current, items, mapping, name, namespace, text
from maas.cluster.stack import ours
from maas.readiness import conditions
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning


@check(
    "MAAS-303",
    "routes are accepted",
    Category.gateway,
    phases=AFTER,
    wanted="each HTTPRoute is Accepted and its references are resolved, by each gateway, for the newest spec",
    looks="status.parents[].conditions of the HTTPRoutes that name one of the platform's Gateways.",
    why="A route that was not accepted does not exist for clients (404); one without a backend answers 500.",
    mend="Do what the condition's reason asks for.",
    covers=("5. Gateway API", "Issue 3: KServe Headless Service Issues"),
    after=("MAAS-300", "MAAS-301", "MAAS-302"),
)
def routes(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = ours.gateways(facts, asked.namespace)
    attached = ours.routes(facts, found)
    if not attached:
        remedy = Remedy("Create an HTTPRoute for each model.", ("kubectl get httproutes -A",), step="routes")
        yield (
            failed("no HTTPRoute leads from a gateway to a model", remedy=remedy)
            if found
            else skipped("there is no gateway: MAAS-300")
        )
        return
    bad = [outcome for route in attached for outcome in _route_problems(route, found)]
    yield from bad
    if not bad:
        yield passed(f"{len(attached)} {'route is' if len(attached) == 1 else 'routes are'} accepted")


def _route_problems(route: Object, gateways: Sequence[Object]) -> Iterator[Outcome]:
    about = ours.shown(kinds.HTTP_ROUTE, route)
    for parent in ours.parents(route):
        if not any(parent.means(kinds.GATEWAY, gateway) for gateway in gateways):
            continue
        statuses = [s for s in items(route, "status", "parents") if _is_of(s, parent, route)]
        by_controller = [_condition_problem(about, route, parent, status) for status in statuses]
        if not statuses:
            said = f"{parent} has not looked at it"
            yield failed(said, Seen(about, "status.parents", "none"), remedy=conditions.describe(about), about=about)
        yield from (problem for problem in by_controller if problem)


def _is_of(status: Object, parent: ours.Target, route: Object) -> bool:
    """Kuadrant adds entries of its own, which say nothing of the gateway."""
    ref = mapping(status, "parentRef")
    same = (text(ref, "namespace") or namespace(route), text(ref, "name")) == (parent.namespace, parent.name)
    kuadrant = text(status, "controllerName").startswith("kuadrant.io/")
    return same and not kuadrant and text(ref, "sectionName") in ("", parent.section)


def _condition_problem(about: str, route: Object, parent: ours.Target, status: Object) -> Outcome | None:
    for type in ("Accepted", "ResolvedRefs"):
        found = condition(status, type, "conditions")
        seen = Seen(about, f"status.parents[{parent.name}].conditions[{type}]", conditions.status(found))
        if text(found, "status") != "True":
            said = f"{type} is {conditions.status(found)} at {parent}: {conditions.why(found)}"
            return failed(said, seen, remedy=conditions.remedy(found, about), about=about)
        if not is_current(route, found):
            said = f"the status at {parent} is of an older spec"
            return warning(said, seen, remedy=conditions.describe(about), about=about)
    return None


@check(
    "MAAS-304",
    "backends in other namespaces are permitted",
    Category.gateway,
    phases=AFTER,
    wanted="a ReferenceGrant for each HTTPRoute that sends requests into another namespace",
    looks="backendRefs with a namespace, and the ReferenceGrants there.",
    why="Without a grant, the gateway answers 500 for the route (RefNotPermitted).",
    mend="Create the ReferenceGrant in the backend's namespace.",
    covers=("Network policies restrict inter-namespace communication",),
    after=("MAAS-303",),
)
def grants(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    attached = ours.routes(facts, ours.gateways(facts, asked.namespace))
    across = [(r, b) for r in attached for b in ours.backends(r) if b.namespace != namespace(r)]
    if not across:
        yield skipped("no route leads into another namespace")
        return
    missing = [(route, backend) for route, backend in across if not _granted(facts, route, backend)]
    for route, backend in missing:
        about = ours.shown(kinds.HTTP_ROUTE, route)
        said = f"may not use {backend.kind} {backend.namespace}/{backend.name}"
        yield failed(said, Seen(about, "backendRefs", str(backend)), remedy=_grant(route, backend), about=about)
    if not missing:
        yield passed(f"{len(across)} references into other namespaces are granted")


def _granted(facts: Facts, route: Object, backend: ours.Target) -> bool:
    return any(_covers(grant, route, backend) for grant in facts.all(kinds.REFERENCE_GRANT))


def _covers(grant: Object, route: Object, backend: ours.Target) -> bool:
    if namespace(grant) != backend.namespace:
        return False
    froms = [(text(f, "kind"), text(f, "namespace")) for f in items(grant, "spec", "from")]
    tos = [(text(t, "kind"), text(t, "name")) for t in items(grant, "spec", "to")]
    return ("HTTPRoute", namespace(route)) in froms and any(
        kind == backend.kind and named in ("", backend.name) for kind, named in tos
    )


def _grant(route: Object, backend: ours.Target) -> Remedy:
    body = {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": f"from-{namespace(route)}", "namespace": backend.namespace},
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": namespace(route)}],
            "to": [{"group": "", "kind": backend.kind, "name": backend.name}],
        },
    }
    change = Change(Verb.apply, kinds.REFERENCE_GRANT, f"from-{namespace(route)}", backend.namespace, body)
    return Remedy("Grant the reference.", changes=(change,))


@check(
    "MAAS-305",
    "OpenShift's Routes to the gateway are admitted",
    Category.gateway,
    phases=AFTER,
    wanted="each Route to the gateway's Service is Admitted, ends TLS, and lets nobody in without it",
    looks="Routes to the Services of the platform's gateways: status.ingress[].conditions and spec.tls.",
    why="Without an admitted Route the ingress domain leads nowhere; without TLS keys travel readably.",
    mend="Choose a free host; set spec.tls.termination to edge, and insecureEdgeTerminationPolicy to Redirect.",
    covers=("TLS termination at edge (OpenShift Routes)", "Ingress", "Wildcard DNS for application routes"),
    after=("MAAS-300",),
)
def openshift_routes(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not facts.serves(kinds.ROUTE):
        yield skipped("this cluster has no OpenShift Routes")
        return
    found = routes_to(facts, ours.gateways(facts, asked.namespace))
    if not found:
        yield skipped("no Route leads to the gateway; it is reached at an address of its own")
        return
    bad = [outcome for route in found for outcome in _openshift_problems(route)]
    yield from bad
    if not bad:
        yield passed(f"{names(text(route, 'spec', 'host') for route in found)}: admitted, with TLS")


def routes_to(facts: Facts, gateways: Iterable[Object]) -> list[Object]:
    """The Routes whose Service is a gateway's: Istio names it after the gateway and its class. Raises NotRead."""
    services = {(namespace(each), f"{name(each)}-{suffix}") for each in gateways for suffix in _suffixes(each)}
    services |= {(namespace(each), name(each)) for each in gateways}
    return [r for r in facts.all(kinds.ROUTE) if (namespace(r), text(r, "spec", "to", "name")) in services]


def _suffixes(gateway: Object) -> set[str]:
    return {"istio", text(gateway, "spec", "gatewayClassName")} - {""}


def _openshift_problems(route: Object) -> Iterator[Outcome]:
    about, host = ours.shown(kinds.ROUTE, route), text(route, "spec", "host")
    admitted = [condition(ingress, "Admitted", "conditions") for ingress in items(route, "status", "ingress")]
    if not any(text(found, "status") == "True" for found in admitted):
        found = admitted[0] if admitted else {}
        seen = Seen(about, "status.ingress[].conditions[Admitted]", conditions.status(found))
        yield failed(
            f"{host} is not admitted: {conditions.why(found)}",
            seen,
            remedy=conditions.remedy(found, about),
            about=about,
        )
    if not text(route, "spec", "tls", "termination"):
        body = {"spec": {"tls": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}}}
        change = Change(Verb.patch, kinds.ROUTE, name(route), namespace(route), body)
        remedy = Remedy("End TLS at the edge.", changes=(change,))
        yield failed("has no TLS: keys travel readably", Seen(about, "spec.tls"), remedy=remedy, about=about)
    elif lets_plain_in(route):
        body = {"spec": {"tls": {"insecureEdgeTerminationPolicy": "Redirect"}}}
        change = Change(Verb.patch, kinds.ROUTE, name(route), namespace(route), body)
        remedy = Remedy("Send those who come over http to https.", changes=(change,))
        seen = Seen(about, "spec.tls.insecureEdgeTerminationPolicy", "Allow")
        yield warning("answers over plain http as well: keys may travel readably", seen, remedy=remedy, about=about)


def lets_plain_in(route: Object) -> bool:
    return text(route, "spec", "tls", "insecureEdgeTerminationPolicy") == "Allow"
