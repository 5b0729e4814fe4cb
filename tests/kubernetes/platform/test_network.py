"""Network: domain, DNS, ports, addresses, proxies."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import INGRESS_CONFIG, SERVICE
from maas.readiness.findings import Finding, Status
from tests.kubernetes.clusters.making import condition, made
from tests.kubernetes.nodes.made import node, pod
from tests.kubernetes.offline import asked, facts, found

CONFIG = "config.openshift.io/v1"
OPENSHIFT = made(CONFIG, "ClusterVersion", "version", status={"history": [{"state": "Completed", "version": "4.17.1"}]})


def one(code: str, *objects: dict[str, Any], **more: Any) -> Finding:
    (finding,) = found(code, facts(*objects, **more), asked())
    assert "should not happen" not in finding.message
    return finding


def commands(finding: Finding) -> str:
    return "\n".join(finding.remedy.all_commands) if finding.remedy else ""


# -- domain


def ingress(**spec: str) -> dict[str, Any]:
    return made(CONFIG, "Ingress", "cluster", spec=spec)


def router(*conditions: dict[str, Any]) -> dict[str, Any]:
    status = {"conditions": list(conditions)}
    return made("operator.openshift.io/v1", "IngressController", "default", "openshift-ingress-operator", status=status)


GOOD_ROUTER = router(condition("Available"), condition("Admitted"))


@pytest.mark.parametrize(
    ("objects", "statuses", "word"),
    [
        ([ingress(domain="apps.example.com"), GOOD_ROUTER], [Status.passed], "*.apps.example.com"),
        ([ingress(domain="apps.a", appsDomain="models.b"), GOOD_ROUTER], [Status.passed], "*.models.b"),
        ([ingress(), GOOD_ROUTER], [Status.failed], "no ingress domain"),
        ([GOOD_ROUTER], [Status.failed], "no ingress domain"),
        ([ingress(domain="a.b"), router(condition("Admitted", False))], [Status.passed, Status.failed], "a.b"),
        ([ingress(domain="a.b"), router(condition("Available", False))], [Status.passed, Status.failed], "a.b"),
        ([ingress(domain="a.b")], [Status.passed, Status.unknown], "a.b"),
    ],
)
def test_ingress_domains(objects: list[dict[str, Any]], statuses: list[Status], word: str) -> None:
    said = found("MAAS-151", facts(OPENSHIFT, *objects), asked())
    assert [each.status for each in said] == statuses
    assert word in said[0].message


def test_kubernetes_has_no_domain() -> None:
    assert one("MAAS-151").status is Status.skipped


def test_a_domain_that_was_not_read_is_unknown() -> None:
    assert one("MAAS-151", OPENSHIFT, unread={INGRESS_CONFIG: Unread(Cause.denied, "denied")}).status is Status.unknown


# -- DNS


def balanced(name: str, *addresses: str, namespace: str = "x", ports: tuple[int, ...] = (80, 443)) -> dict[str, Any]:
    entries = [{"ip" if each[0].isdigit() else "hostname": each} for each in addresses]
    spec = {"type": "LoadBalancer", "ports": [{"port": port} for port in ports]}
    return made("v1", "Service", name, namespace, spec=spec, status={"loadBalancer": {"ingress": entries}})


def resolved(*addresses: str, error: str = "") -> dict[str, Any]:
    return {"dns": [{"name": "maas-probe-x7k2.apps.example.com", "addresses": list(addresses), "error": error}]}


@pytest.mark.parametrize(
    ("probes", "services", "status", "words"),
    [
        ({}, [], Status.skipped, "no wildcard"),
        ({"dns": []}, [], Status.skipped, "no wildcard"),
        (resolved("10.0.0.7"), [], Status.passed, "*.apps.example.com resolves to 10.0.0.7"),
        (resolved("10.0.0.7"), [balanced("router-default", "10.0.0.7")], Status.passed, "10.0.0.7"),
        (resolved("10.9.9.9"), [balanced("router-default", "10.0.0.7")], Status.warning, "none of the cluster's"),
        (resolved("10.9.9.9"), [balanced("router-default", "a.elb.amazonaws.com")], Status.passed, "10.9.9.9"),
        (resolved(error="NXDOMAIN"), [balanced("router-default", "10.0.0.7")], Status.failed, "NXDOMAIN"),
        ({"dns": Unread(Cause.timeout, "no time")}, [], Status.unknown, "no time"),
    ],
)
def test_names(probes: dict[str, Any], services: list[dict[str, Any]], status: Status, words: str) -> None:
    said = one("MAAS-152", *services, probes=probes)
    assert said.status is status
    assert words in said.message


def test_a_snapshot_resolves_no_names() -> None:
    assert "a snapshot cannot tell" in one("MAAS-152", live=False).message


def test_a_name_that_is_no_wildcard_is_told_as_it_is() -> None:
    said = one("MAAS-152", probes={"dns": [{"name": "models.example.com", "addresses": [], "error": "NXDOMAIN"}]})
    assert said.message == "models.example.com does not resolve: NXDOMAIN"


@pytest.mark.parametrize(("address", "record"), [("10.0.0.7", "A 10.0.0.7"), ("a.elb.aws.com", "CNAME a.elb.aws.com")])
def test_the_record_to_make_is_spelled_out(address: str, record: str) -> None:
    said = one("MAAS-152", balanced("other", "1.1.1.1"), balanced("router-default", address), probes=resolved())
    assert said.remedy is not None
    assert said.remedy.text == f"Make a record: *.apps.example.com {record}"


# -- ports


def test_addresses_of_their_own_hold_no_ports_of_others() -> None:
    assert one("MAAS-153", balanced("other", "10.0.0.7")).status is Status.passed


def test_ports_of_the_nodes_are_taken_once() -> None:
    traefik = balanced("traefik", "10.0.0.7", namespace="kube-system")
    said = one("MAAS-153", traefik, pod("svclb-traefik-abc", namespace="kube-system"))
    assert said.status is Status.warning
    assert "kube-system/traefik" in said.message
    mine = balanced("maas-gateway-istio", "10.0.0.7", namespace="llm")
    assert one("MAAS-153", mine, pod("svclb-maas-abc", namespace="kube-system")).status is Status.passed
    elsewhere = balanced("db", "10.0.0.7", ports=(5432,))
    assert one("MAAS-153", elsewhere, pod("svclb-db-abc", namespace="kube-system")).status is Status.passed


def test_host_ports_are_told() -> None:
    nginx = pod("nginx", namespace="ingress-nginx", containers=[{"ports": [{"hostPort": 80}]}])
    said = one("MAAS-153", nginx)
    assert said.status is Status.passed
    assert "ingress-nginx" in said.message


# -- load balancers


def of(provider: str) -> dict[str, Any]:
    made = node("a")
    made["spec"]["providerID"] = provider
    return made


METALLB = made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "ipaddresspools.metallb.io")
CILIUM = made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "ciliumnetworkpolicies.cilium.io")
CILIUM_POOLS = made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "ciliumloadbalancerippools.cilium.io")


@pytest.mark.parametrize(
    ("objects", "status", "words"),
    [
        ([balanced("a", "10.0.0.7")], Status.passed, "given to 1 Service"),
        ([balanced("a"), of("aws:///eu-west-1a/i-0abc")], Status.warning, "x/a wait"),
        ([balanced("a"), balanced("b", "a.elb.amazonaws.com")], Status.passed, "given to 1 Service"),
        ([of("aws:///eu-west-1a/i-0abc")], Status.passed, "AWS"),
        ([of("azure:///subscriptions/x")], Status.passed, "Azure"),
        ([of("gce://p/z/n")], Status.passed, "Google Cloud"),
        ([of("kind://docker/kind/kind-control-plane")], Status.warning, "nothing in this cluster"),
        ([node("a")], Status.warning, "nothing in this cluster"),
        ([node("a"), METALLB], Status.passed, "MetalLB"),
        ([node("a"), CILIUM], Status.warning, "nothing in this cluster"),
        ([node("a"), CILIUM_POOLS], Status.passed, "Cilium"),
        ([pod("speaker-x", namespace="metallb-system")], Status.passed, "MetalLB"),
        ([pod("svclb-traefik-x", namespace="kube-system")], Status.passed, "k3s"),
    ],
)
def test_load_balancers(objects: list[dict[str, Any]], status: Status, words: str) -> None:
    said = one("MAAS-154", *objects)
    assert said.status is status
    assert words in said.message
    if status is Status.warning:
        assert "networking.istio.io/service-type=ClusterIP" in commands(said)


def test_services_that_were_not_read_are_unknown() -> None:
    assert one("MAAS-154", unread={SERVICE: Unread(Cause.denied, "denied")}).status is Status.unknown


# -- proxies

KUBERNETES = made("v1", "Service", "kubernetes", "default", spec={"clusterIP": "172.30.0.1", "ipFamilies": ["IPv4"]})


def proxy(no_proxy: str, spec: str = "example.com") -> dict[str, Any]:
    status = {"httpsProxy": "http://proxy.example.com:3128", "noProxy": no_proxy}
    return made(CONFIG, "Proxy", "cluster", spec={"noProxy": spec}, status=status)


@pytest.mark.parametrize(
    ("no_proxy", "missing"),
    [
        (".cluster.local,.svc,172.30.0.0/16,10.128.0.0/14,example.com", ""),
        ("cluster.local, svc, 172.30.0.0/16", ""),
        ("*", ""),
        (".cluster.local,.svc", "172.30.0.1"),
        (".svc,172.30.0.0/16", ".cluster.local"),
        ("example.com", ".svc, .cluster.local, 172.30.0.1"),
        ("rubbish/99,.svc,.cluster.local,172.30.0.1", ""),
    ],
)
def test_proxies_spare_the_cluster(no_proxy: str, missing: str) -> None:
    said = one("MAAS-158", OPENSHIFT, KUBERNETES, proxy(no_proxy))
    assert said.status is (Status.failed if missing else Status.passed)
    if missing:
        assert said.message == f"noProxy lacks {missing}"
        lines = commands(said).splitlines()
        assert '{"spec": {"noProxy": "example.com,' in lines[-1]
        assert all(part in lines[-1] for part in missing.split(", ") if part.startswith("."))
        assert ("NETWORKS" in lines[-1]) is ("172" in missing) is (len(lines) == 2)


def test_the_network_of_the_pods_is_spared_as_well() -> None:
    member = node("a")
    member["spec"]["podCIDR"] = "10.128.4.0/24"
    without, within = ".svc,.cluster.local,172.30.0.0/16", ".svc,.cluster.local,172.30.0.0/16,10.128.0.0/14"
    assert one("MAAS-158", OPENSHIFT, KUBERNETES, member, proxy(without)).message == "noProxy lacks 10.128.4.0"
    assert one("MAAS-158", OPENSHIFT, KUBERNETES, member, proxy(within)).status is Status.passed


def test_no_proxy_is_fine() -> None:
    assert one("MAAS-158", OPENSHIFT, made(CONFIG, "Proxy", "cluster", spec={}, status={})).status is Status.passed
    assert one("MAAS-158").status is Status.skipped


@pytest.mark.parametrize(
    ("families", "status"),
    [(["IPv4"], Status.passed), (["IPv6", "IPv4"], Status.passed), (["IPv6"], Status.warning), ([], Status.skipped)],
)
def test_ip_families(families: list[str], status: Status) -> None:
    service = made("v1", "Service", "kubernetes", "default", spec={"ipFamilies": families})
    assert one("MAAS-159", service).status is status
