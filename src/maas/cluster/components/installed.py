"""What a cluster has of the stack already: in which versions, and which of it others brought.

Ours is what has our label. All else is left alone: its makers look after it, and preflight checks judge it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from maas.cluster.components import (
    cert_manager,
    gateway_api,
    gpu_operator,
    istio,
    kserve,
    kuadrant,
    olm,
    rhoai,
    serverless,
    service_mesh,
)
from maas.cluster.components.state import Installation
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.kinds import GATEWAY_CLASS, NODE_FEATURE_DISCOVERY
from maas.cluster.objects import Object, label, text
from maas.cluster.wanted import MANAGED_BY, Mesh


def is_ours(object: Object | None) -> bool:
    """Made by us, and ours to remove."""
    return label(object or {}, MANAGED_BY) == "maas"


def theirs_on_openshift(facts: Facts, mesh: Mesh) -> frozenset[str]:
    """Keys of steps that others have done. Raises NotRead."""
    return frozenset(key for key, found in _others(facts, mesh) if found)


def _others(facts: Facts, mesh: Mesh) -> Iterator[tuple[str, bool]]:
    yield "gateway-api", gateway_api.built_in(facts) or (not gateway_api.missing(facts) and _foreign_crds(facts))
    yield "gateway-class", _any_foreign(_classes(facts, mesh))
    yield "cert-manager", _foreign(cert_manager.operators(facts), cert_manager.installations(facts))
    yield "service-mesh", mesh is not Mesh.service_mesh or _foreign(service_mesh.operators_3(facts), [])
    yield "istio", mesh is not Mesh.service_mesh or _any_foreign(service_mesh.user_istios(facts))
    yield "kuadrant-operator", _foreign(kuadrant.operators(facts), kuadrant.installations(facts))
    yield "kuadrant", _any_foreign(kuadrant.instances(facts))
    yield "serverless", _foreign(serverless.operators(facts), [])
    yield "rhoai-operator", _foreign(rhoai.operators(facts), [])
    yield "rhoai", _any_foreign(rhoai.clusters(facts))
    yield "kserve", bool(kserve.controllers(facts)) and kserve.served(facts)
    yield "nfd-operator", _foreign(olm.operators(facts, olm.NFD), []) or _nfd_without_operator(facts)
    yield "nfd", _any_foreign(facts.all(NODE_FEATURE_DISCOVERY)) or _nfd_without_operator(facts)
    yield "gpu-operator", _foreign(gpu_operator.operators(facts), gpu_operator.installations(facts))
    yield "cluster-policy", _any_foreign(gpu_operator.policies(facts))


def _foreign(operators: Sequence[olm.Operator], installations: Sequence[Installation]) -> bool:
    """Whether there is one that we did not subscribe to."""
    if operators:
        return not any(is_ours(each.subscription) for each in operators)
    return bool(installations)


def _any_foreign(objects: Sequence[Object]) -> bool:
    return bool(objects) and not any(is_ours(each) for each in objects)


def _foreign_crds(facts: Facts) -> bool:
    return not any(is_ours(each) for each in gateway_api.crds(facts).values())


def _classes(facts: Facts, mesh: Mesh) -> list[Object]:
    controller = gateway_api.OPENSHIFT_CONTROLLER if mesh is Mesh.built_in else gateway_api.ISTIO_CONTROLLER
    return [each for each in facts.all(GATEWAY_CLASS) if text(each, "spec", "controllerName") == controller]


def _nfd_without_operator(facts: Facts) -> bool:
    """By the GPU Operator's chart, or by its own."""
    return gpu_operator.has_nfd(facts) and not olm.operators(facts, olm.NFD)


_VERSIONS: dict[str, Callable[[Facts], str]] = {
    "gateway-api": lambda facts: _bundle(facts),
    "cert-manager": lambda facts: _first(cert_manager.installations(facts)),
    "istio": lambda facts: _first(istio.installations(facts)),
    "service-mesh": lambda facts: _of(service_mesh.operators_3(facts)),
    "service-mesh-2": lambda facts: _of(service_mesh.operators_2(facts)),
    "kuadrant": lambda facts: _first(kuadrant.installations(facts)),
    "rhcl": lambda facts: _of(olm.operators(facts, olm.RHCL)),
    "kserve": lambda facts: _first(kserve.installations(facts)),
    "rhoai": lambda facts: _of(rhoai.operators(facts)),
    "serverless": lambda facts: _of(serverless.operators(facts)),
    "gpu-operator": lambda facts: _first(gpu_operator.installations(facts)),
}


def versions(facts: Facts) -> dict[str, str]:
    """By the keys of pins.toml; without those that are not there, tell no version or were not read."""
    found = {}
    for key, tell in _VERSIONS.items():
        with suppress(NotRead):
            found[key] = tell(facts).removeprefix("v")
    return {key: version for key, version in found.items() if version}


def _bundle(facts: Facts) -> str:
    return next((gateway_api.bundle_version(each) for each in gateway_api.crds(facts).values() if each), "")


def _first(installations: Sequence[Installation]) -> str:
    return next((each.version for each in installations if each.version), "")


def _of(operators: Sequence[olm.Operator]) -> str:
    return next((each.version for each in operators if each.version), "")
