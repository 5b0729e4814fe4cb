"""Istio's Gateway API controller, OpenShift's ingress operator and router, and a cloud's load balancers.

From facts/cluster.md §1.1 (conditions and reasons of Gateways and routes, who answers for which class), §1.3 (istiod
makes the GatewayClasses where the CRDs are, and Deployment and Service GATEWAY-CLASS) and §2.12 (Route).
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maas.cluster import kinds
from maas.cluster.objects import Object, annotation, items, mapping, name, namespace, selects, text
from tests.kubernetes.installation.brought import definitions
from tests.kubernetes.installation.playing import Deed, Make, Status, owned
from tests.kubernetes.installation.telling import in_front, is_ending, said, workload
from tests.kubernetes.installation.world import SECRET, World

ISTIO, BUILT_IN = "istio.io/gateway-controller", "openshift.io/gateway-controller/v1"
_GROUP = "gateway.networking.k8s.io"
_ADDRESS = "203.0.113.7"


def istio(world: World) -> Iterator[Deed]:
    """istiod: classes of its own, and everything about the Gateways of those it answers for."""
    if not world.serves(kinds.GATEWAY_CLASS, kinds.GATEWAY, kinds.HTTP_ROUTE):
        return
    upstream = world.available("istiod") is not None
    if upstream:
        for called, controller in (("istio", ISTIO), ("istio-remote", "istio.io/unmanaged-gateway")):
            yield Make(_class(called, controller), "pilot-discovery")
        yield from (Make(_root(name(each)), "pilot-discovery") for each in world.all(kinds.NAMESPACE) if _is_told(each))
    for each in world.all(kinds.GATEWAY_CLASS):
        if _answers(world, text(each, "spec", "controllerName"), upstream):
            accepted = said(each, "Accepted", True, "Accepted", "Handled by Istio controller")
            yield Status(each, {"conditions": [accepted]})
    for gateway in world.all(kinds.GATEWAY):
        if _answers(world, controller_of(world, gateway), upstream) and not is_ending(gateway):
            yield from _gateway(world, gateway)
    for route in world.all(kinds.HTTP_ROUTE):
        yield from _route(world, route, upstream)


def _root(where: str) -> Object:
    """istiod writes its root certificate into each namespace, and leaves it there."""
    metadata = {"name": "istio-ca-root-cert", "namespace": where, "labels": {"istio.io/config": "true"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"root-cert.pem": "x"}}


def _is_told(namespace: Object) -> bool:
    return not is_ending(namespace) and name(namespace) not in ("kube-system", "kube-public", "kube-node-lease")


def _answers(world: World, controller: str, upstream: bool) -> bool:
    """OpenShift's own runs as istiod-openshift-gateway, which the ingress operator brings (see ingress_operator)."""
    if controller == BUILT_IN:
        return world.available("istiod-openshift-gateway", "openshift-ingress") is not None
    return upstream and controller.startswith("istio.io/")


def controller_of(world: World, gateway: Object) -> str:
    found = world.one(kinds.GATEWAY_CLASS, text(gateway, "spec", "gatewayClassName"))
    return text(found, "spec", "controllerName")


def _class(called: str, controller: str) -> Object:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": called},
        "spec": {"controllerName": controller, "description": "The default Istio GatewayClass"},
    }


def _gateway(world: World, gateway: Object) -> Iterator[Deed]:
    where, called = namespace(gateway), f"{name(gateway)}-{text(gateway, 'spec', 'gatewayClassName')}"
    labels = {f"{_GROUP}/gateway-name": name(gateway)} | dict(mapping(gateway, "spec", "infrastructure", "labels"))
    chosen = {f"{_GROUP}/gateway-name": name(gateway)}
    ports = {text(each, "name"): each["port"] for each in items(gateway, "spec", "listeners")}
    service = in_front(called, where, {"status-port": 15021, **ports}, chosen)
    service["metadata"]["labels"] = labels
    if _type(gateway) == "LoadBalancer":
        service["spec"]["type"] = "LoadBalancer"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": called, "namespace": where}}
    proxy = workload(called, where, "docker.io/istio/proxyv2:1.30.3", chosen)
    for each in (account, service, proxy):
        yield Make(owned(each, gateway), "istio.io/gateway-controller")
    yield Status(gateway, _status(world, gateway, called))


def _type(gateway: Object) -> str:
    of_infrastructure = text(gateway, "spec", "infrastructure", "annotations", "networking.istio.io/service-type")
    return of_infrastructure or annotation(gateway, "networking.istio.io/service-type") or "LoadBalancer"


def _status(world: World, gateway: Object, called: str) -> Mapping[str, Any]:
    where = namespace(gateway)
    listeners = [_listener(world, gateway, each) for each in items(gateway, "spec", "listeners")]
    good = all(each["conditions"][0]["status"] == "True" for each in listeners)
    addresses = _addresses(world.one(kinds.SERVICE, called, where), _type(gateway))
    if not world.available(called, where):
        told = said(gateway, "Programmed", False, "Pending", "waiting for the Deployment")
    elif not good:
        told = said(gateway, "Programmed", False, "ListenersNotValid", "no listener is valid")
    elif not addresses:
        message = f'failed to assign to any requested addresses: address pending for hostname "{called}"'
        told = said(gateway, "Programmed", False, "AddressNotAssigned", message)
    else:
        told = said(gateway, "Programmed", True, "Programmed", "Resource programmed")
    accepted = said(gateway, "Accepted", True, "Accepted", "Resource accepted")
    others = [each for each in items(gateway, "status", "conditions") if text(each, "type").startswith("kuadrant.io/")]
    return {"addresses": addresses, "conditions": [accepted, told, *others], "listeners": listeners}


def _addresses(service: Object | None, type: str) -> list[dict[str, str]]:
    if service is None:
        return []
    if type == "ClusterIP":
        return [{"type": "Hostname", "value": f"{name(service)}.{namespace(service)}.svc.cluster.local"}]
    found = items(service, "status", "loadBalancer", "ingress")
    return [{"type": "IPAddress", "value": text(each, "ip")} for each in found]


def _listener(world: World, gateway: Object, listener: Object) -> dict[str, Any]:
    missing = [
        text(each, "name")
        for each in items(listener, "tls", "certificateRefs")
        if not world.one(SECRET, text(each, "name"), text(each, "namespace") or namespace(gateway))
    ]
    why = ("InvalidCertificateRef", f"secret {missing[0]} not found") if missing else ("ResolvedRefs", "")
    good = not missing
    return {
        "name": text(listener, "name"),
        "attachedRoutes": sum(1 for each in world.all(kinds.HTTP_ROUTE) if _is_attached(each, gateway, listener)),
        "supportedKinds": [{"group": _GROUP, "kind": kind} for kind in ("HTTPRoute", "GRPCRoute")],
        "conditions": [
            said(gateway, "Programmed", good, "Programmed" if good else "Invalid"),
            said(gateway, "Accepted"),
            said(gateway, "Conflicted", False, "NoConflicts"),
            said(gateway, "ResolvedRefs", good, *why),
        ],
    }


def _is_attached(route: Object, gateway: Object, listener: Object) -> bool:
    return any(
        text(parent, "sectionName") in ("", text(listener, "name"))
        for parent in items(route, "spec", "parentRefs")
        if (text(parent, "namespace") or namespace(route), text(parent, "name")) == (namespace(gateway), name(gateway))
    )


def _route(world: World, route: Object, upstream: bool) -> Iterator[Deed]:
    parents = []
    for parent in items(route, "spec", "parentRefs"):
        found = world.one(kinds.GATEWAY, text(parent, "name"), text(parent, "namespace") or namespace(route))
        if found is None or not _answers(world, controller_of(world, found), upstream):
            continue
        conditions = [_accepted(world, route, found, parent), _resolved(world, route)]
        parents.append(
            {"parentRef": dict(parent), "controllerName": controller_of(world, found), "conditions": conditions}
        )
    if parents or items(route, "status", "parents"):
        yield Status(route, {"parents": parents})


def _accepted(world: World, route: Object, gateway: Object, parent: Object) -> dict[str, Any]:
    """from: Same is the default, with which routes of other namespaces are not let in."""
    named = [
        each for each in items(gateway, "spec", "listeners") if text(parent, "sectionName") in ("", text(each, "name"))
    ]
    if any(_lets_in(world, route, gateway, each) for each in named):
        return said(route, "Accepted", True, "Accepted", "Route was valid")
    return said(route, "Accepted", False, "NotAllowedByListeners", "no listener allows routes of this namespace")


def _lets_in(world: World, route: Object, gateway: Object, listener: Object) -> bool:
    allowed = mapping(listener, "allowedRoutes", "namespaces")
    match text(allowed, "from") or "Same":
        case "All":
            return True
        case "Selector":
            own = world.one(kinds.NAMESPACE, namespace(route))
            return own is not None and selects(mapping(allowed, "selector"), mapping(own, "metadata", "labels"))
    return namespace(route) == namespace(gateway)


def _resolved(world: World, route: Object) -> dict[str, Any]:
    wanted = [ref for rule in items(route, "spec", "rules") for ref in items(rule, "backendRefs")]
    missing = [
        text(ref, "name")
        for ref in wanted
        if (text(ref, "kind") or "Service") == "Service"
        and not world.one(kinds.SERVICE, text(ref, "name"), text(ref, "namespace") or namespace(route))
    ]
    if missing:
        return said(route, "ResolvedRefs", False, "BackendNotFound", f"backend({missing[0]}) not found")
    return said(route, "ResolvedRefs", True, "ResolvedRefs", "All references resolved")


def ingress_operator(world: World) -> Iterator[Deed]:
    """OpenShift 4.19 and newer: a class of its controller makes it bring Istio's kinds and control plane.

    They are the platform's from then on: nothing says that it takes them down again.
    """
    if not world.serves(kinds.GATEWAY_CLASS, kinds.CLUSTER_OPERATOR) or not world.one(
        kinds.NAMESPACE, "openshift-ingress"
    ):
        return
    if any(text(each, "spec", "controllerName") == BUILT_IN for each in world.all(kinds.GATEWAY_CLASS)):
        image = "registry.redhat.io/openshift-service-mesh/istio-pilot:1.26"
        labels = {"app": "istiod", "managed-by": "sail-operator"}
        yield from (Make(each, "ingress-operator") for each in definitions("istio"))
        yield Make(workload("istiod-openshift-gateway", "openshift-ingress", image, labels), "ingress-operator")


def router(world: World) -> Iterator[Deed]:
    """OpenShift's: admits Routes."""
    for route in world.all(kinds.ROUTE):
        admitted = {"type": "Admitted", "status": "True", "lastTransitionTime": "2026-09-20T06:00:00Z"}
        host = text(route, "spec", "host") or f"{name(route)}-{namespace(route)}.apps.prod.example.com"
        told = {"host": host, "routerName": "default", "wildcardPolicy": "None", "conditions": [admitted]}
        yield Status(route, {"ingress": [told]})


def cloud(world: World) -> Iterator[Deed]:
    """Gives Services of type LoadBalancer an address."""
    for service in world.all(kinds.SERVICE):
        if text(service, "spec", "type") == "LoadBalancer":
            yield Status(service, {"loadBalancer": {"ingress": [{"ip": _ADDRESS, "ipMode": "VIP"}]}})


def encoded(values: Mapping[str, bytes]) -> dict[str, str]:
    return {key: base64.b64encode(value).decode() for key, value in values.items()}


PLAYERS: Sequence[Any] = (istio, ingress_operator, router, cloud)
