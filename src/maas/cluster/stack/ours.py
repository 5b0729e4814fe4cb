"""Which gateways, routes and models make up the platform.

MaaS labels its own objects. Others name theirs as they like, so what has no label is known by what it does: a gateway
is ours if a Kuadrant policy or a route to a model says so. The namespace that was asked for decides last.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from maas.cluster import kinds
from maas.cluster.facts.model import Facts, Unread
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, items, label, mapping, name, namespace, place, text

NAMES = frozenset({"maas-gateway", "maas-default-gateway", "inference-gateway"})
POLICIES = (kinds.AUTH_POLICY, kinds.RATE_LIMIT_POLICY, kinds.TOKEN_RATE_LIMIT_POLICY, kinds.TLS_POLICY)
KUADRANT = "kuadrant-system"
_GATEWAY_API = "gateway.networking.k8s.io"


@dataclass(frozen=True)
class Target:
    """What a policy or a route attaches to."""

    kind: str
    namespace: str
    name: str
    section: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" + (f" ({self.section})" if self.section else "")

    def means(self, kind: Kind, object: Object) -> bool:
        return (self.kind, self.namespace, self.name) == (kind.name, namespace(object), name(object))


def is_ours(object: Object) -> bool:
    """By label."""
    return label(object, "app.kubernetes.io/part-of") == "maas" or label(object, "app") == "maas"


def parents(route: Object) -> list[Target]:
    """The gateways that an HTTPRoute wants to be attached to."""
    return [
        Target("Gateway", text(ref, "namespace") or namespace(route), text(ref, "name"), text(ref, "sectionName"))
        for ref in items(route, "spec", "parentRefs")
        if text(ref, "kind") in ("", "Gateway")
    ]


def targets(policy: Object) -> list[Target]:
    """Policies attach to one object of their own namespace; a list of them is what some versions have."""
    refs = [mapping(policy, "spec", "targetRef"), *items(policy, "spec", "targetRefs")]
    return [
        Target(text(ref, "kind"), namespace(policy), text(ref, "name"), text(ref, "sectionName"))
        for ref in refs
        if text(ref, "name") and text(ref, "group") in ("", _GATEWAY_API)
    ]


def gateways(facts: Facts, preferred: str = "") -> list[Object]:
    """Raises NotRead. preferred: the namespace to look into if nothing else tells."""
    every = list(facts.all(kinds.GATEWAY))
    named = [gateway for gateway in every if is_ours(gateway) or name(gateway) in NAMES]
    return named or _used(facts, every) or [gateway for gateway in every if namespace(gateway) == preferred]


def routes(facts: Facts, of: Sequence[Object]) -> list[Object]:
    """The HTTPRoutes that want to be attached to one of these gateways. Raises NotRead."""
    return [route for route in facts.all(kinds.HTTP_ROUTE) if attached(route, of)]


def policies(facts: Facts, kind: Kind, gateways: Sequence[Object], routes: Sequence[Object]) -> list[Object]:
    """Those that target these, and those beside them that target nothing there is. Raises NotRead."""
    beside = {namespace(each) for each in (*gateways, *routes)}
    return [
        policy
        for policy in facts.all(kind)
        if aimed_at(policy, gateways, routes) or namespace(policy) in beside or is_ours(policy)
    ]


def aimed_at(policy: Object, gateways: Iterable[Object], routes: Iterable[Object]) -> list[Object]:
    wanted = targets(policy)
    return [
        *(gateway for gateway in gateways if any(t.means(kinds.GATEWAY, gateway) for t in wanted)),
        *(route for route in routes if any(t.means(kinds.HTTP_ROUTE, route) for t in wanted)),
    ]


def models(facts: Facts) -> list[tuple[Kind, Object]]:
    """Raises NotRead."""
    found = (kinds.INFERENCE_SERVICE, kinds.LLM_INFERENCE_SERVICE)
    return [(kind, object) for kind in found for object in facts.all(kind)]


def namespaces(facts: Facts, preferred: str = "") -> frozenset[str]:
    """Where gateways, models and Kuadrant are, as far as that was read."""
    known = [*known_gateways(facts, preferred), *facts.known(kinds.INFERENCE_SERVICE)]
    known += [*facts.known(kinds.LLM_INFERENCE_SERVICE), *facts.known(kinds.KUADRANT)]
    return frozenset({KUADRANT, preferred, *map(namespace, known)} - {""})


def model_pods(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return [pod for pod in facts.all(kinds.POD) if model_of(pod)]


def model_of(pod: Object) -> str:
    """The InferenceService or LLMInferenceService whose pod this is; "" for none."""
    if named := label(pod, "serving.kserve.io/inferenceservice"):
        return named
    is_llm = label(pod, "app.kubernetes.io/part-of") == "llminferenceservice" or label(pod, "kserve.io/component")
    return label(pod, "app.kubernetes.io/name") if is_llm else ""


def shown(kind: Kind, object: Object) -> str:
    return f"{kind.name} {place(object)}"


def known_gateways(facts: Facts, preferred: str) -> list[Object]:
    """As far as they were read: never raises."""
    readable = all(not _unread(facts, kind) for kind in (kinds.GATEWAY, kinds.HTTP_ROUTE, *POLICIES))
    return gateways(facts, preferred) if readable else list(facts.known(kinds.GATEWAY))


def _unread(facts: Facts, kind: Kind) -> bool:
    return isinstance(facts.lists.get(kind.key), Unread)


def _used(facts: Facts, every: Sequence[Object]) -> list[Object]:
    """Those that a policy or a route to a model names."""
    routes_of_all = list(facts.known(kinds.HTTP_ROUTE))
    meant = set(_policy_targets(facts, routes_of_all)) | set(_model_parents(facts, routes_of_all))
    return [gateway for gateway in every if (namespace(gateway), name(gateway)) in meant]


def _policy_targets(facts: Facts, routes: Sequence[Object]) -> Iterator[tuple[str, str]]:
    for kind in POLICIES[:3]:
        for policy in facts.known(kind):
            for target in targets(policy):
                yield target.namespace, target.name
            for route in aimed_at(policy, (), routes):
                yield from ((parent.namespace, parent.name) for parent in parents(route))


def _model_parents(facts: Facts, routes: Sequence[Object]) -> Iterator[tuple[str, str]]:
    models = {(namespace(o), name(o)) for k in (kinds.INFERENCE_SERVICE,) for o in facts.known(k)}
    for route in routes:
        if any(_is_of_model(ref, models) for ref in backends(route)):
            yield from ((parent.namespace, parent.name) for parent in parents(route))


def backends(route: Object) -> list[Target]:
    """What the rules of an HTTPRoute send requests to; section is the port."""
    return [
        Target(
            text(ref, "kind") or "Service",
            text(ref, "namespace") or namespace(route),
            text(ref, "name"),
            str(ref.get("port", "")),
        )
        for rule in items(route, "spec", "rules")
        for ref in items(rule, "backendRefs")
    ]


def _is_of_model(backend: Target, models: set[tuple[str, str]]) -> bool:
    named = backend.name.removesuffix("-predictor")
    return backend.kind == "InferencePool" or (backend.namespace, named) in models


def attached(route: Object, gateways: Sequence[Object]) -> bool:
    """Whether it wants to be attached to one of these."""
    return any(parent.means(kinds.GATEWAY, gateway) for parent in parents(route) for gateway in gateways)
