"""Which Services, and so which rules of routes, lead to models."""

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, items, mapping, name, namespace, selects, text
from maas.cluster.stack import ends, ours

_INFERENCE_SERVICE = "serving.kserve.io/inferenceservice"
_COMPLETIONS = ("/v1/chat", "/v1/completions", "/v1/responses", "/v1/messages")
_ASIDE = ("/models", "/health", "/healthz", "/ready", "/metrics")


def services(facts: Facts) -> dict[tuple[str, str], Object]:
    """By namespace and name, those that choose a model's pods, or will: with a pod of it, if there is one."""
    return facts.derived(_services)


def _services(facts: Facts) -> dict[tuple[str, str], Object]:
    by_label: dict[tuple[str, str, str], list[Object]] = {}
    for pod in facts.known(kinds.POD):
        if ours.model_of(pod) and not ends.is_over(pod):
            for key, value in mapping(pod, "metadata", "labels").items():
                by_label.setdefault((namespace(pod), str(key), str(value)), []).append(pod)
    found = {}
    for service in facts.known(kinds.SERVICE):
        if chosen := _chosen(service, by_label):
            found[namespace(service), name(service)] = chosen
    return found


def _chosen(service: Object, by_label: dict[tuple[str, str, str], list[Object]]) -> Object | None:
    selector = mapping(service, "spec", "selector")
    if not selector:
        return None
    near = (by_label.get((namespace(service), str(key), str(value)), []) for key, value in selector.items())
    fewest = min(near, key=len)
    there = (pod for pod in fewest if selects({"matchLabels": selector}, mapping(pod, "metadata", "labels")))
    to_come = {"metadata": {"namespace": namespace(service), "name": name(service), "labels": dict(selector)}}
    return next(there, to_come if _INFERENCE_SERVICE in selector else None)


def asks_models(facts: Facts, route: Object, rule: Object) -> bool:
    """Whether completions go by this rule; what only lists models or looks after health is done at once."""
    paths = [text(match, "path", "value") for match in items(rule, "matches")]
    if paths and all(path.rstrip("/").endswith(_ASIDE) for path in paths):
        return False
    if any(path.startswith(_COMPLETIONS) or path.rstrip("/") == "/v1" for path in paths):
        return True
    return any(_is_model(facts, route, ref) for ref in items(rule, "backendRefs"))


def _is_model(facts: Facts, route: Object, ref: Object) -> bool:
    where = text(ref, "namespace") or namespace(route)
    return text(ref, "kind") == "InferencePool" or (where, text(ref, "name")) in services(facts)
