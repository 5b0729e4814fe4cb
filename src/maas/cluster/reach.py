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
MONITORING = ("openshift-user-workload-monitoring", "openshift-monitoring", "monitoring")


@dataclass(frozen=True)
class End:
    """A pod, there or yet to come. ports: by name, for policies that name ports.

    chosen: labels that tell it and its like from others. by_address: any address block may mean it, as it does what is
    behind a Service. An end without a namespace is outside; by_proxy: or whoever forwards requests from there.
    """

    described: str
    namespace: str
    labels: Mapping[str, object]
    ports: Mapping[str, int] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    by_address: bool = False
    by_proxy: bool = False


ANYBODY = End("clients", "", {}, by_address=True, by_proxy=True)
OUTSIDE = End("clients outside", "", {}, by_address=True)


@dataclass(frozen=True)
class Closed:
    """An end that does not let through, and the policies on it. leaving: the source's, else the target's."""

    leaving: bool
    policies: Sequence[Object]


@dataclass(frozen=True)
class _Way:
    """From or to `here`, whose policies are asked, seen from there."""

    here: End
    there: End
    port: int
    protocol: str
    direction: str
    namespaces: Mapping[str, Mapping[str, object]]  # their labels

    @property
    def ports(self) -> Mapping[str, int]:
        return (self.here if self.direction == "Ingress" else self.there).ports


def closed(facts: Facts, source: End, target: End, port: int, protocol: str = "TCP") -> list[Closed]:
    """What keeps `source` from `target`: one end, both, or none. Raises NotRead."""
    policies, labels = facts.all(NETWORK_POLICY), facts.derived(_labels)
    ends = (
        Closed(True, _shut(policies, _Way(source, target, port, protocol, "Egress", labels))),
        Closed(False, _shut(policies, _Way(target, source, port, protocol, "Ingress", labels))),
    )
    return [end for end in ends if end.policies]


def _labels(facts: Facts) -> dict[str, Mapping[str, object]]:
    return {name(each): mapping(each, "metadata", "labels") for each in facts.known(NAMESPACE)}


def _shut(policies: Sequence[Object], way: _Way) -> list[Object]:
    """The policies on this end for that direction, if none of them admits the other."""
    mine = [each for each in policies if _applies(each, way)]
    return [] if any(_admits(each, way) for each in mine) else mine


def _applies(policy: Object, way: _Way) -> bool:
    types = texts(policy, "spec", "policyTypes") or ["Ingress", *(["Egress"] if at(policy, "spec", "egress") else [])]
    if namespace(policy) != way.here.namespace or way.direction not in types:
        return False
    return selects(mapping(policy, "spec", "podSelector"), way.here.labels)


def _admits(policy: Object, way: _Way) -> bool:
    key, peers = ("ingress", "from") if way.direction == "Ingress" else ("egress", "to")
    return any(
        _port_admitted(rule, way) and _peer_admitted(items(rule, peers), way) for rule in items(policy, "spec", key)
    )


def _port_admitted(rule: Object, way: _Way) -> bool:
    return not items(rule, "ports") or any(_is_port(each, way) for each in items(rule, "ports"))


def _is_port(allowed: Object, way: _Way) -> bool:
    if (text(allowed, "protocol") or "TCP") != way.protocol:
        return False
    if at(allowed, "port") is None:
        return True
    first = number(allowed, "port")
    if first is None:
        return way.ports.get(text(allowed, "port")) == way.port
    return first <= way.port <= (number(allowed, "endPort") or first)


def _peer_admitted(peers: Sequence[Object], way: _Way) -> bool:
    return not peers or any(_is_peer(peer, way) for peer in peers)


def _is_peer(peer: Object, way: _Way) -> bool:
    if at(peer, "ipBlock") is not None:
        everywhere = text(peer, "ipBlock", "cidr") in _EVERYWHERE and not at(peer, "ipBlock", "except")
        return way.there.by_address or everywhere
    if not way.there.namespace:
        return way.there.by_proxy and _is_somebody(peer, way)
    if at(peer, "namespaceSelector") is None:
        in_reach = way.here.namespace == way.there.namespace
    else:
        of_there = {**way.namespaces.get(way.there.namespace, {}), _NAME: way.there.namespace}
        in_reach = selects(mapping(peer, "namespaceSelector"), of_there)
    return in_reach and selects(mapping(peer, "podSelector"), way.there.labels)


def _is_somebody(peer: Object, way: _Way) -> bool:
    """A proxy in front, here or in another namespace; not those who only read metrics, nor all that live here."""
    if at(peer, "namespaceSelector") is None:
        return bool(mapping(peer, "podSelector"))
    selector = mapping(peer, "namespaceSelector")
    others = {n: labels for n, labels in way.namespaces.items() if n not in (way.here.namespace, *MONITORING)}
    return not others or any(selects(selector, {**labels, _NAME: n}) for n, labels in others.items())
