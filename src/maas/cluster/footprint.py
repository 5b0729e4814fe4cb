"""What the stack's own pods request, so that the room for them can be judged before they are there.

Only requests count, since only they keep a pod from being placed. The numbers are the defaults of the releases that
are pinned: Istio's charts, config/manager/manager.yaml of the operators, and the models that MaaS writes itself.
cert-manager and Authorino request nothing by default.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT
from maas.cluster.objects import name

_MIB = 2**20


@dataclass(frozen=True)
class Part:
    """deployments: how the name of its Deployment may begin; where there is one, its requests are counted already.

    cpu: thousandths; memory: bytes; of each replica.
    """

    name: str
    deployments: tuple[str, ...]
    cpu: int
    memory: int
    replicas: int = 1
    only: str = ""  # "openshift", "kubernetes", or "" for both


PARTS: tuple[Part, ...] = (
    Part("istiod", ("istiod",), 500, 2048 * _MIB),
    Part("the gateway's Envoy", ("maas-gateway-",), 100, 128 * _MIB),
    Part("kuadrant-operator", ("kuadrant-operator-controller-manager",), 200, 200 * _MIB),
    Part("authorino-operator", ("authorino-operator",), 200, 200 * _MIB),
    Part("limitador-operator", ("limitador-operator-controller-manager",), 200, 200 * _MIB),
    Part("dns-operator", ("dns-operator-controller-manager",), 10, 64 * _MIB),
    Part("limitador", ("limitador-limitador",), 250, 32 * _MIB),
    Part("KServe", ("kserve-controller-manager",), 100, 300 * _MIB),
    Part(
        "OpenShift AI's operator",
        ("rhods-operator", "opendatahub-operator"),
        100,
        780 * _MIB,
        replicas=3,
        only="openshift",
    ),
)
SIMULATOR = Part("the simulator", ("simulator-predictor",), 100, 256 * _MIB)


def missing(facts: Facts, target: str, models: Collection[str]) -> Iterator[Part]:
    """Pods that are still to come, one entry for each. Raises NotRead, since what nobody saw may be there."""
    deployments = [name(each) for each in facts.whole(DEPLOYMENT)]
    wanted = [*PARTS, *([SIMULATOR] if "simulator" in models else [])]
    for part in wanted:
        if part.only in ("", target) and not any(each.startswith(part.deployments) for each in deployments):
            yield from [part] * part.replicas
