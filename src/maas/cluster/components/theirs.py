"""What others have installed on a Kubernetes cluster: it is used and left alone, whatever its version.

Whether a version will do is for the checks to judge, before an installation begins. What we installed is known by the
labels of its Helm release, since Helm labels all that a chart makes as its own.
"""

from collections.abc import Callable

from maas.cluster import helm
from maas.cluster.components import cert_manager, gateway_api, gpu_operator, istio, kserve, kuadrant
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NODE, RELEASE
from maas.cluster.objects import label, mapping
from maas.cluster.wanted import KUADRANT, MANAGED_BY

_Theirs = Callable[[Facts], bool]


def on_kubernetes(facts: Facts) -> frozenset[str]:
    """Keys of the steps that are theirs. Of a reading with `ours`. Raises NotRead."""
    return frozenset(
        key for key, (release, is_there) in _STEPS.items() if not _ours(facts, release) and is_there(facts)
    )


def _ours(facts: Facts, release: tuple[str, str]) -> bool:
    return any(each.ours and (each.namespace, each.name) == release for each in helm.newest(facts.all(RELEASE)))


def _gateway_api(facts: Facts) -> bool:
    found = gateway_api.crds(facts).values()
    return all(each is not None and label(each, MANAGED_BY) != "maas" for each in found)


def _kuadrant(facts: Facts) -> bool:
    return any(label(each, MANAGED_BY) != "maas" for each in kuadrant.instances(facts))


def _gpus(facts: Facts) -> bool:
    """The operator, or a cloud that brings driver and device plug-in itself."""
    if gpu_operator.installations(facts):
        return True
    return any(gpu_operator.RESOURCE in mapping(each, "status", "allocatable") for each in facts.all(NODE))


_STEPS: dict[str, tuple[tuple[str, str], _Theirs]] = {
    "gateway-api": (("", ""), _gateway_api),
    "cert-manager": ((cert_manager.NAMESPACE, "cert-manager"), lambda facts: bool(cert_manager.installations(facts))),
    "istio": ((istio.NAMESPACE, "istiod"), lambda facts: bool(istio.control_planes(facts))),
    "kuadrant-operator": (
        (KUADRANT, "kuadrant-operator"),
        lambda facts: bool(kuadrant.installations(facts)),
    ),
    "kuadrant": (("", ""), _kuadrant),
    "kserve-crd": ((kserve.NAMESPACE, "kserve-crd"), lambda facts: bool(kserve.controllers(facts))),
    "kserve": ((kserve.NAMESPACE, "kserve"), lambda facts: bool(kserve.controllers(facts))),
    "gpu-operator": (("gpu-operator", "gpu-operator"), _gpus),
    "nfd": (("gpu-operator", "gpu-operator"), gpu_operator.has_nfd),
}
