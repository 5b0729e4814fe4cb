"""Ways that NetworkPolicies close, and the one more policy that opens each: no wider than it must be."""

from collections.abc import Sequence
from itertools import islice

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NETWORK_POLICY
from maas.cluster.objects import Object, items, mapping, name, place, text, texts
from maas.cluster.reach import Closed, End, closed
from maas.readiness.evidence import names, some
from maas.readiness.findings import Outcome, Remedy, Seen, failed
from maas.readiness.wording import count

_EXAMPLES = 5


def shut_ways(facts: Facts, sources: Sequence[End], targets: Sequence[End], port: int) -> list[Outcome]:
    """A few of the ways that are closed; mending them mends their like."""
    ways = ((s, t, found) for s in sources for t in targets if (found := closed(facts, s, t, port)))
    return [blocked(source, target, port, found) for source, target, found in islice(ways, _EXAMPLES)]


def looked_at(facts: Facts) -> str:
    policies = len(facts.whole(NETWORK_POLICY))
    return (
        f"{count(policies, 'NetworkPolicy', 'NetworkPolicies')} looked at"
        if policies
        else "there are no NetworkPolicies"
    )


def blocked(source: End, target: End, port: int, ends: Sequence[Closed], protocol: str = "TCP") -> Outcome:
    policies = [policy for end in ends for policy in end.policies]
    where = " and ".join("where it leaves" if end.leaving else "where it enters" for end in ends)
    does = "do" if not source.namespace else "does"
    return failed(
        f"{source.described} {does} not reach port {port} of {target.described}: {names(map(place, policies))}",
        *some(Seen(f"NetworkPolicy {place(each)}", "spec.podSelector", _selector(each)) for each in policies),
        remedy=Remedy(
            f"Admit it {where}, with one more NetworkPolicy.",
            changes=tuple(_opening(source, target, port, end, protocol) for end in ends),
        ),
        about=f"{target.described}, port {port}",
    )


def _opening(source: End, target: End, port: int, end: Closed, protocol: str) -> Change:
    """For pods that are closed already, and no others: a first policy would close what is open now."""
    here, there = (source, target) if end.leaving else (target, source)
    direction, peers = ("egress", "to") if end.leaving else ("ingress", "from")
    rule: dict[str, object] = {"ports": [{"port": port, "protocol": protocol}]}
    if there.namespace:
        rule[peers] = [_peer(there)]
    of_here = [each.lower()[:60] for each in here.chosen.values()]
    named = "-".join(("maas", direction, *of_here, _short(there), str(port), name(end.policies[0])))[:253]
    spec = {"podSelector": _pods(here, end.policies[0]), "policyTypes": [direction.capitalize()], direction: [rule]}
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": named, "namespace": here.namespace, "labels": {"app.kubernetes.io/part-of": "maas"}},
        "spec": spec,
    }
    return Change(
        Verb.apply, NETWORK_POLICY, named, here.namespace, body, why=f"{source.described} → {target.described}"
    )


def _peer(there: End) -> dict[str, object]:
    """These pods alone, if something tells them from their neighbours: others would have a way around the gateway."""
    of_there: dict[str, object] = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": there.namespace}}
    }
    return of_there | ({"podSelector": {"matchLabels": dict(there.chosen)}} if there.chosen else {})


def _pods(here: End, policy: Object) -> dict[str, object]:
    """Of those that the policy has closed, these."""
    selector = mapping(policy, "spec", "podSelector")
    labels = {**mapping(selector, "matchLabels"), **here.chosen}
    return {**selector, "matchLabels": labels} if labels else dict(selector)


def _short(there: End) -> str:
    """Another policy for each peer: of one name, the second would replace the first."""
    told = "-".join((there.namespace, *there.chosen.values())) if there.namespace else "anybody"
    return told.lower()[:120]


def _selector(policy: Object) -> str:
    selector = mapping(policy, "spec", "podSelector")
    chosen = [f"{key}={value}" for key, value in mapping(selector, "matchLabels").items()]
    for each in items(selector, "matchExpressions"):
        values = f" ({', '.join(texts(each, 'values'))})" if texts(each, "values") else ""
        chosen.append(f"{text(each, 'key')} {text(each, 'operator')}{values}")
    return names(chosen) or "all pods"
