"""Rights, tools, and what could not be read."""

from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.access import NEEDED, RULES, Permission, needed
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CONFIG_MAP, DEPLOYMENT, GATEWAY, NODE, POD, SECRET
from maas.readiness.catalogue import Phase, Target
from maas.readiness.findings import Finding, Status
from tests.kubernetes.offline import asked, facts, found


def one(code: str, probes: dict[str, Any] | None = None, target: Target = Target.kubernetes, **more: Any) -> Finding:
    (finding,) = found(code, facts(probes=probes, **more), asked(target))
    assert "should not happen" not in finding.message
    return finding


def answer(permission: Permission, allowed: bool) -> dict[str, Any]:
    return {
        "verb": permission.verb,
        "group": permission.group,
        "resource": permission.resource,
        "subresource": permission.subresource,
        "namespace": "llm" if permission.namespaced else "",
        "allowed": allowed,
        "reason": "",
    }


# -- what is needed, as data


def test_each_right_is_asked_once() -> None:
    assert len(set(NEEDED)) == len(NEEDED)
    assert len({(p.verb, p.group, p.resource, p.subresource) for p in NEEDED}) == len(NEEDED)


def test_rights_are_those_of_the_rules() -> None:
    assert {(p.verb, p.group) for p in NEEDED} == {(verb, rule.group) for rule in RULES for verb in rule.verbs}
    assert all(rule.why for rule in RULES)
    assert {rule.only for rule in RULES} == {"", "openshift", "kubernetes"}


def test_no_rule_takes_all() -> None:
    assert not [rule for rule in RULES if "*" in (rule.group, *rule.resources, *rule.verbs)]


@pytest.mark.parametrize(
    ("target", "described", "wanted"),
    [
        ("openshift", "create subscriptions.operators.coreos.com", True),
        ("kubernetes", "create subscriptions.operators.coreos.com", False),
        ("kubernetes", "escalate clusterroles.rbac.authorization.k8s.io", True),
        ("openshift", "create routes.route.openshift.io/custom-host", True),
        ("kubernetes", "create namespaces", True),
        ("openshift", "create namespaces", True),
    ],
)
def test_each_target_has_its_own(target: str, described: str, wanted: bool) -> None:
    assert (described in [permission.described for permission in needed(target)]) is wanted


def test_the_kinds_that_are_cluster_wide_say_so() -> None:
    wide = {p.resource for p in NEEDED if not p.namespaced}
    assert {"namespaces", "customresourcedefinitions", "clusterroles", "gatewayclasses"} <= wide
    assert not wide & {"deployments", "secrets", "gateways", "inferenceservices", "kuadrants"}


# -- rights


def test_cluster_admin_is_told_in_one_answer() -> None:
    all_of_it = {"verb": "*", "group": "*", "resource": "*", "allowed": True}
    assert one("MAAS-111", {"access": [all_of_it]}).status is Status.passed
    assert one("MAAS-111", {"access": [all_of_it | {"allowed": False}]}).status is Status.unknown


@pytest.mark.parametrize("target", [Target.kubernetes, Target.openshift])
def test_exactly_the_rights_of_the_target_are_enough(target: Target) -> None:
    answers = [answer(permission, permission in needed(target)) for permission in NEEDED]
    assert one("MAAS-111", {"access": answers}, target).status is Status.passed


@pytest.mark.parametrize("without", needed("kubernetes"), ids=lambda p: p.described)
def test_each_right_is_missed(without: Permission) -> None:
    answers = [answer(permission, permission != without) for permission in NEEDED]
    said = one("MAAS-111", {"access": answers})
    assert said.status is Status.failed
    assert said.message.startswith("1 of ")
    assert without.resource in said.message


def test_what_is_denied_is_listed_by_resource_and_bounded() -> None:
    said = one("MAAS-111", {"access": [answer(permission, False) for permission in NEEDED]})
    assert said.status is Status.failed
    assert "create, delete, patch certificates.cert-manager.io" in said.message
    assert "more" in said.message
    assert len(said.message) < 700
    assert said.remedy is not None and "--clusterrole=cluster-admin" in "".join(said.remedy.commands)


def test_a_right_that_nobody_asked_about_is_unknown() -> None:
    answers = [answer(permission, True) for permission in NEEDED if permission.resource != "secrets"]
    said = one("MAAS-111", {"access": answers})
    assert said.status is Status.unknown
    assert "secrets" in said.message


def test_a_snapshot_cannot_tell_rights() -> None:
    assert one("MAAS-111").status is Status.skipped
    unanswered = one("MAAS-111", {"access": Unread(Cause.failed, "the server answered 500")})
    assert unanswered.status is Status.unknown


def test_rights_to_install_are_asked_before_installing() -> None:
    assert found("MAAS-111", facts(), asked(phase=Phase.after)) == ()


# -- tools

HELM = {"path": "/usr/bin/helm", "version": "v3.19.0"}
KUBECTL = {"path": "/usr/bin/kubectl", "version": "v1.34.1"}
OC = {"path": "/usr/bin/oc", "version": "4.20.0"}


@pytest.mark.parametrize(
    ("tools", "target", "status"),
    [
        ({"kubectl": KUBECTL, "oc": None, "helm": None}, Target.kubernetes, Status.passed),
        ({"kubectl": None, "oc": OC, "helm": None}, Target.kubernetes, Status.passed),
        ({"kubectl": KUBECTL, "oc": None}, Target.openshift, Status.warning),
        ({"kubectl": KUBECTL, "oc": OC}, Target.openshift, Status.passed),
        ({"kubectl": None, "oc": None, "helm": HELM}, Target.kubernetes, Status.warning),
    ],
)
def test_kubectl_or_oc(tools: dict[str, Any], target: Target, status: Status) -> None:
    assert one("MAAS-112", {"tools": tools}, target).status is status


@pytest.mark.parametrize(
    ("helm", "status"),
    [
        (HELM, Status.passed),
        (HELM | {"version": "v3.14.0"}, Status.passed),
        (HELM | {"version": "v3.9.4"}, Status.failed),
        (HELM | {"version": "v2.17.0"}, Status.failed),
        (HELM | {"version": "v4.0.1+gabc"}, Status.passed),
        (HELM | {"version": ""}, Status.unknown),
        (None, Status.failed),
    ],
)
def test_helm(helm: dict[str, str] | None, status: Status) -> None:
    assert one("MAAS-113", {"tools": {"helm": helm}}).status is status


def test_openshift_needs_no_helm() -> None:
    assert one("MAAS-113", {"tools": {"helm": None}}, Target.openshift).status is Status.skipped


@pytest.mark.parametrize("code", ["MAAS-112", "MAAS-113"])
def test_tools_that_nobody_looked_for_are_skipped(code: str) -> None:
    assert one(code).status is Status.skipped


# -- reading


def test_all_was_read() -> None:
    assert one("MAAS-114").status is Status.passed


def test_what_was_not_read_is_told_by_cause() -> None:
    unread = {
        POD: Unread(Cause.denied, "pods is forbidden"),
        SECRET: Unread(Cause.denied, "secrets is forbidden"),
        NODE: Unread(Cause.timeout, "there was no time"),
    }
    said = found("MAAS-114", facts(unread=unread), asked())
    assert [each.about for each in said] == ["denied", "timeout"]
    assert "2 kinds: pods, secrets" in said[0].message
    assert "pods is forbidden" in str(said[0].seen[0])
    assert all(each.status is Status.warning for each in said)


def test_a_role_for_what_was_denied_is_shown_and_no_cluster_has_to_bring_it() -> None:
    unread = {POD: Unread(Cause.denied, "pods is forbidden"), DEPLOYMENT: Unread(Cause.denied, "deployments.apps is")}
    (said,) = found("MAAS-114", facts(unread=unread), asked())
    assert said.remedy is not None
    role, binding = said.remedy.all_commands
    assert role == "kubectl create clusterrole maas-reader --verb=get,list --resource=deployments.apps,pods"
    assert "--clusterrole=maas-reader" in binding


def test_a_poor_snapshot_is_told_in_a_few_words() -> None:
    from maas.cluster.kinds import ALL

    missing = {kind: Unread(Cause.not_exported, f"the snapshot holds no {kind.plural}") for kind in ALL}
    (said,) = found("MAAS-114", facts(unread=missing, live=False), asked())
    assert "more" in said.message
    assert said.remedy is not None
    assert len(said.remedy.all_commands) < 5


def test_of_an_export_the_commands_that_add_the_rest_name_every_kind() -> None:
    missing = {kind: Unread(Cause.not_exported, "not there") for kind in (SECRET, CONFIG_MAP, DEPLOYMENT, GATEWAY)}
    (said,) = found("MAAS-114", facts(unread=missing, live=False), asked())
    assert said.remedy is not None
    assert list(said.remedy.commands[1:]) == [
        "kubectl get deployments.apps,gateways.gateway.networking.k8s.io -A -o yaml > more.yaml",
        "kubectl get configmaps -A --field-selector=metadata.name=inferenceservice-config -o yaml > configmaps.yaml",
    ]


def test_kinds_that_may_not_be_served_wait_for_the_crds() -> None:
    missing = {kind: Unread(Cause.not_exported, "not there") for kind in (DEPLOYMENT, GATEWAY)}
    nobody_knows = replace(facts(unread=missing, live=False), apis=Unread(Cause.not_exported, "no CRDs"))
    (said,) = found("MAAS-114", nobody_knows, asked())
    assert said.remedy is not None
    assert list(said.remedy.commands[1:]) == [
        "kubectl get customresourcedefinitions -o yaml > crds.yaml",
        "kubectl get deployments.apps -A -o yaml > more.yaml",
    ]
