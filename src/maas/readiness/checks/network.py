"""Does traffic find its way in: domain, DNS, ports, addresses; and out, by proxies (MAAS-151 to 154, 158, 159)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CRD, INGRESS_CONFIG, INGRESS_CONTROLLER, NODE, POD, PROXY_CONFIG, SERVICE
from maas.cluster.objects import Object, condition, items, name, namespace, number, place, text, texts
from maas.cluster.platform import is_openshift
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, check
from maas.readiness.conditions import why
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, unknown, warning
from maas.readiness.wording import count

_MADE_UP = "maas-probe-"  # hosts below a wildcard that is tried; others are the gateways' own names
_ROUTERS = "openshift-ingress-operator"


@check(
    "MAAS-151",
    "there is an ingress domain",
    Category.network,
    wanted="a wildcard domain for applications, and the router that serves it (OpenShift)",
    looks="spec.domain of Ingress.config/cluster, and the conditions Available and Admitted of the default "
    "IngressController.",
    why="The gateway's host name lies below that domain; the router gives it TLS and an address.",
    mend="`oc describe ingresscontroller default -n openshift-ingress-operator` says what is wrong with the router.",
    covers=("Network Requirements", "Wildcard DNS for application routes", "DNS wildcard domain available"),
)
def ingress_domain(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not is_openshift(facts):
        yield skipped("Kubernetes has no domain of its own: the gateway's host name is chosen when it is installed")
        return
    config = facts.one(INGRESS_CONFIG, "cluster") or {}
    domain = text(config, "spec", "appsDomain") or text(config, "spec", "domain")
    seen = Seen("Ingress.config cluster", "spec.domain", domain)
    if not domain:
        commands = ("oc get ingresses.config.openshift.io cluster -o yaml",)
        yield failed("the cluster has no ingress domain", seen, remedy=Remedy("Set one.", commands))
        return
    yield passed(f"*.{domain}", seen)
    yield from _router(facts)


def _router(facts: Facts) -> Iterator[Outcome]:
    router = facts.one(INGRESS_CONTROLLER, "default", _ROUTERS)
    if router is None:
        yield unknown("there is no default IngressController")
        return
    for type in ("Available", "Admitted"):
        found = condition(router, type)
        if text(found, "status") == "False":
            yield failed(
                f"the default router is not {type}: {why(found)}",
                Seen(f"IngressController {place(router)}", f"status.conditions[{type}]", "False"),
                remedy=Remedy("Mend the router first.", (f"oc describe ingresscontroller default -n {_ROUTERS}",)),
                about=f"IngressController {place(router)}",
            )


@check(
    "MAAS-152",
    "names below the domain resolve",
    Category.network,
    wanted="an address for any name below the domain: wildcard DNS",
    looks="A made-up name below each wildcard domain of the ingress and of the gateways, resolved where maas runs. A "
    "domain below .local or .test, which no public DNS holds, is a warning: clients are told the address.",
    why="Each model or gateway gets a name of its own; without a wildcard each needs its own DNS record.",
    mend="Make a record *.DOMAIN that points to the router's or the gateway's address.",
    covers=("Network Requirements", "Wildcard DNS for application routes", "DNS wildcard domain available"),
    after=("MAAS-151",),
)
def wildcard_dns(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    tried = facts.probe("dns")
    answers = [each for each in tried if isinstance(each, Mapping)] if isinstance(tried, list) else []
    if tried is None and not facts.source.live:
        yield skipped("names are resolved with a live cluster; a snapshot cannot tell")
    elif not answers:
        yield skipped("no wildcard domain is known yet")
    for answer in answers:
        yield _resolved(answer, _addresses(facts))


_IN_NO_DNS = (".local", ".test")  # RFC 6762, RFC 6761; maas.local is what `maas install` takes without --domain


def _resolved(answer: Mapping[str, Any], addresses: Sequence[str]) -> Outcome:
    host, found = text(answer, "name"), texts(answer, "addresses")
    first, _, rest = host.partition(".")
    domain = f"*.{rest}" if first.startswith(_MADE_UP) else host
    ips = [address for address in addresses if _is_ip(address)]
    target = addresses[0] if addresses else "ADDRESS"
    kind = "A" if _is_ip(target) else "CNAME"
    remedy = Remedy(f"Make a record: {domain} {kind} {target}", (f"nslookup {word(host)}",))
    if not found:
        said = text(answer, "error") or "no address"
        tell = warning if domain.endswith(_IN_NO_DNS) else failed
        return tell(f"{domain} does not resolve: {said}", Seen(host, "DNS", said), remedy=remedy, about=domain)
    seen = Seen(host, "DNS", names(found))
    if ips and not set(ips) & set(found):
        message = f"{domain} resolves to {names(found)}, which is none of the cluster's addresses ({names(ips)})"
        return warning(message, seen, remedy=remedy, about=domain)
    return passed(f"{domain} resolves to {names(found)}", seen, about=domain)


def _is_ip(address: str) -> bool:
    try:
        return bool(ip_address(address))
    except ValueError:
        return False


def _addresses(facts: Facts) -> list[str]:
    """That the cluster has for traffic from outside, routers and gateways first."""
    return [address for service in _balanced(facts.known(SERVICE)) for address in _given(service)]


def _balanced(services: Sequence[Object]) -> list[Object]:
    found = [service for service in services if text(service, "spec", "type") == "LoadBalancer"]
    return sorted(found, key=lambda service: not name(service).startswith(("router-", "maas-gateway")))


def _given(service: Object) -> list[str]:
    entries = items(service, "status", "loadBalancer", "ingress")
    return [address for entry in entries if (address := text(entry, "ip") or text(entry, "hostname"))]


@check(
    "MAAS-153",
    "ports 80 and 443 can be had",
    Category.network,
    wanted="ports 80 and 443 for the gateway's address",
    severity=Severity.warning,
    looks="Where LoadBalancer Services are given the nodes' own ports (k3s): which Service holds 80 and 443. Elsewhere "
    "each Service has an address to itself. Pods with hostPort 80 or 443 are named as evidence.",
    why="On such clusters the second Service that asks for port 80 stays without an address.",
    mend="Remove the other ingress (on k3s: --disable=traefik), or give the gateway other ports.",
    covers=("Network Requirements", "Ports"),
)
def ports(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    services, pods = facts.all(SERVICE), facts.all(POD)
    shared = any(name(pod).startswith("svclb-") for pod in pods)
    others = [each for each in _balanced(services) if _holds_web(each) and not name(each).startswith("maas-gateway")]
    if shared and others:
        yield failed(
            f"the nodes' ports 80 and 443 are held by {names(map(place, others))}",
            *some(Seen(f"Service {place(each)}", "spec.ports", _ports_of(each)) for each in others),
            remedy=Remedy("Remove it, or give the gateway other ports.", tuple(_delete(each) for each in others[:1])),
        )
        return
    holders = [pod for pod in pods if _host_web(pod)]
    said = f"; pods of {names(sorted({namespace(pod) for pod in holders}))} hold them on their nodes" if holders else ""
    yield passed(f"each LoadBalancer or Route has them to itself{said}")


def _holds_web(service: Object) -> bool:
    return any(number(port, "port") in (80, 443) for port in items(service, "spec", "ports"))


def _ports_of(service: Object) -> str:
    return names(str(number(port, "port")) for port in items(service, "spec", "ports"))


def _delete(service: Object) -> str:
    return f"kubectl delete service {word(name(service))} -n {word(namespace(service))}"


def _host_web(pod: Object) -> bool:
    containers = items(pod, "spec", "containers")
    return any(number(port, "hostPort") in (80, 443) for each in containers for port in items(each, "ports"))


_CLOUDS = {
    "aws": "AWS",
    "azure": "Azure",
    "gce": "Google Cloud",
    "openstack": "OpenStack",
    "ibm": "IBM Cloud",
    "digitalocean": "DigitalOcean",
    "oci": "Oracle Cloud",
    "linode": "Linode",
    "hcloud": "Hetzner",
}
_BALANCERS = {
    "metallb.io": "MetalLB",
    "kube-vip.io": "kube-vip",
    "cilium.io": "",  # by its pool's kind, below: Cilium alone gives no addresses
    "loxilb.io": "LoxiLB",
    "porter.kubesphere.io": "OpenELB",
}
_POOLS = {"ciliumloadbalancerippools.cilium.io": "Cilium"}


@check(
    "MAAS-154",
    "Services of type LoadBalancer get addresses",
    Category.network,
    wanted="a cloud or a load balancer in the cluster that gives them",
    severity=Severity.warning,
    looks="Services of type LoadBalancer that have an address or wait for one, the cloud of the nodes (providerID), "
    "and load balancers such as MetalLB by their CRDs and pods.",
    why="A gateway asks for such a Service. Without an address it stays Programmed=False (AddressNotAssigned), though "
    "it works by port-forward, NodePort or an OpenShift Route.",
    mend="Install MetalLB, or annotate the Gateway with networking.istio.io/service-type: ClusterIP (or NodePort).",
    covers=("Network Requirements", "Ingress"),
)
def load_balancer(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    services = _balanced(facts.all(SERVICE))
    served = [each for each in services if _given(each)]
    if served:
        first = served[0]
        seen = Seen(f"Service {place(first)}", "status.loadBalancer.ingress", names(_given(first)))
        yield passed(f"given to {count(len(served), 'Service')} already", seen)
        return
    giver = _giver(facts)
    if services:
        seen_waiting = some(Seen(f"Service {place(each)}", "status.loadBalancer.ingress", "empty") for each in services)
        yield failed(f"{names(map(place, services))} wait for an address", *seen_waiting, remedy=_WITHOUT)
    elif giver:
        yield passed(f"{giver} gives them")
    else:
        yield failed("nothing in this cluster gives them: no cloud, no MetalLB", remedy=_WITHOUT)


_WITHOUT = Remedy(
    "Install a load balancer (https://metallb.io), or do without: on the Gateway, the annotation "
    "networking.istio.io/service-type: ClusterIP, with an OpenShift Route or a port-forward before it; or NodePort.",
    ("kubectl annotate gateway maas-gateway -n llm networking.istio.io/service-type=ClusterIP --overwrite",),
)


def _giver(facts: Facts) -> str:
    clouds = {_CLOUDS.get(text(node, "spec", "providerID").partition(":")[0], "") for node in facts.known(NODE)}
    crds = {name(crd) for crd in facts.known(CRD)}
    groups = {crd.partition(".")[2] for crd in crds}
    found = [*clouds, *(_BALANCERS.get(group, "") for group in groups), *(_POOLS.get(crd, "") for crd in crds)]
    pods = {"svclb-": "k3s", "speaker-": "MetalLB", "metallb-speaker-": "MetalLB", "kube-vip": "kube-vip"}
    found += [giver for pod in facts.known(POD) for prefix, giver in pods.items() if name(pod).startswith(prefix)]
    return next((each for each in found if each), "")


@check(
    "MAAS-158",
    "the cluster's proxy spares the cluster",
    Category.network,
    wanted=".svc, .cluster.local and the networks of Services and pods in noProxy, where OpenShift has a proxy",
    looks="status.noProxy of Proxy.config/cluster.",
    why="Gateway, policies and models speak to each other inside the cluster; sent to the proxy, they do not meet.",
    mend="Add what is missing to spec.noProxy of Proxy.config/cluster.",
    covers=("Network Requirements",),
)
def proxy(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not is_openshift(facts):
        yield skipped("Kubernetes has no proxy of its own for the whole cluster")
        return
    config = facts.one(PROXY_CONFIG, "cluster") or {}
    used = text(config, "status", "httpsProxy") or text(config, "status", "httpProxy")
    if not used:
        yield passed("the cluster has no proxy")
        return
    spared = [entry.strip() for entry in text(config, "status", "noProxy").split(",")]
    domains = [each for each in (".svc", ".cluster.local") if not _spares(spared, each)]
    addresses = [address for address in _inner_addresses(facts) if not _covers(spared, address)]
    seen = Seen("Proxy.config cluster", "status.noProxy", names(spared, 10))
    if (domains or addresses) and "*" not in spared:
        remedy = _spare(text(config, "spec", "noProxy"), domains, addresses)
        yield failed(f"noProxy lacks {names([*domains, *addresses])}", seen, remedy=remedy)
    else:
        yield passed("there is one, and it spares the cluster's own names and networks", seen)


def _spare(before: str, domains: Sequence[str], addresses: Sequence[str]) -> Remedy:
    networks = "{.status.clusterNetwork[*].cidr} {.status.serviceNetwork[*]}"
    look = f"oc get networks.config.openshift.io cluster -o jsonpath='{networks}'    # NETWORKS, with commas"
    wanted = ",".join([*filter(None, [before]), *domains, *(["NETWORKS"] if addresses else [])])
    patch = json.dumps({"spec": {"noProxy": wanted}})
    change = f"oc patch proxies.config.openshift.io cluster --type=merge -p {word(patch)}"
    return Remedy("Add it.", (look, change) if addresses else (change,))


def _spares(spared: Sequence[str], domain: str) -> bool:
    return any(entry.lstrip("*").strip(".") == domain.strip(".") for entry in spared)


def _inner_addresses(facts: Facts) -> list[str]:
    """One of the Services' and one of the pods', as far as the cluster tells."""
    service = next((each for each in facts.known(SERVICE) if place(each) == "default/kubernetes"), {})
    of_pods = (text(node, "spec", "podCIDR").partition("/")[0] for node in facts.known(NODE))
    found = (text(service, "spec", "clusterIP"), next((each for each in of_pods if each), ""))
    return [address for address in found if _is_ip(address)]


def _covers(spared: Sequence[str], address: str) -> bool:
    return any(_holds(entry, address) for entry in spared)


def _holds(entry: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(entry, strict=False)
    except ValueError:
        return False


@check(
    "MAAS-159",
    "Services have IPv4 addresses",
    Category.network,
    wanted="IPv4, alone or beside IPv6",
    severity=Severity.warning,
    looks="spec.ipFamilies of the Service default/kubernetes.",
    why="The stack has not been tried where there is IPv6 alone.",
    mend="Use a cluster with IPv4 or with both.",
    covers=("Network Requirements",),
)
def ip_families(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    service = facts.one(SERVICE, "kubernetes", "default") or {}
    families = texts(service, "spec", "ipFamilies")
    seen = Seen("Service default/kubernetes", "spec.ipFamilies", names(families))
    if not families:
        yield skipped("the Service default/kubernetes does not tell")
    elif "IPv4" in families:
        yield passed(names(families), seen)
    else:
        yield failed("Services have IPv6 addresses only", seen, remedy=Remedy("Try it, or use a dual-stack cluster."))
