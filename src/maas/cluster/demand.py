"""What is requested of each node, added up over its pods in one pass, as the scheduler does.

The largest of: all containers together with the init containers that keep running (sidecars), and any other init
container together with the sidecars started before it. The pod's overhead comes on top.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NODE, POD
from maas.cluster.objects import Object, items, mapping, name, text
from maas.cluster.quantities import milli, whole

Resources = Mapping[str, int]  # "cpu" in thousandths, all others in bytes or pieces
CPU, MEMORY, STORAGE, PODS = "cpu", "memory", "ephemeral-storage", "pods"


def resources(found: Mapping[str, Any]) -> dict[str, int]:
    """Those of a resource list that can be understood."""
    amounts = ((key, milli(value) if key == CPU else whole(value)) for key, value in found.items())
    return {key: amount for key, amount in amounts if amount is not None}


def of_pod(pod: Object) -> dict[str, int]:
    total: dict[str, int] = {}
    for container in items(pod, "spec", "containers"):
        _add(total, _requests(container))
    starting: dict[str, int] = {}
    sidecars: dict[str, int] = {}
    for container in items(pod, "spec", "initContainers"):
        if text(container, "restartPolicy") == "Always":
            _add(sidecars, _requests(container))
            _raise(starting, sidecars)
        else:
            _raise(starting, _sum(sidecars, _requests(container)))
    _add(total, sidecars)
    _raise(total, starting)
    total |= resources(mapping(pod, "spec", "resources", "requests"))  # of the pod as a whole, where it says so
    _add(total, resources(mapping(pod, "spec", "overhead")))
    return total


def requested(pods: Iterable[Object]) -> dict[str, dict[str, int]]:
    """By node; "" holds what waits for a node."""
    by_node: dict[str, dict[str, int]] = {}
    for pod in pods:
        if text(pod, "status", "phase") not in ("Succeeded", "Failed"):
            on_node = by_node.setdefault(text(pod, "spec", "nodeName"), {})
            _add(on_node, of_pod(pod))
            on_node[PODS] = on_node.get(PODS, 0) + 1
    return by_node


def free(facts: Facts) -> dict[str, dict[str, int]]:
    """Of each node: allocatable minus requested, at least 0. Raises NotRead."""
    taken = facts.derived(_requested)
    return {
        name(node): {
            key: max(0, amount - taken.get(name(node), {}).get(key, 0))
            for key, amount in resources(mapping(node, "status", "allocatable")).items()
        }
        for node in facts.all(NODE)
    }


def waiting(facts: Facts) -> dict[str, int]:
    """What pods request that no node has taken yet. Raises NotRead."""
    return facts.derived(_requested).get("", {})


def _requested(facts: Facts) -> dict[str, dict[str, int]]:
    return requested(facts.whole(POD))


def _requests(container: Object) -> dict[str, int]:
    return resources(mapping(container, "resources", "requests"))


def _add(total: dict[str, int], more: Resources) -> None:
    for key, amount in more.items():
        total[key] = total.get(key, 0) + amount


def _raise(total: dict[str, int], least: Resources) -> None:
    for key, amount in least.items():
        total[key] = max(total.get(key, 0), amount)


def _sum(one: Resources, other: Resources) -> dict[str, int]:
    total = dict(one)
    _add(total, other)
    return total
