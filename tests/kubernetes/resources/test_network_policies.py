"""Who reaches whom, as Kubernetes reads the policies: not what they say, but what they let through."""

from collections.abc import Mapping

import pytest

from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, mapping
from maas.cluster.reach import ANYBODY, End, closed
from maas.cluster.resources import network_policies
from maas.cluster.resources.making import made
from maas.cluster.resources.models import steps
from maas.cluster.wanted import Target, Wanted
from tests.kubernetes import offline
from tests.kubernetes.resources.wishes import QWEN3, SIMULATOR, site, wanted

_EXTERNAL = "elsewhere: {runtime: external, url: https://api.example.com:8443}"
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
GATEWAY = End("gateway", "llm", {_GATEWAY_NAME: "maas-gateway"})
OTHER_GATEWAY = End("another gateway", "shop", {_GATEWAY_NAME: "shop"})
STRANGER, NEIGHBOUR = End("stranger", "shop", {"app": "shop"}), End("neighbour", "llm", {"app": "other"})
PROMETHEUS = End("Prometheus", "monitoring", {"app.kubernetes.io/name": "prometheus"})
SCRAPER = End("scraper", "observed", {network_policies.METRICS_LABEL: "true"})
GRAFANA, LODGER = End("Grafana", "monitoring", {"app": "grafana"}), End("lodger", "observed", {"app": "shop"})
ROUTER = End("router", "openshift-ingress", {})
ISTIOD = End("istiod", "istio-system", {"app": "istiod"})
AUTHORINO = End("Authorino", "kuadrant-system", {"authorino-resource": "authorino"})
LIMITADOR = End("Limitador", "kuadrant-system", {"app": "limitador"})
OPERATOR = End("operator", "kuadrant-system", {"app": "kuadrant"})
DNS = End("DNS", "kube-system", {"k8s-app": "kube-dns"})
HUB = End("hub", "", {}, by_address=True)


def model(name: str) -> End:
    return End(name, "llm", {"serving.kserve.io/inferenceservice": name, "component": "predictor"})


SIM, QWEN = model("simulator"), model("qwen3-0-6b")
PROXY = End("proxy", "llm", {"maas.io/external-model": "elsewhere"})


def facts(target: Target = Target.kubernetes, wish: Wanted | None = None) -> Facts:
    wish = wish or wanted(SIMULATOR, QWEN3, _EXTERNAL, on=site(target, "t4"))
    labels = {"observed": {network_policies.METRICS_LABEL: "true"}}
    spaces = (
        "llm",
        "kuadrant-system",
        "shop",
        "monitoring",
        "observed",
        "openshift-ingress",
        "istio-system",
        "kube-system",
    )
    namespaces: list[Object] = [made("v1", "Namespace", each, labels=labels.get(each, {})) for each in spaces]
    return offline.facts(*namespaces, *network_policies.policies(wish))


def passes(facts: Facts, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    return not closed(facts, source, target, port, protocol)


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("end", [SIM, QWEN, PROXY], ids=lambda end: str(end.described))
def test_models_are_reached_through_the_gateway_alone(target: Target, end: End) -> None:
    found = facts(target)
    assert passes(found, GATEWAY, end, 8080)
    assert not any(passes(found, each, end, 8080) for each in (STRANGER, NEIGHBOUR, OTHER_GATEWAY, ROUTER, SIM))
    assert not passes(found, GATEWAY, end, 22)


def test_metrics_are_read_from_where_monitoring_is_and_nowhere_else() -> None:
    found = facts()
    for each in (PROMETHEUS, SCRAPER):
        assert passes(found, each, SIM, 8080) and passes(found, each, GATEWAY, 15090)
        assert passes(found, each, AUTHORINO, 8080) and passes(found, each, LIMITADOR, 8080)
    assert not passes(found, STRANGER, GATEWAY, 15090)


@pytest.mark.parametrize("source", [GRAFANA, LODGER], ids=lambda end: str(end.described))
def test_who_lives_beside_prometheus_reaches_metrics_and_no_api(source: End) -> None:
    """Models and Limitador serve metrics on the port of their API: whoever reaches it needs no key and has no limit."""
    found = facts()
    assert passes(found, source, GATEWAY, 15090) and passes(found, source, AUTHORINO, 8080)
    assert not any(passes(found, source, each, 8080) for each in (SIM, QWEN, LIMITADOR))


@pytest.mark.parametrize("source", [PROMETHEUS, SCRAPER], ids=lambda end: str(end.described))
def test_who_reads_metrics_reaches_nothing_else(source: End) -> None:
    found = facts()
    assert not passes(found, source, AUTHORINO, 50051) and not passes(found, source, LIMITADOR, 8081)
    assert not any(passes(found, source, each, 8081) for each in (SIM, QWEN, PROXY))
    assert not passes(found, source, PROXY, 8080), "it has no metrics there"


def test_a_label_on_a_pod_alone_lets_nobody_in() -> None:
    liar = End("liar", "shop", {network_policies.METRICS_LABEL: "true", "app.kubernetes.io/name": "prometheus"})
    assert not any(passes(facts(), liar, each, 8080) for each in (SIM, LIMITADOR, AUTHORINO))


def test_without_metrics_nobody_reads_them() -> None:
    found = facts(wish=wanted(metrics=False))
    assert not any(passes(found, PROMETHEUS, each, port) for each, port in ((SIM, 8080), (GATEWAY, 15090)))


def test_on_kubernetes_everybody_reaches_the_gateway() -> None:
    """Keys are asked for there."""
    found = facts()
    assert all(passes(found, each, GATEWAY, port) for each in (ANYBODY, STRANGER) for port in (80, 443))


def test_on_openshift_the_router_does_and_nobody_past_it() -> None:
    found = facts(Target.openshift)
    assert passes(found, ROUTER, GATEWAY, 80)
    assert not passes(found, STRANGER, GATEWAY, 80)


@pytest.mark.parametrize("source", [GATEWAY, OTHER_GATEWAY], ids=lambda end: str(end.described))
def test_gateways_reach_kuadrant(source: End) -> None:
    found = facts()
    ways = ((AUTHORINO, 50051), (LIMITADOR, 8081), (OPERATOR, 8082))
    assert all(passes(found, source, end, port) for end, port in ways)


def test_nobody_else_asks_authorino_or_writes_to_limitador() -> None:
    found = facts()
    for source in (STRANGER, NEIGHBOUR, SIM):
        assert not passes(found, source, AUTHORINO, 50051) and not passes(found, source, LIMITADOR, 8081)
    assert passes(found, OPERATOR, LIMITADOR, 8080)


def test_kuadrant_of_others_is_left_alone() -> None:
    from dataclasses import replace

    theirs = wanted(on=replace(site(), theirs=frozenset({"kuadrant"})))
    assert {mapping(each, "metadata")["namespace"] for each in network_policies.policies(theirs)} == {"llm"}


def test_the_gateway_reaches_istiod_and_dns() -> None:
    found = facts()
    assert passes(found, GATEWAY, ISTIOD, 15012) and passes(found, GATEWAY, DNS, 53, "UDP")


@pytest.mark.parametrize("port,protocol", [(53, "UDP"), (53, "TCP"), (5353, "UDP")])
def test_models_find_names(port: int, protocol: str) -> None:
    assert passes(facts(), QWEN, DNS, port, protocol)


def test_models_reach_no_other_pods_and_only_those_that_download_reach_the_hub() -> None:
    found = facts()
    assert not any(passes(found, SIM, end, 8080) for end in (STRANGER, QWEN, NEIGHBOUR))
    assert passes(found, QWEN, HUB, 443) and not passes(found, SIM, HUB, 443)
    assert not passes(found, QWEN, HUB, 22)


def test_the_proxy_reaches_its_endpoint_s_port() -> None:
    found = facts()
    assert passes(found, PROXY, HUB, 8443) and not passes(found, PROXY, HUB, 443)


def _weights(place: str) -> Mapping[str, bool]:
    found = facts(wish=wanted(f"qwen3-0.6b: {{runtime: vllm, weights: {place!r}}}"))
    return {"downloads": passes(found, QWEN, HUB, 443)}


@pytest.mark.parametrize(
    "place,downloads",
    [("org/model", True), ("s3://bucket/model", True), ("pvc://claim/model", False), ("oci://a/b:1", False)],
)
def test_who_downloads_is_told_from_where_the_weights_are(place: str, downloads: bool) -> None:
    assert _weights(place) == {"downloads": downloads}


def test_they_are_there_before_the_models() -> None:
    (step,) = steps(wanted())
    assert network_policies.KEY in step.needs and "policies" in step.needs
