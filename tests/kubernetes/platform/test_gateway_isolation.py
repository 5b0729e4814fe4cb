"""A gateway that NetworkPolicies shut in keeps its good status: it is found by the policies themselves."""

from typing import Any

import pytest

from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Target
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.making import made
from tests.kubernetes.offline import asked
from tests.kubernetes.offline import facts as made_facts

SCENARIO = typical.kubernetes_1_34().after()
CODES = ("MAAS-160", "MAAS-161")
EVERYWHERE: dict[str, Any] = {"namespaceSelector": {}}


def policy(namespace: str = "llm", **spec: Any) -> dict[str, Any]:
    spec = {"podSelector": {}, **spec}
    return made("networking.k8s.io/v1", "NetworkPolicy", "planted", namespace, spec=spec)


def cluster(*more: dict[str, Any]) -> Facts:
    return SCENARIO.changed(lambda objects: [*objects, *more]).facts()


def said(*more: dict[str, Any]) -> list[Finding]:
    return [each for each in judge(cluster(*more), SCENARIO.asked, only=CODES) if each.status is not Status.passed]


def of(namespace: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def entering(*peers: dict[str, Any], port: int = 0) -> dict[str, Any]:
    ports = [{"port": port}] if port else []
    rule = ({"from": list(peers)} if peers else {}) | ({"ports": ports} if ports else {})
    return policy(policyTypes=["Ingress"], ingress=[rule])


@pytest.mark.parametrize(
    ("planted", "shut"),
    [
        (policy(policyTypes=["Ingress"]), [80, 443]),
        (entering({"podSelector": {}}), [80, 443]),  # only those that live here
        (entering(of("monitoring")), [80, 443]),
        (entering(of("openshift-monitoring")), [80, 443]),
        (entering(port=443), [80]),
        (entering(port=15090), [80, 443]),
        (entering(), []),
        (entering({"ipBlock": {"cidr": "198.51.100.0/24"}}), []),
        (entering(EVERYWHERE), []),
        (entering(of("istio-system")), []),  # a proxy in front
        (entering({"podSelector": {"matchLabels": {"app": "tunnel"}}}), []),
        (policy("elsewhere", policyTypes=["Ingress"]), []),
        (policy(policyTypes=["Egress"], egress=[{}]), []),
        (policy(podSelector={"matchLabels": {"component": "predictor"}}), []),
    ],
)
def test_clients_reach_the_gateway_or_it_is_told(planted: dict[str, Any], shut: list[int]) -> None:
    found = [each for each in said(planted) if each.code == "MAAS-160"]
    assert [each.status for each in found] == [Status.failed] * len(shut)
    for each, port in zip(found, shut, strict=True):
        assert each.message.startswith(f"clients do not reach port {port} of Pod llm/maas-gateway-istio-")
        assert each.message.endswith("llm/planted")


DNS = {"to": [of("kube-system")], "ports": [{"port": 53, "protocol": "UDP"}]}
ISTIOD = {"to": [of("istio-system")], "ports": [{"port": 15012}]}


def leaving(*rules: dict[str, Any]) -> dict[str, Any]:
    return policy(policyTypes=["Egress"], egress=list(rules))


@pytest.mark.parametrize(
    ("planted", "shut"),
    [
        (leaving(), ["istiod", "DNS"]),
        (leaving(DNS), ["istiod"]),
        (leaving(ISTIOD), ["DNS"]),
        (leaving(ISTIOD, {**DNS, "ports": [{"port": 53}]}), ["DNS"]),  # over TCP only
        (leaving(ISTIOD, DNS), []),
        (leaving(ISTIOD, {"to": [{"ipBlock": {"cidr": "10.0.0.10/32"}}]}), []),
        (leaving({}), []),
        (policy("istio-system", policyTypes=["Ingress"]), ["istiod"]),
        (policy("kube-system", policyTypes=["Ingress"]), []),
    ],
)
def test_the_gateway_reaches_what_it_lives_on_or_it_is_told(planted: dict[str, Any], shut: list[str]) -> None:
    found = [each for each in said(planted) if each.code == "MAAS-161"]
    assert [each.status for each in found] == [Status.failed] * len(shut)
    assert all(part in each.message for each, part in zip(found, shut, strict=True))


@pytest.mark.parametrize(
    "planted",
    [
        policy(policyTypes=["Ingress", "Egress"]),
        policy(podSelector={"matchLabels": {"gateway.networking.k8s.io/gateway-name": "maas-gateway"}}),
        policy("istio-system", policyTypes=["Ingress"]),
    ],
)
def test_what_the_remedies_add_opens_the_gateway_and_nothing_else(planted: dict[str, Any]) -> None:
    changes = [change for each in said(planted) if each.remedy for change in each.remedy.changes]
    assert changes
    assert not said(planted, *(dict(change.body) for change in changes))
    chosen = [change.body["spec"]["podSelector"] for change in changes]
    of_the_gateway = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "maas-gateway"}}
    assert all(each in (of_the_gateway, {"matchLabels": {"app": "istiod"}}) for each in chosen)


def test_a_gateway_to_come_is_judged_by_the_labels_that_it_will_have() -> None:
    denied = made_facts(policy(policyTypes=["Ingress", "Egress"]))
    for target, dns in ((Target.kubernetes, 53), (Target.openshift, 5353)):
        found = judge(denied, asked(target), only=CODES)
        assert [each.status for each in found] == [Status.failed] * 4
        assert [each.message for each in found[:1]] == ["clients do not reach port 80 of the gateway: llm/planted"]
        assert f"port {dns} of the cluster's DNS" in found[3].message


def test_a_service_that_translates_is_followed() -> None:
    def translated(objects: Any) -> list[Any]:
        kept = [
            {**each, "spec": {**each["spec"], "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}
            if each["kind"] == "Service" and each["metadata"]["name"] == "maas-gateway-istio"
            else each
            for each in objects
        ]
        return [*kept, entering(port=8080)]

    found = judge(SCENARIO.changed(translated).facts(), SCENARIO.asked, only=["MAAS-160"])
    assert [each.message.partition(" of ")[0] for each in found] == ["clients do not reach port 443"]
