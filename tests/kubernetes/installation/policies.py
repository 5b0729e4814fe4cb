"""Kuadrant's operator, and those of Authorino and Limitador.

From facts/cluster.md §1.6 (looked for at boot only: Gateway API, Istio's kinds, cert-manager; MissingDependency and its
message; what the Kuadrant resource brings; ISTIO_GATEWAY_CONTROLLER_NAMES), §2.4 (conditions and reasons of policies; a
policy on a gateway without routes is never Enforced; what is written on targets) and §2.5. Finalizers: the operators'
sources keep the Authorino and the Kuadrant resource until they have seen them go.
"""

from collections.abc import Iterator
from typing import Any

from maas.cluster import kinds
from maas.cluster.components import kuadrant as component
from maas.cluster.objects import Object, condition, items, name, namespace, text
from tests.kubernetes.installation.gateways import controller_of
from tests.kubernetes.installation.playing import Deed, Finalize, Make, Status, owned
from tests.kubernetes.installation.telling import in_front, is_ending, plain, said, workload
from tests.kubernetes.installation.world import World

_LOOKED_FOR = (kinds.GATEWAY, kinds.HTTP_ROUTE)
_OF_ISTIO = (kinds.ENVOY_FILTER,)
_RESTART = "please restart Kuadrant Operator pod once dependency has been installed"
_NO_PROVIDER = f"[Gateway API provider (istio / envoy gateway)] is not installed, {_RESTART}"
_POLICIES = (kinds.AUTH_POLICY, kinds.RATE_LIMIT_POLICY, kinds.TOKEN_RATE_LIMIT_POLICY, kinds.TLS_POLICY)
FINALIZER = "kuadrant.io/finalizer"


def kuadrant(world: World) -> Iterator[Deed]:
    operator = world.available(component.OPERATOR)
    if operator is None or not world.serves(kinds.KUADRANT):
        return
    ready = _booted_with_all(world, operator)
    for resource in world.all(kinds.KUADRANT):
        yield Finalize(resource, FINALIZER)
        if not is_ending(resource):
            yield from _resource(world, resource, ready)
    for kind in _POLICIES:
        for policy in world.all(kind):
            if not is_ending(policy):
                yield from _policy(world, policy, operator, ready)
    yield from _affected(world)
    yield from _data_plane(world, operator, ready)


def _booted_with_all(world: World, operator: Object) -> bool:
    """What was there when the pods of this revision of the Deployment came up. Nobody looks again until it restarts."""
    booted: dict[Any, bool] = world.memory.setdefault("kuadrant booted", {})
    metadata = operator["metadata"]
    revision = metadata["uid"], metadata["generation"]
    return booted.setdefault(revision, world.serves(*_LOOKED_FOR, *_OF_ISTIO))


def _resource(world: World, resource: Object, ready: bool) -> Iterator[Deed]:
    if not ready:
        yield _told(resource, False, "MissingDependency", _NO_PROVIDER)
        return
    where = namespace(resource)
    off = {"tls": {"enabled": False}}
    authorino = {"clusterWide": True, "supersedingHostSubsets": True, "listener": off, "oidcServer": off}
    for version, kind, called, spec in (
        ("operator.authorino.kuadrant.io/v1beta1", "Authorino", "authorino", authorino),
        ("limitador.kuadrant.io/v1alpha1", "Limitador", "limitador", {}),
    ):
        made = {"apiVersion": version, "kind": kind, "metadata": {"name": called, "namespace": where}, "spec": spec}
        yield Make(owned(made, resource), "kuadrant-operator")
    for needed, reason in ((kinds.LIMITADOR, "LimitadorNotReady"), (kinds.AUTHORINO, "AuthorinoNotReady")):
        if not any(condition(each, "Ready").get("status") == "True" for each in world.all(needed)):
            yield _told(resource, False, reason, f"{needed.name} is not ready yet")
            return
    yield _told(resource, True, "Ready", "Kuadrant is ready")


def _told(resource: Object, holds: bool, reason: str, message: str) -> Deed:
    seen = resource["metadata"]["generation"]
    more = {"observedGeneration": seen, "mtlsAuthorino": False, "mtlsLimitador": False}
    return Status(resource, {"conditions": [plain(said(resource, "Ready", holds, reason, message))], **more})


def authorino_operator(world: World) -> Iterator[Deed]:
    if world.available("authorino-operator") is None:
        return
    for resource in world.all(kinds.AUTHORINO):
        yield Finalize(resource, "operator.authorino.kuadrant.io/finalizer")
        if is_ending(resource):
            continue
        where, called = namespace(resource), name(resource)
        labels = {"authorino-resource": called, "control-plane": "controller-manager"}
        image = "quay.io/kuadrant/authorino:v0.26.2"
        quiet = {"sidecar.istio.io/inject": "false"}
        yield Make(owned(workload(called, where, image, labels, **quiet), resource), "authorino-operator")
        service = in_front(f"{called}-authorino-authorization", where, {"grpc": 50051, "http": 5001}, labels)
        yield Make(owned(service, resource), "authorino-operator")
        up = world.available(called, where) is not None
        told = plain(said(resource, "Ready", up, "Provisioned" if up else "DeploymentNotReady"))
        yield Status(resource, {"conditions": [told]})


def limitador_operator(world: World) -> Iterator[Deed]:
    if world.available("limitador-operator-controller-manager") is None:
        return
    for resource in world.all(kinds.LIMITADOR):
        if is_ending(resource):
            continue
        where, called = namespace(resource), f"limitador-{name(resource)}"
        labels = {"app": "limitador", "limitador-resource": name(resource)}
        image = "quay.io/kuadrant/limitador:v2.4.2"
        quiet = {"sidecar.istio.io/inject": "false"}
        yield Make(owned(workload(called, where, image, labels, **quiet), resource), "limitador-operator")
        yield Make(owned(in_front(called, where, {"http": 8080, "grpc": 8081}, labels), resource), "limitador-operator")
        up = world.available(called, where) is not None
        host = f"{called}.{where}.svc.cluster.local"
        yield Status(
            resource,
            {
                "observedGeneration": resource["metadata"]["generation"],
                "conditions": [plain(said(resource, "Ready", up, "Ready" if up else "LimitadorNotAvailable"))],
                "service": {"host": host, "ports": {"http": 8080, "grpc": 8081}},
            },
        )


def _policy(world: World, policy: Object, operator: Object, ready: bool) -> Iterator[Deed]:
    kind = str(policy["kind"])
    target = _target(world, policy)
    seen = {"observedGeneration": policy["metadata"]["generation"]}
    if not ready:
        told = [_condition(policy, "Accepted", False, "MissingDependency", _NO_PROVIDER)]
    elif target is None:
        message = f"{kind} target {text(policy, 'spec', 'targetRef', 'name')} was not found"
        told = [_condition(policy, "Accepted", False, "TargetNotFound", message)]
    else:
        enforced = _enforced(world, policy, target, operator)
        told = [_condition(policy, "Accepted", True, "Accepted", f"{kind} has been accepted"), enforced]
        if kind == "TLSPolicy":
            yield from _certificates(policy, target)
    yield Status(policy, {"conditions": told, **seen})


def _condition(policy: Object, type: str, holds: bool, reason: str, message: str) -> dict[str, Any]:
    return plain(said(policy, type, holds, reason, message))


def _target(world: World, policy: Object) -> Object | None:
    named = text(policy, "spec", "targetRef", "name")
    kind = kinds.GATEWAY if text(policy, "spec", "targetRef", "kind") == "Gateway" else kinds.HTTP_ROUTE
    return world.one(kind, named, namespace(policy))


def _enforced(world: World, policy: Object, target: Object, operator: Object) -> dict[str, Any]:
    kind = str(policy["kind"])
    if not any(condition(each, "Ready").get("status") == "True" for each in world.all(kinds.KUADRANT)):
        message = "kuadrant is not installed, please create resource"
        return _condition(policy, "Enforced", False, "MissingResource", message)
    if kind != "TLSPolicy" and not _is_in_a_path(world, target, operator):
        message = f"{kind} is not in the path to any existing routes"
        return _condition(policy, "Enforced", False, "Unknown", message)
    return _condition(policy, "Enforced", True, "Enforced", f"{kind} has been successfully enforced")


def _is_in_a_path(world: World, target: Object, operator: Object) -> bool:
    """Of a gateway whose controller the operator takes for Istio, and that has a route."""
    known = component.gateway_controllers(operator)
    routes = [target] if target["kind"] == "HTTPRoute" else world.all(kinds.HTTP_ROUTE)
    for route in routes:
        for parent in items(route, "spec", "parentRefs"):
            where = text(parent, "namespace") or namespace(route)
            gateway = world.one(kinds.GATEWAY, text(parent, "name"), where)
            if gateway is None or controller_of(world, gateway) not in known:
                continue
            if target["kind"] == "HTTPRoute" or (where, name(gateway)) == (namespace(target), name(target)):
                return True
    return False


def _affected(world: World) -> Iterator[Deed]:
    """Targets are told which kinds of policies are about them; once none is, no longer."""
    for gateway in world.all(kinds.GATEWAY):
        found = items(gateway, "status", "conditions")
        others = [each for each in found if not text(each, "type").startswith("kuadrant.io/")]
        told = [
            said(gateway, f"kuadrant.io/{kind.name}Affected", True, "Accepted", f"Object affected by {kind.name}")
            for kind in _POLICIES
            if any(_target(world, each) is gateway and not is_ending(each) for each in world.all(kind))
        ]
        if others:
            yield Status(gateway, {"conditions": [*others, *told]})


def _certificates(policy: Object, gateway: Object) -> Iterator[Deed]:
    """A TLSPolicy makes a Certificate for each listener with HTTPS."""
    for listener in items(gateway, "spec", "listeners"):
        for secret in items(listener, "tls", "certificateRefs"):
            spec = {
                "secretName": text(secret, "name"),
                "dnsNames": [text(listener, "hostname") or "*"],
                "issuerRef": dict(policy["spec"]["issuerRef"]),
            }
            certificate = {
                "apiVersion": "cert-manager.io/v1",
                "kind": "Certificate",
                "metadata": {
                    "name": f"{name(gateway)}-{text(listener, 'name')}",
                    "namespace": namespace(gateway),
                    "labels": {"kuadrant.io/tlspolicy": name(policy)},
                },
                "spec": spec,
            }
            yield Make(owned(certificate, policy), "kuadrant-operator")


def _data_plane(world: World, operator: Object, ready: bool) -> Iterator[Deed]:
    """The EnvoyFilter that brings the wasm to each gateway with a policy."""
    if not ready or not world.serves(kinds.ENVOY_FILTER):
        return
    known = component.gateway_controllers(operator)
    for gateway in world.all(kinds.GATEWAY):
        about = [each for kind in _POLICIES[:3] for each in world.all(kind) if _target(world, each) is gateway]
        if not about or is_ending(gateway) or controller_of(world, gateway) not in known:
            continue
        filter = {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": f"kuadrant-{name(gateway)}", "namespace": namespace(gateway)},
            "spec": {"workloadSelector": {"labels": {"gateway.networking.k8s.io/gateway-name": name(gateway)}}},
        }
        yield Make(owned(filter, gateway), "kuadrant-operator")


PLAYERS = (kuadrant, authorino_operator, limitador_operator)
