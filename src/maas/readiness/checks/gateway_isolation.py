"""Is the gateway itself shut in by NetworkPolicies? (MAAS-160, 161)

One that nobody reaches, or that hears nothing of its own control plane, keeps its good status: the policies alone tell.
"""

from collections.abc import Iterator
from dataclasses import replace

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import POD
from maas.cluster.objects import Object, items, label, number
from maas.cluster.reach import ANYBODY, End, closed
from maas.cluster.stack import ends, ours
from maas.readiness.catalogue import Asked, Phase, Target, check
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, passed
from maas.readiness.openings import blocked, looked_at, shut_ways

_HTTP = (80, 443)
_XDS = 15012
_COVERS = ("Network Requirements", "Ports", "Security Considerations")


@check(
    "MAAS-160",
    "NetworkPolicies let clients reach the gateway",
    Category.network,
    wanted="the ports of the gateway's listeners (80 and 443, if it is yet to come), open to those outside",
    looks="NetworkPolicies on the gateway's pods (what may enter). Open is also what is open to an address block, or "
    "to the pods of another namespace: a proxy in front may be there.",
    why="A policy that denies by default cuts off every client, while the Gateway's status stays good.",
    mend="Add a NetworkPolicy that admits everybody to these ports of the gateway's pods: keys are asked for there.",
    covers=_COVERS,
)
def clients_to_gateway(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    ways = list(_ways_in(facts, asked))
    shut = [outcome for gateway, port in ways for outcome in shut_ways(facts, [ANYBODY], [gateway], port)]
    yield from shut
    if not shut:
        ports = sorted({port for _, port in ways})
        yield passed(f"ports {names(map(str, ports))} are open: {looked_at(facts)}")


def _ways_in(facts: Facts, asked: Asked) -> Iterator[tuple[End, int]]:
    found = ours.gateways(facts, asked.namespace)
    if not found:
        yield from ((end, port) for end in ends.gateways(facts, asked.namespace) for port in _HTTP)
    for gateway, end in zip(found, ends.of_gateways(facts, found), strict=True):
        yield from ((end, port) for port in _ports(facts, gateway, end))


def _ports(facts: Facts, gateway: Object, end: End) -> list[int]:
    """Where the pods listen: the Service may translate."""
    listening = (number(listener, "port") for listener in items(gateway, "spec", "listeners"))
    leads_to = {
        number(port, "port"): number(port, "targetPort") or end.ports.get(str(port.get("targetPort")))
        for service in ends.services_of(facts, gateway)
        for port in items(service, "spec", "ports")
    }
    return list(dict.fromkeys(leads_to.get(port) or port for port in listening if port))


@check(
    "MAAS-161",
    "NetworkPolicies let the gateway reach istiod and DNS",
    Category.network,
    wanted="port 15012 of istiod and the cluster's DNS, open to the gateway's pods",
    looks="NetworkPolicies on the gateway's pods (what may leave), and on istiod's (what may enter).",
    why="A gateway that does not reach istiod learns of no route and no policy, and after its next start does not "
    "become ready. Without DNS it finds neither istiod nor Authorino.",
    mend="Add a NetworkPolicy that lets the gateway's pods out to istiod and to DNS.",
    covers=_COVERS,
)
def gateway_to_its_own(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    gateways = ends.gateways(facts, asked.namespace)
    shut = [
        outcome
        for gateway in gateways
        for outcome in (*_no_control(facts, asked, gateway), *_no_dns(facts, gateway, asked))
    ]
    yield from shut
    if not shut:
        yield passed(f"port {_XDS} of istiod and DNS are open: {looked_at(facts)}")


def _no_control(facts: Facts, asked: Asked, gateway: End) -> Iterator[Outcome]:
    """Which one of several istiods is the gateway's is not known: one that is in reach is enough."""
    ways = [(istiod, closed(facts, gateway, istiod, _XDS)) for istiod in _istiods(facts, asked)]
    if ways and all(found for _, found in ways):
        istiod, found = ways[0]
        yield blocked(gateway, istiod, _XDS, found)


def _istiods(facts: Facts, asked: Asked) -> list[End]:
    labels = {"app": "istiod"}
    pods = [pod for pod in facts.known(POD) if label(pod, "app") == "istiod" and not ends.is_over(pod)]
    found = [replace(ends.of_pod(pod, labels), by_address=True) for pod in pods]
    if found or asked.phase is not Phase.before:
        return found
    where = "openshift-ingress" if asked.target is Target.openshift else "istio-system"
    return [End("istiod", where, labels, chosen=labels, by_address=True)]


def _no_dns(facts: Facts, gateway: End, asked: Asked) -> Iterator[Outcome]:
    """Only what may leave: who runs DNS lets everybody in."""
    dns, port = _dns(asked)
    if leaving := [end for end in closed(facts, gateway, dns, port, "UDP") if end.leaving]:
        yield blocked(gateway, dns, port, leaving, "UDP")


def _dns(asked: Asked) -> tuple[End, int]:
    """Policies see the pods behind the Service, and OpenShift's listen on another port than its Service."""
    if asked.target is Target.openshift:
        labels = {"dns.operator.openshift.io/daemonset-dns": "default"}
        ports = {"dns": 5353}
        return End("the cluster's DNS", "openshift-dns", labels, ports, labels, by_address=True), 5353
    labels = {"k8s-app": "kube-dns"}
    return End("the cluster's DNS", "kube-system", labels, {"dns": 53}, labels, by_address=True), 53
