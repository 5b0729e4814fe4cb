"""What is requested of each node, added up over its pods in one pass, as the scheduler does.

The largest of: all containers together with the init containers that keep running (sidecars), and any other init
container together with the sidecars started before it. The pod's overhead comes on top.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NODE, POD
from maas.cluster.objects import Object, items, mapping, name, text
from maas.cluster.quantities import milli, whole

Resources = Mapping[str, int]  # "cpu" in thousandths, all others in bytes or pieces
CPU, MEMORY, STORAGE, PODS = "cpu", "memory", "ephemeral-storage", "pods"


def resources(found: Mapping[str, Any]) -> dict[str, int]:
    """Those of a resource list that can be understood."""
    total: dict[str, int] = {}
    _add_list(total, found)
    return total


def of_pod(pod: Object) -> dict[str, int]:
    total: dict[str, int] = {}
    for container in items(pod, "spec", "containers"):
        _add_list(total, mapping(container, "resources", "requests"))
    if starting := items(pod, "spec", "initContainers"):
        _add_starting(total, starting)
    if whole_pod := mapping(pod, "spec", "resources", "requests"):  # where it asks as a whole, containers only share
        total |= resources(whole_pod)
    _add_list(total, mapping(pod, "spec", "overhead"))
    return total


def _add_starting(total: dict[str, int], containers: Sequence[Object]) -> None:
    peak: dict[str, int] = {}
    sidecars: dict[str, int] = {}
    for container in containers:
        requests = resources(mapping(container, "resources", "requests"))
        beside = dict(sidecars)
        _add(beside, requests)
        _raise(peak, beside)
        if text(container, "restartPolicy") == "Always":
            sidecars = beside
    _add(total, sidecars)
    _raise(total, peak)


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


def _add_list(total: dict[str, int], found: Mapping[str, Any]) -> None:
    for key, value in found.items():
        amount = milli(value) if key == CPU else whole(value)
        if amount is not None and isinstance(key, str):  # YAML has others
            total[key] = total.get(key, 0) + amount


def _add(total: dict[str, int], more: Resources) -> None:
    for key, amount in more.items():
        total[key] = total.get(key, 0) + amount


def _raise(total: dict[str, int], least: Resources) -> None:
    for key, amount in least.items():
        total[key] = max(total.get(key, 0), amount)
