"""Ways to models that lead past the gateway's keys and limits."""

from typing import Any

import pytest

from maas.readiness.findings import Finding, Status
from tests.kubernetes.clusters.making import made
from tests.kubernetes.installed.planting import facts, said

CHOSEN = {"serving.kserve.io/inferenceservice": "simulator"}
UNSHIELDED = ("NetworkPolicy llm/models-through-the-gateway",)
API = "gateway.networking.k8s.io/v1"
TARGET = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "open"}


def service(kind: str, **selector: str) -> dict[str, Any]:
    spec = {"type": kind, "selector": selector or CHOSEN, "ports": [{"port": 80, "targetPort": 8080}]}
    return made("v1", "Service", "direct", "llm", spec=spec)


def found(*more: dict[str, Any], shielded: bool = False, openshift: bool = False) -> list[Finding]:
    planted = facts(more=more, without=() if shielded else UNSHIELDED, openshift=openshift)
    return [each for each in said(planted, "MAAS-374", openshift=openshift) if each.status is not Status.passed]


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_a_service_with_an_address_outside_is_told(kind: str) -> None:
    (told,) = found(service(kind))
    assert told.status is Status.warning
    assert told.about == "Service llm/direct"
    assert told.message == "leads from outside to the model simulator, past the gateway: no key is asked for"
    assert not found(service(kind), shielded=True)


@pytest.mark.parametrize("harmless", [service("ClusterIP"), service("LoadBalancer", app="shop")])
def test_other_services_are_no_way_around(harmless: dict[str, Any]) -> None:
    assert not found(harmless)


def test_a_policy_that_lets_addresses_in_closes_nothing() -> None:
    rule = {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
    opened = made("networking.k8s.io/v1", "NetworkPolicy", "open", "llm", spec={"podSelector": {}, "ingress": [rule]})
    assert found(service("LoadBalancer"), opened, shielded=True)


def test_a_route_of_openshift_to_a_model_is_told() -> None:
    spec = {"host": "simulator.apps.example.com", "to": {"kind": "Service", "name": "simulator-predictor"}}
    route = made("route.openshift.io/v1", "Route", "simulator", "llm", spec=spec)
    (told,) = found(route, openshift=True)
    assert told.message.startswith("simulator.apps.example.com leads to the model simulator, past the gateway")
    near: dict[str, Any] = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}
    assert not found(route, made("networking.k8s.io/v1", "NetworkPolicy", "near", "llm", spec=near), openshift=True)


def gateway(*policies: dict[str, Any]) -> list[dict[str, Any]]:
    spec = {
        "parentRefs": [{"name": "open"}],
        "rules": [{"backendRefs": [{"name": "simulator-predictor", "port": 80}]}],
    }
    return [
        made(API, "Gateway", "open", "llm", spec={"gatewayClassName": "istio", "listeners": []}),
        made(API, "HTTPRoute", "direct", "llm", spec=spec),
        *policies,
    ]


def test_another_gateway_without_keys_is_told() -> None:
    (told,) = found(*gateway())
    assert told.about == "HTTPRoute llm/direct"
    assert told.message == "leads through Gateway llm/open to the model simulator: no key is asked for there"
    assert not found(*gateway(), shielded=True)


def test_another_gateway_that_asks_for_keys_is_none_of_it() -> None:
    policy = made("kuadrant.io/v1", "AuthPolicy", "keys", "llm", spec={"targetRef": TARGET})
    assert not found(*gateway(policy))
