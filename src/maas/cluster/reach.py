"""Whether NetworkPolicies let one pod reach another.

As Kubernetes has it: a pod that no policy selects for a direction is open; one that is selected takes what at least one
of its policies admits. Both ends count: what may leave the one and what may enter the other. Peers given as address
blocks are believed only where they cover every address, since pods' addresses are nobody's plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NAMESPACE, NETWORK_POLICY
from maas.cluster.objects import Object, at, items, mapping, name, namespace, number, selects, text, texts

_EVERYWHERE = ("0.0.0.0/0", "::/0")
_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class End:
    """A pod, there or yet to come. ports: by name, for policies that name ports."""

    described: str
    namespace: str
    labels: Mapping[str, object]
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Closed:
    """An end that does not let through, and the policies on it. leaving: the source's, else the target's."""

    leaving: bool
    policies: Sequence[Object]


def closed(facts: Facts, source: End, target: End, port: int) -> list[Closed]:
    """What keeps `source` from `target`: one end, both, or none. Raises NotRead."""
    policies, labels = facts.all(NETWORK_POLICY), facts.derived(_labels)
    ends = (
        Closed(True, _shut(policies, source, target, port, "Egress", labels)),
        Closed(False, _shut(policies, target, source, port, "Ingress", labels)),
    )
    return [end for end in ends if end.policies]


def _labels(facts: Facts) -> dict[str, Mapping[str, object]]:
    return {name(each): mapping(each, "metadata", "labels") for each in facts.known(NAMESPACE)}


def _shut(
    policies: Sequence[Object],
    here: End,
    there: End,
    port: int,
    direction: str,
    labels: Mapping[str, Mapping[str, object]],
) -> list[Object]:
    """The policies on `here` for that direction, if none of them admits `there`."""
    mine = [each for each in policies if _applies(each, here, direction)]
    ports = here.ports if direction == "Ingress" else there.ports
    open = any(_admits(each, here, there, port, ports, direction, labels) for each in mine)
    return [] if open else mine


def _applies(policy: Object, end: End, direction: str) -> bool:
    types = texts(policy, "spec", "policyTypes") or ["Ingress", *(["Egress"] if at(policy, "spec", "egress") else [])]
    if namespace(policy) != end.namespace or direction not in types:
        return False
    return selects(mapping(policy, "spec", "podSelector"), end.labels)


def _admits(
    policy: Object,
    here: End,
    there: End,
    port: int,
    ports: Mapping[str, int],
    direction: str,
    labels: Mapping[str, Mapping[str, object]],
) -> bool:
    key, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    return any(
        _port_admitted(rule, port, ports) and _peer_admitted(items(rule, peers), here, there, labels)
        for rule in items(policy, "spec", key)
    )


def _port_admitted(rule: Object, port: int, ports: Mapping[str, int]) -> bool:
    return not items(rule, "ports") or any(_is_port(each, port, ports) for each in items(rule, "ports"))


def _is_port(allowed: Object, port: int, ports: Mapping[str, int]) -> bool:
    if text(allowed, "protocol") not in ("", "TCP"):
        return False
    if at(allowed, "port") is None:
        return True
    first = number(allowed, "port")
    if first is None:
        return ports.get(text(allowed, "port")) == port
    return first <= port <= (number(allowed, "endPort") or first)


def _peer_admitted(peers: Sequence[Object], here: End, there: End, labels: Mapping[str, Mapping[str, object]]) -> bool:
    return not peers or any(_is_peer(peer, here, there, labels) for peer in peers)


def _is_peer(peer: Object, here: End, there: End, labels: Mapping[str, Mapping[str, object]]) -> bool:
    if at(peer, "ipBlock") is not None:
        return text(peer, "ipBlock", "cidr") in _EVERYWHERE and not at(peer, "ipBlock", "except")
    if at(peer, "namespaceSelector") is None:
        in_reach = here.namespace == there.namespace
    else:
        of_there = {**labels.get(there.namespace, {}), _NAME: there.namespace}
        in_reach = selects(mapping(peer, "namespaceSelector"), of_there)
    return in_reach and selects(mapping(peer, "podSelector"), there.labels)
