"""OpenShift's Routes in front of the gateway: the router has the address, and ends TLS with the cluster's certificate.

A Route for each host: a wildcard is what routers refuse by default.
"""

from maas.cluster import kinds
from maas.cluster.objects import Object, condition, items, text
from maas.cluster.plan.model import Seen, Stage, Wait
from maas.cluster.resources import gateway, names
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import Target, Wanted

_PATIENCE = 120.0


def routes(wanted: Wanted, timeout: str) -> list[Body]:
    """None but on OpenShift. timeout: how long an answer may take, "600s"; the router's own is 30 s."""
    if wanted.site.target is not Target.openshift:
        return []
    found = [(names.object_name(each), names.host(wanted, each)) for each in _called(wanted)]
    return [_edge(wanted, name, host, timeout) for name, host in [(names.SHARED, names.shared_host(wanted)), *found]]


def _called(wanted: Wanted) -> list[str]:
    return [each for model in names.models(wanted) for each in names.called(model)]


def _edge(wanted: Wanted, name: str, host: str, timeout: str) -> Body:
    return made(
        "route.openshift.io/v1",
        "Route",
        name,
        wanted.namespace,
        annotations={"haproxy.router.openshift.io/timeout": timeout},
        spec={
            "host": host,
            "to": {"kind": "Service", "name": wanted.site.gateway_service, "weight": 100},
            "port": {"targetPort": gateway.HTTP},
            "tls": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
            "wildcardPolicy": "None",
        },
    )


def wait(where: str, name: str) -> Wait:
    return Wait(kinds.ROUTE, name, where, admitted, f"Route {where}/{name} is Admitted", _PATIENCE)


def admitted(route: Object | None) -> Seen:
    """By one router. A host that another Route has will not become free by waiting."""
    found = [condition(each, "Admitted", "conditions") for each in items(route, "status", "ingress")]
    if any(text(each, "status") == "True" for each in found):
        return Seen(Stage.done)
    if not found:
        return Seen(Stage.waiting, "no router has looked at it yet")
    said = ": ".join(filter(None, ("Admitted is not True", text(found[0], "reason"), text(found[0], "message"))))
    return Seen(Stage.hopeless if text(found[0], "reason") == "HostAlreadyClaimed" else Stage.waiting, said)
