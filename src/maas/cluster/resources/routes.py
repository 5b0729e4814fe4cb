"""What leads to the models: at MODEL.DOMAIN, and at maas.DOMAIN/MODEL, an HTTPRoute each; on OpenShift Routes in front.

Only the paths that are metered are led anywhere: a server has others (Anthropic's messages, tokenizers, its own
administration), which would be free or worse. Everything else is 404.

A route of its own per name at the shared host, and not one for all: a rule can rewrite one path only, and an HTTPRoute
has 16 rules.
"""

from collections.abc import Iterable, Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.objects import Object, condition, items, text
from maas.cluster.plan.model import Apply, Seen, Stage, Step, Until, Wait
from maas.cluster.resources import gateway, names, services
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, Target, Wanted
from maas.domain.platform import Model

KEY = "routes"
METERED = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses")
CATALOGUE = "/v1/models"
TIMEOUT = "600s"  # of a request: completions stream for minutes
_REDIRECT = "maas-to-https"


def steps(wanted: Wanted) -> list[Step]:
    routes, where = http_routes(wanted), wanted.namespace
    edge = openshift_routes(wanted)
    return [
        Step(
            KEY,
            f"routes to {len(names.models(wanted))} models",
            f"lead {names.shared_host(wanted)}/MODEL/v1 and MODEL.{wanted.site.domain}/v1 to the models",
            tuple(Apply(each) for each in (*services.services(wanted), *routes, *edge)),
            (
                *(_wait(kinds.HTTP_ROUTE, each, where, accepted, "is Accepted") for each in _named(routes)),
                *(_wait(kinds.ROUTE, each, where, admitted, "is Admitted") for each in _named(edge)),
            ),
            needs=("namespaces", gateway.KEY),
            undo=f"kubectl delete httproutes -n {where} -l app.kubernetes.io/managed-by=maas",
            affects="clients find models at other addresses",
        )
    ]


def http_routes(wanted: Wanted) -> list[Body]:
    found = [route for model in names.models(wanted) for route in _of_model(wanted, model)]
    return found if wanted.site.target is Target.openshift else [*found, _redirect(wanted)]


def _of_model(wanted: Wanted, model: Model) -> Iterator[Body]:
    backend = {"group": "", "kind": "Service", "name": names.service(model), "port": 80, "weight": 1}
    leads = {"backendRefs": [backend], "timeouts": {"request": TIMEOUT}}
    matches = [*(_exact(path) for path in METERED), {"path": {"type": "PathPrefix", "value": CATALOGUE}}]
    own = names.object_name(model.name)
    yield _route(wanted, own, names.hosts(wanted, model), [{"matches": matches, **leads}])
    for each in names.called(model):
        rules = [{**_rewritten(names.prefix(each), path), **leads} for path in (*METERED, CATALOGUE)]
        yield _route(wanted, f"{names.SHARED}-{names.object_name(each)}", [names.shared_host(wanted)], rules)


def _rewritten(prefix: str, path: str) -> Body:
    """The model's server knows nothing of the prefix."""
    if path == CATALOGUE:
        match = {"path": {"type": "PathPrefix", "value": f"{prefix}{path}"}}
        rewrite = {"type": "ReplacePrefixMatch", "replacePrefixMatch": path}
    else:
        match = _exact(f"{prefix}{path}")
        rewrite = {"type": "ReplaceFullPath", "replaceFullPath": path}
    return {"matches": [match], "filters": [{"type": "URLRewrite", "urlRewrite": {"path": rewrite}}]}


def _exact(path: str) -> Body:
    return {"path": {"type": "Exact", "value": path}}


def _redirect(wanted: Wanted) -> Body:
    """Of http to https: an answer over http would let a key be read on the way."""
    to_https = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "filters": [to_https]}
    return _route(wanted, _REDIRECT, [f"*.{wanted.site.domain}"], [rule], gateway.HTTP)


def _route(wanted: Wanted, name: str, hosts: Sequence[str], rules: Sequence[Body], listener: str = "") -> Body:
    behind_router = wanted.site.target is Target.openshift
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY,
        "sectionName": listener or (gateway.HTTP if behind_router else gateway.HTTPS),
    }
    spec = {"parentRefs": [parent], "hostnames": list(hosts), "rules": list(rules)}
    return made(gateway.API, "HTTPRoute", name, wanted.namespace, spec=spec)


def openshift_routes(wanted: Wanted) -> list[Body]:
    """The router takes a host each: wildcards are off by default."""
    if wanted.site.target is not Target.openshift:
        return []
    found = [(each, names.host(wanted, each)) for model in names.models(wanted) for each in names.called(model)]
    return [_edge(wanted, names.SHARED, names.shared_host(wanted)), *(_edge(wanted, *each) for each in found)]


def _edge(wanted: Wanted, called: str, host: str) -> Body:
    return made(
        "route.openshift.io/v1",
        "Route",
        names.object_name(called),
        wanted.namespace,
        annotations={"haproxy.router.openshift.io/timeout": TIMEOUT},  # 30 s by default
        spec={
            "host": host,
            "to": {"kind": "Service", "name": wanted.site.gateway_service, "weight": 100},
            "port": {"targetPort": gateway.HTTP},
            "tls": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
            "wildcardPolicy": "None",
        },
    )


def accepted(route: Object | None) -> Seen:
    """By every gateway that has looked at it; Kuadrant's entries say nothing of that."""
    parents = [
        each
        for each in items(route, "status", "parents")
        if not text(each, "controllerName").startswith("kuadrant.io/")
    ]
    if not parents:
        return Seen(Stage.waiting, "no gateway has looked at it yet")
    found = [condition(each, type, "conditions") for each in parents for type in ("Accepted", "ResolvedRefs")]
    return _judged(found)


def admitted(route: Object | None) -> Seen:
    """By one router; a host that another Route has will not become free by waiting."""
    found = [condition(each, "Admitted", "conditions") for each in items(route, "status", "ingress")]
    if any(text(each, "reason") == "HostAlreadyClaimed" for each in found):
        return Seen(Stage.hopeless, _why(found[0]))
    if any(text(each, "status") == "True" for each in found):
        return Seen(Stage.done)
    return Seen(Stage.waiting, _why(found[0]) if found else "no router has looked at it yet")


def _judged(found: Sequence[Object]) -> Seen:
    bad = next((each for each in found if text(each, "status") != "True"), None)
    return Seen(Stage.done) if bad is None else Seen(Stage.waiting, _why(bad) if bad else "not Accepted yet")


def _why(condition: Object) -> str:
    said = f"{text(condition, 'type')} is {text(condition, 'status') or 'unknown'}"
    return ": ".join(filter(None, (said, text(condition, "reason"), text(condition, "message"))))


def _wait(kind: kinds.Kind, name: str, where: str, until: Until, what: str) -> Wait:
    return Wait(kind, name, where, until, f"{kind.name} {where}/{name} {what}")


def _named(objects: Iterable[Body]) -> list[str]:
    return [each["metadata"]["name"] for each in objects]
