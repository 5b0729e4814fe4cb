"""What leads to the models: at maas.DOMAIN/MODEL, and at MODEL.DOMAIN.

Kuadrant counts per HTTPRoute, also for a policy of the Gateway. So the shared host is one HTTPRoute, and its models
share a user's budget; at a host of its own a model has one of its own. An HTTPRoute has 16 rules, of a name each: what
is beyond that gets a second one.

Only what is metered is led anywhere: a server has other paths (tokenizers, its own administration), which would be free
or worse. At the shared host, where one rule is one prefix, the AuthPolicy refuses those. Answers must not be
compressed, for Kuadrant reads their usage; and a client's key is not the model's to see.
"""

from collections.abc import Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.objects import name
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Step, Wait
from maas.cluster.resources import edge, gateway, names, services
from maas.cluster.resources.making import Body, made
from maas.cluster.resources.paths import CATALOGUE, METERED
from maas.cluster.wanted import GATEWAY, Target, Wanted
from maas.domain.platform import Model

KEY = "routes"
TIMEOUT = "600s"  # of a request: completions stream for minutes
_MOST_RULES = 16
_REDIRECT = "maas-to-https"
_KEPT_BACK = ("accept-encoding", "authorization", "x-api-key")
_PLAIN = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(_KEPT_BACK)}}


def steps(wanted: Wanted) -> list[Step]:
    routes, where, many = http_routes(wanted), wanted.namespace, len(names.models(wanted))
    at_edge = edge.routes(wanted, TIMEOUT)
    return [
        Step(
            KEY,
            f"routes to {many} model{'' if many == 1 else 's'}",
            f"lead {names.shared_host(wanted)}/MODEL/v1 and MODEL.{wanted.site.domain}/v1 to the models",
            tuple(Apply(each) for each in (*services.services(wanted), *routes, *at_edge)),
            (
                *(_attached(where, name(each)) for each in routes),
                *(edge.wait(where, name(each)) for each in at_edge),
            ),
            needs=("namespaces", gateway.KEY),
            undo=f"kubectl delete httproutes -n {where} -l app.kubernetes.io/managed-by=maas",
            affects="clients find models at other addresses",
        )
    ]


def _attached(where: str, called: str) -> Wait:
    return Wait(kinds.HTTP_ROUTE, called, where, conditions.attached, f"HTTPRoute {where}/{called} is Accepted", 120.0)


def http_routes(wanted: Wanted) -> list[Body]:
    found = [*_shared(wanted), *(_of_model(wanted, model) for model in names.models(wanted))]
    return found if wanted.site.target is Target.openshift else [*found, _redirect(wanted)]


def _shared(wanted: Wanted) -> Iterator[Body]:
    """A name is a rule: it can rewrite one prefix only."""
    every = [(called, model) for model in names.models(wanted) for called in names.called(model)]
    rules = [_rule(model, [_prefix(f"{names.prefix(called)}/v1")], _rewritten()) for called, model in every]
    for at in range(0, len(rules), _MOST_RULES):
        called = f"{names.SHARED}-{at // _MOST_RULES + 1}" if at else names.SHARED
        yield _route(wanted, called, [names.shared_host(wanted)], rules[at : at + _MOST_RULES])


def _rewritten() -> Body:
    """A server knows nothing of the prefix."""
    return {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"}},
    }


def _of_model(wanted: Wanted, model: Model) -> Body:
    matches = [*(_exact(path) for path in METERED), _prefix(CATALOGUE)]
    return _route(wanted, names.object_name(model.name), names.hosts(wanted, model), [_rule(model, matches)])


def _rule(model: Model, matches: Sequence[Body], *filters: Body) -> Body:
    backend = {"group": "", "kind": "Service", "name": names.service(model), "port": 80, "weight": 1}
    return {
        "matches": list(matches),
        "filters": [*filters, _PLAIN],
        "backendRefs": [backend],
        "timeouts": {"request": TIMEOUT},
    }


def _exact(path: str) -> Body:
    return {"path": {"type": "Exact", "value": path}}


def _prefix(path: str) -> Body:
    return {"path": {"type": "PathPrefix", "value": path}}


def _redirect(wanted: Wanted) -> Body:
    """Of http to https: over http, keys could be read on the way."""
    to_https = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    rule = {"matches": [_prefix("/")], "filters": [to_https]}
    return _route(wanted, _REDIRECT, [f"*.{wanted.site.domain}"], [rule], gateway.HTTP)


def _route(wanted: Wanted, called: str, hosts: Sequence[str], rules: Sequence[Body], listener: str = "") -> Body:
    behind_router = wanted.site.target is Target.openshift
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY,
        "sectionName": listener or (gateway.HTTP if behind_router else gateway.HTTPS),
    }
    spec = {"parentRefs": [parent], "hostnames": list(hosts), "rules": list(rules)}
    return made(gateway.API, "HTTPRoute", called, wanted.namespace, spec=spec)
