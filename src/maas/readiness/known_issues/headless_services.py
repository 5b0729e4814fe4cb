"""A route leads to a headless Service whose port is not the container's.

Istio's gateways go to endpoints and manage; whoever asks DNS does not: a headless Service translates no port, so
port 80 is refused where the container listens on 8080.
"""

from collections.abc import Iterator
from typing import Any

from maas.cluster.changes import Change, Verb, edit
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import HTTP_ROUTE, SERVICE, SMCP
from maas.cluster.objects import Object, at, items, mapping, name, namespace, place, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, listed, said

_FLAGS = (" 503 UH ", " 503 UF", "no_healthy_upstream")


@known_issue(
    "MAAS-403",
    "routes lead to Services that translate ports",
    sign="An HTTPRoute's backend is a Service with clusterIP None whose port differs from its targetPort; the "
    "gateway's log shows 503 with UH or UF.",
    cause="A headless Service translates no ports: clients that resolve its name are refused on port 80. Gateways of "
    "Istio 1.7 and newer reach the pods themselves; OpenShift Service Mesh 2 and meshed clients may not. OpenShift AI "
    "makes headless Services unless told otherwise.",
    mend="A second Service with a cluster IP, to which the route leads. On OpenShift AI "
    "spec.components.kserve.rawDeploymentServiceConfig: Headed in the DataScienceCluster, for models made afterwards.",
    needs=(HTTP_ROUTE,),
    covers=("Issue 3: KServe Headless Service Issues",),
    explains=("MAAS-350",),
)
def headless_backends(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    services = {(namespace(each), name(each)): each for each in facts.all(SERVICE) if _is_headless(each)}
    users: dict[tuple[str, str], list[Object]] = {}
    for route in facts.all(HTTP_ROUTE):
        for key in sorted({_target(route, backend) for backend in _backends(route)} & services.keys()):
            users.setdefault(key, []).append(route)
    for key, routes in users.items():
        yield _outcome(facts, services[key], routes)


def _outcome(facts: Facts, service: Object, routes: list[Object]) -> Outcome:
    refused = list(said((log for log in facts.logs if _is_of_gateway(log.pod, routes)), *_FLAGS))
    ports = ", ".join(f"{at(p, 'port')} to {at(p, 'targetPort')}" for p in items(service, "spec", "ports"))
    seen = (
        Seen(called(SERVICE, service), "spec.clusterIP", "None"),
        Seen(called(SERVICE, service), "spec.ports", ports),
        *few([Seen(called(HTTP_ROUTE, route), "spec.rules.backendRefs", name(service)) for route in routes]),
        *few(refused),
    )
    old_mesh = bool(facts.known(SMCP))
    remedy, about = _remedy(service, routes), called(SERVICE, service)
    to = f"it is headless, and HTTPRoute {listed([place(route) for route in routes])} leads to it"
    if refused or old_mesh:
        why = "the gateway answers 503" if refused else "OpenShift Service Mesh 2 cannot route there"
        return failed(f"{to}: {why}", *seen, remedy=remedy, about=about)
    return warning(
        f"{to}: Istio's gateways manage, clients that use its name are refused", *seen, remedy=remedy, about=about
    )


def _is_headless(service: Object) -> bool:
    translated = any(at(p, "targetPort") not in (None, at(p, "port")) for p in items(service, "spec", "ports"))
    return text(service, "spec", "clusterIP") == "None" and translated and bool(mapping(service, "spec", "selector"))


def _backends(route: Object) -> list[Any]:
    return [backend for rule in items(route, "spec", "rules") for backend in items(rule, "backendRefs")]


def _target(route: Object, backend: Object) -> tuple[str, str]:
    if text(backend, "kind") not in ("", "Service"):
        return "", ""
    return text(backend, "namespace") or namespace(route), text(backend, "name")


def _is_of_gateway(pod: str, routes: list[Object]) -> bool:
    parents = [text(ref, "name") for route in routes for ref in items(route, "spec", "parentRefs")]
    return any(parent and pod.startswith(f"{parent}-") for parent in parents)


def _remedy(service: Object, routes: list[Object]) -> Remedy:
    beside = f"{name(service).removesuffix('-predictor')}-gateway-svc"
    keys = ("name", "port", "targetPort", "protocol", "appProtocol")
    ports = [{k: port[k] for k in keys if k in port} for port in items(service, "spec", "ports")]
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": beside, "namespace": namespace(service), "labels": {"app.kubernetes.io/part-of": "maas"}},
        "spec": {"type": "ClusterIP", "selector": dict(mapping(service, "spec", "selector")), "ports": ports},
    }
    made = Change(Verb.apply, SERVICE, beside, namespace(service), manifest, "a Service with an address of its own")
    return Remedy(
        "Make a Service with a cluster IP beside it, then lead the route there.",
        changes=(made, *(_rerouted(route, service, beside) for route in routes)),
    )


def _rerouted(route: Object, service: Object, to: str) -> Change:
    old, operations = (namespace(service), name(service)), []
    for position, rule in enumerate(items(route, "spec", "rules")):
        for number, backend in enumerate(items(rule, "backendRefs")):
            if _target(route, backend) == old:
                path = f"/spec/rules/{position}/backendRefs/{number}/name"
                operations.append({"op": "test", "path": path, "value": name(service)})
                operations.append({"op": "replace", "path": path, "value": to})
    return edit(HTTP_ROUTE, name(route), namespace(route), operations, "the route leads to it")
