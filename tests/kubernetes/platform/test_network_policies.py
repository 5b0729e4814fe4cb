"""NetworkPolicies: who reaches whom, and whether what must meet does."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import NETWORK_POLICY
from maas.cluster.reach import End, closed
from maas.readiness.catalogue import Phase
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.making import container, deployment, made, pod_spec
from tests.kubernetes.nodes.made import pod
from tests.kubernetes.offline import asked, facts, found

_NAMED = "gateway.networking.k8s.io/gateway-name"
A = End("a", "one", {"app": "a"})
B = End("b", "two", {"app": "b"}, {"web": 8080})


def policy(namespace: str, name: str = "p", selector: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    spec = {"podSelector": selector or {}, **spec}
    return made("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec=spec)


def named(name: str, **labels: str) -> dict[str, Any]:
    return made("v1", "Namespace", name, labels=labels)


def reaches(*policies: dict[str, Any], source: End = A, target: End = B, port: int = 8080) -> bool:
    return not closed(facts(named("one", team="x"), named("two"), *policies), source, target, port)


def ingress(*peers: dict[str, Any], ports: Any = None) -> list[dict[str, Any]]:
    return [({"from": list(peers)} if peers else {}) | ({"ports": ports} if ports else {})]


DENY = policy("two", "deny")
FROM_ONE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "one"}}}


@pytest.mark.parametrize(
    ("policies", "open"),
    [
        ([], True),
        ([DENY], False),
        ([policy("elsewhere")], True),
        ([policy("two", selector={"matchLabels": {"app": "other"}})], True),
        ([policy("two", selector={"matchExpressions": [{"key": "app", "operator": "In", "values": ["b"]}]})], False),
        ([policy("two", ingress=[{}])], True),
        ([policy("two", ingress=[])], False),
        ([policy("two", ingress=ingress({"podSelector": {}}))], False),  # its own namespace only
        ([policy("two", ingress=ingress({"namespaceSelector": {}}))], True),
        ([policy("two", ingress=ingress(FROM_ONE))], True),
        ([policy("two", ingress=ingress({"namespaceSelector": {"matchLabels": {"team": "x"}}}))], True),
        ([policy("two", ingress=ingress({"namespaceSelector": {"matchLabels": {"team": "y"}}}))], False),
        ([policy("two", ingress=ingress(FROM_ONE | {"podSelector": {"matchLabels": {"app": "a"}}}))], True),
        ([policy("two", ingress=ingress(FROM_ONE | {"podSelector": {"matchLabels": {"app": "z"}}}))], False),
        ([policy("two", ingress=ingress({"ipBlock": {"cidr": "0.0.0.0/0"}}))], True),
        ([policy("two", ingress=ingress({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}))], False),
        ([policy("two", ingress=ingress({"ipBlock": {"cidr": "10.0.0.0/8"}}))], False),
        ([policy("two", ingress=ingress(ports=[{"port": 8080}]))], True),
        ([policy("two", ingress=ingress(ports=[{"port": 9090}]))], False),
        ([policy("two", ingress=ingress(ports=[{"port": 8000, "endPort": 8100}]))], True),
        ([policy("two", ingress=ingress(ports=[{"port": 8000, "endPort": 8010}]))], False),
        ([policy("two", ingress=ingress(ports=[{"port": "web"}]))], True),
        ([policy("two", ingress=ingress(ports=[{"port": "metrics"}]))], False),
        ([policy("two", ingress=ingress(ports=[{"port": 8080, "protocol": "UDP"}]))], False),
        ([policy("two", ingress=ingress(ports=[{"protocol": "TCP"}]))], True),
        ([DENY, policy("two", "open", ingress=ingress(FROM_ONE))], True),  # one that admits is enough
        ([policy("two", policyTypes=["Egress"])], True),
        ([policy("one", policyTypes=["Egress"])], False),
        ([policy("one")], True),  # without egress rules it speaks of what enters
        ([policy("one", egress=[{"to": [{"podSelector": {}}]}])], False),
        (
            [
                policy(
                    "one",
                    egress=[{"to": [{"namespaceSelector": {}}], "ports": [{"port": "web"}]}],
                    policyTypes=["Egress"],
                )
            ],
            True,
        ),
        ([policy("one", egress=[{}], policyTypes=["Egress"]), DENY], False),  # both ends count
    ],
)
def test_reach(policies: list[dict[str, Any]], open: bool) -> None:
    assert reaches(*policies) is open


def test_the_same_namespace_is_in_reach_of_a_pod_selector() -> None:
    near = End("near", "two", {"app": "n"})
    assert reaches(policy("two", ingress=ingress({"podSelector": {"matchLabels": {"app": "n"}}})), source=near)


def test_a_namespace_that_nobody_read_is_known_by_its_name() -> None:
    assert not closed(facts(policy("two", ingress=ingress(FROM_ONE))), A, B, 8080)


# -- the checks


def one(code: str, *objects: dict[str, Any], **more: Any) -> Finding:
    (finding,) = found(code, facts(*objects, **more), asked())
    assert "should not happen" not in finding.message
    return finding


CODES = ["MAAS-155", "MAAS-156", "MAAS-157"]


@pytest.mark.parametrize("code", CODES)
def test_without_policies_all_is_open(code: str) -> None:
    assert one(code).status is Status.passed


@pytest.mark.parametrize("code", CODES)
def test_policies_that_were_not_read_are_unknown(code: str) -> None:
    assert one(code, unread={NETWORK_POLICY: Unread(Cause.denied, "denied")}).status is Status.unknown


def test_models_closed_by_default_are_found_before_they_are_there() -> None:
    said = one("MAAS-155", policy("llm", "default-deny"))
    assert said.status is Status.failed
    assert said.message == "the gateway does not reach port 8080 of models: llm/default-deny"


GATEWAY = pod("gw", namespace="ingress", labels={"gateway.networking.k8s.io/gateway-name": "maas"})
MODEL = pod("m", namespace="llm", labels={"serving.kserve.io/inferenceservice": "qwen3"})


def test_gateways_and_models_are_taken_where_they_are() -> None:
    same_namespace = policy("llm", "same-namespace", ingress=ingress({"podSelector": {}}))
    assert one("MAAS-155", same_namespace).status is Status.passed
    said = one("MAAS-155", same_namespace, GATEWAY, MODEL)
    assert said.status is Status.failed
    assert said.message == "Pod ingress/gw does not reach port 8080 of Pod llm/m: llm/same-namespace"


def test_ports_are_those_by_which_routes_reach_models() -> None:
    """A model that is no InferenceService, on a port of its own, behind a Service."""
    model = pod(
        "m", namespace="models", labels={"app": "m"}, containers=[{"ports": [{"name": "web", "containerPort": 8000}]}]
    )
    ports = [{"port": 80, "targetPort": "web"}, {"port": 9090, "targetPort": 9090}]
    service = made("v1", "Service", "m", "models", spec={"selector": {"app": "m"}, "ports": ports})
    refs = [{"name": "m", "namespace": "models", "port": 80}]
    route = made("gateway.networking.k8s.io/v1", "HTTPRoute", "r", "llm", spec={"rules": [{"backendRefs": refs}]})
    everywhere: dict[str, Any] = {"namespaceSelector": {}}
    right = policy("models", ingress=ingress(everywhere, ports=[{"port": 8000}]))
    wrong = policy("models", ingress=ingress(everywhere, ports=[{"port": 8080}]))
    assert one("MAAS-155", model, service, route, right).message == "port 8000, 9090 is open: 1 NetworkPolicy looked at"
    said = one("MAAS-155", model, service, route, wrong)
    assert said.status is Status.failed
    assert said.message == "the gateway does not reach port 8000 of Pod models/m: models/p"
    assert one("MAAS-155", model, service, wrong).status is Status.passed  # no route leads there


def test_after_the_installation_models_are_those_that_are_there() -> None:
    (said,) = found("MAAS-155", facts(policy("llm", "deny")), asked(phase=Phase.after))
    assert said.status is Status.skipped
    (said,) = found("MAAS-155", facts(policy("llm", "deny"), MODEL), asked(phase=Phase.after))
    assert said.status is Status.failed


@pytest.mark.parametrize(
    ("policies", "shut"),
    [
        ([policy("kuadrant-system", "deny")], ["Authorino", "Limitador", "the Kuadrant operator"]),
        (
            [policy("kuadrant-system", ingress=ingress(ports=[{"port": 50051}, {"port": 8081}]))],
            ["the Kuadrant operator"],
        ),
        ([policy("kuadrant-system", selector={"matchLabels": {"app": "limitador"}})], ["Limitador"]),
        ([policy("llm", policyTypes=["Egress"])], ["Authorino", "Limitador", "the Kuadrant operator"]),
        ([policy("kuadrant-system", ingress=ingress({"namespaceSelector": {}}))], []),
    ],
)
def test_what_kuadrant_needs(policies: list[dict[str, Any]], shut: list[str]) -> None:
    said = found("MAAS-156", facts(*policies), asked())
    assert [each.about.partition(",")[0] for each in said if each.status is Status.failed] == shut
    assert bool(shut) is not any(each.status is Status.passed for each in said)


def test_kuadrant_is_looked_for_where_it_runs() -> None:
    kuadrant = made("kuadrant.io/v1beta1", "Kuadrant", "kuadrant", "policies")
    assert one("MAAS-156", kuadrant, policy("kuadrant-system", "deny")).status is Status.passed
    said = found("MAAS-156", facts(kuadrant, policy("policies", "deny")), asked())
    assert [each.status for each in said] == [Status.failed] * 3


def test_metrics_are_a_warning() -> None:
    said = one("MAAS-157", policy("llm", "web-only", ingress=ingress(ports=[{"port": 80}])))
    assert said.status is Status.warning
    assert "port 15090" in said.message


def test_prometheus_is_taken_where_it_is() -> None:
    prometheus = pod(
        "prometheus-k8s-0", namespace="openshift-monitoring", labels={"app.kubernetes.io/name": "prometheus"}
    )
    admitted = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-monitoring"}}}
    opened = policy("llm", ingress=ingress(admitted))
    assert one("MAAS-157", opened).status is Status.warning
    assert one("MAAS-157", opened, prometheus).status is Status.passed


@pytest.mark.parametrize(
    ("code", "shut"),
    [
        ("MAAS-155", [policy("llm", "deny", {"matchLabels": {"component": "predictor"}})]),
        ("MAAS-155", [policy("llm", "deny-leaving", policyTypes=["Egress"])]),
        ("MAAS-156", [policy("kuadrant-system", "deny")]),
        ("MAAS-156", [policy("llm", "deny-leaving", policyTypes=["Egress"])]),
        ("MAAS-157", [policy("llm", "deny")]),
        ("MAAS-155", [policy("llm", "deny"), policy("llm", "deny-leaving", policyTypes=["Egress"])]),
        ("MAAS-156", [policy("kuadrant-system", "deny"), policy("llm", "deny-leaving", policyTypes=["Egress"])]),
    ],
)
def test_the_remedy_opens_the_way_and_closes_no_other(code: str, shut: list[dict[str, Any]]) -> None:
    before = found(code, facts(*shut), asked())
    added = [change.body for each in before if each.remedy for change in each.remedy.changes]
    assert added
    assert [each.status for each in found(code, facts(*shut, *map(dict, added)), asked())] == [Status.passed]
    of_the_gateway = {"matchLabels": {_NAMED: "maas-gateway"}}  # which the policies that shut it choose already
    selectors = [*(policy["spec"]["podSelector"] for policy in shut), of_the_gateway]
    assert all(body["spec"]["podSelector"] in selectors for body in added)
    assert len({(body["metadata"]["namespace"], body["metadata"]["name"]) for body in added}) == len(added)


def test_many_closed_ways_are_told_by_a_few() -> None:
    models = [pod(f"m{i}", namespace="llm", labels={"serving.kserve.io/inferenceservice": f"m{i}"}) for i in range(300)]
    said = found("MAAS-155", facts(policy("llm"), *models), asked())
    assert len(said) <= 5


def test_to_gateways_of_others_nothing_is_opened() -> None:
    scenario = typical.kubernetes_1_34()
    theirs = deployment(
        "shop-istio", "shop", pod_spec(container("istio-proxy", "x")), "node-1", labels={_NAMED: "shop"}
    )
    facts = scenario.changed(lambda objects: [*objects, *theirs]).facts()
    assert [each.status for each in judge(facts, scenario.asked, only=["MAAS-155"])] == [Status.passed]


def test_what_is_opened_is_for_the_gateway_and_nobody_beside_it() -> None:
    scenario = typical.kubernetes_1_34()
    shut = {"matchExpressions": [{"key": "component", "operator": "In", "values": ["predictor"]}]}
    planted = [policy("llm", "shut", shut, policyTypes=["Ingress"])]
    facts = scenario.changed(lambda objects: [*(o for o in objects if o["kind"] != "NetworkPolicy"), *planted]).facts()
    (finding,) = judge(facts, scenario.asked, only=["MAAS-155"])
    assert finding.seen[0].value == "component In (predictor)"
    assert finding.remedy
    (change,) = finding.remedy.changes
    (peer,) = change.body["spec"]["ingress"][0]["from"]
    assert peer["podSelector"] == {"matchLabels": {_NAMED: "maas-gateway"}}


def test_pods_behind_routes_of_others_are_no_models() -> None:
    scenario = typical.kubernetes_1_34()
    api = "gateway.networking.k8s.io/v1"
    shop = {"selector": {"app": "shop"}, "ports": [{"port": 80}]}
    route = {"parentRefs": [{"name": "shop"}], "rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]}
    theirs = [
        made(api, "Gateway", "shop", "shop", spec={}),
        made(api, "HTTPRoute", "shop", "shop", spec=route),
        made("v1", "Service", "shop", "shop", spec=shop),
        pod("shop", namespace="shop", labels={"app": "shop"}),
        policy("shop"),
    ]
    facts = scenario.after().changed(lambda objects: [*objects, *theirs]).facts()
    assert [each.status for each in judge(facts, scenario.after().asked, only=["MAAS-155"])] == [Status.passed]


@pytest.mark.parametrize("shut", [policy("llm"), policy("edge", policyTypes=["Egress"])])
def test_of_several_gateways_each_gets_a_policy_of_its_own(shut: dict[str, Any]) -> None:
    gateways = [
        made("gateway.networking.k8s.io/v1", "Gateway", each, "edge", labels={"app": "maas"}, spec={})
        for each in ("one", "two")
    ]
    before = found("MAAS-155", facts(shut, *gateways), asked())
    added = [dict(change.body) for each in before if each.remedy for change in each.remedy.changes]
    assert len({body["metadata"]["name"] for body in added}) == 2
    (after,) = found("MAAS-155", facts(shut, *gateways, *added), asked())
    assert after.status is Status.passed
