"""What OLM was asked for, and where it got stuck."""

from pathlib import Path

import pytest
import yaml

from maas.cluster.components import olm
from maas.cluster.facts import snapshot
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CSV, INSTALL_PLAN, SUBSCRIPTION
from maas.cluster.objects import namespace
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    BEFORE,
    ON_OPENSHIFT,
    ON_OPENSHIFT_AFTER,
    catalog,
    condition,
    csv,
    install_plan,
    installed_operator,
    object_of,
    one,
    operator_group,
    statuses,
    subscription,
)
from tests.kubernetes.offline import facts, found

_OLM = (SUBSCRIPTION, CSV, INSTALL_PLAN)
_MESH = installed_operator("servicemeshoperator3", "openshift-operators", "servicemeshoperator3.v3.1.0")
_CODES = ("MAAS-201", "MAAS-202", "MAAS-203", "MAAS-204", "MAAS-205", "MAAS-206")


@pytest.mark.parametrize("code", _CODES)
def test_without_olm_nothing_is_judged(code: str) -> None:
    assert one(code, facts()).status is Status.skipped


@pytest.mark.parametrize("code", _CODES[1:])
def test_with_olm_and_none_of_our_operators_nothing_is_judged(code: str) -> None:
    assert one(code, facts(serves=_OLM), ON_OPENSHIFT).status is Status.skipped


@pytest.mark.parametrize("code", ["MAAS-201", "MAAS-202", "MAAS-204", "MAAS-205", "MAAS-206"])
def test_an_operator_that_is_well_passes_everywhere(code: str) -> None:
    assert statuses(code, facts(*_MESH, catalog(), serves=_OLM), ON_OPENSHIFT) == [Status.passed]


@pytest.mark.parametrize("code", ["MAAS-202", "MAAS-205", "MAAS-206"])
def test_what_could_not_be_read_is_unknown(code: str) -> None:
    denied = Unread(Cause.denied, "listing subscriptions was denied")
    assert one(code, facts(serves=_OLM, unread={SUBSCRIPTION: denied}), ON_OPENSHIFT).status is Status.unknown


def test_openshift_without_olm_is_not_ready() -> None:
    finding = one("MAAS-200", facts(), ON_OPENSHIFT)
    assert finding.status is Status.failed and finding.remedy is not None
    assert one("MAAS-200", facts(), BEFORE).status is Status.skipped
    assert one("MAAS-200", facts(serves=_OLM), ON_OPENSHIFT).status is Status.passed


def test_disabled_copies_of_csvs_are_told() -> None:
    config = object_of(
        "operators.coreos.com/v1", "OLMConfig", "cluster", spec={"features": {"disableCopiedCSVs": True}}
    )
    assert "not copied" in one("MAAS-200", facts(config, serves=_OLM), ON_OPENSHIFT).message


@pytest.mark.parametrize("state", ["TRANSIENT_FAILURE", "CONNECTING", ""])
def test_a_catalog_that_is_not_ready_fails(state: str) -> None:
    finding = one("MAAS-201", facts(catalog(state=state), serves=_OLM), ON_OPENSHIFT)
    assert finding.status is Status.failed
    assert finding.remedy and "olm.catalogSource=redhat-operators" in finding.remedy.commands[0]


def test_a_missing_catalog_fails_on_openshift_and_is_no_matter_elsewhere() -> None:
    finding = one("MAAS-201", facts(serves=_OLM), ON_OPENSHIFT)
    assert finding.status is Status.failed and "redhat-operators" in finding.message
    assert one("MAAS-201", facts(serves=_OLM), BEFORE).status is Status.skipped


def test_a_bad_catalog_is_only_a_warning_once_everything_is_installed() -> None:
    bad = catalog(state="TRANSIENT_FAILURE")
    assert one("MAAS-201", facts(*_MESH, bad), ON_OPENSHIFT_AFTER).status is Status.warning
    waiting = subscription("rhods-operator", "redhat-ods-operator")
    assert one("MAAS-201", facts(*_MESH, waiting, bad), ON_OPENSHIFT_AFTER).status is Status.failed


def test_gpus_ask_for_their_catalog() -> None:
    asked = Asked(Target.openshift, Phase.before, gpu=True)
    codes = found("MAAS-201", facts(catalog(), serves=_OLM), asked)
    assert [each.status for each in codes] == [Status.failed, Status.passed]
    assert "certified-operators" in codes[0].message


def test_the_catalog_of_a_subscription_matters_wherever_it_is() -> None:
    mine = subscription("kuadrant-operator", "kuadrant-system", csv="kuadrant-operator.v1.5.2", source="mine")
    assert "mine" in one("MAAS-201", facts(mine, serves=_OLM), BEFORE).message


@pytest.mark.parametrize(
    "type", ["ResolutionFailed", "CatalogSourcesUnhealthy", "BundleUnpackFailed", "InstallPlanFailed"]
)
def test_a_stuck_subscription_fails_with_its_message(type: str) -> None:
    stuck = subscription("rhods-operator", "ns", conditions=[condition(type, message="no channel stable-9")])
    finding = one("MAAS-202", facts(stuck, serves=_OLM), ON_OPENSHIFT)
    assert finding.status is Status.failed
    assert "no channel stable-9" in finding.message and type in finding.message


def test_a_foreign_subscription_that_stops_ours_is_found() -> None:
    foreign = subscription("etcd", "openshift-operators", conditions=[condition("ResolutionFailed", message="gone")])
    elsewhere = subscription("etcd", "their-namespace", conditions=[condition("ResolutionFailed", message="gone")])
    assert Status.failed in statuses("MAAS-202", facts(*_MESH, foreign), ON_OPENSHIFT)
    assert statuses("MAAS-202", facts(*_MESH, elsewhere), ON_OPENSHIFT) == [Status.passed]


def test_a_pending_upgrade_is_a_warning_and_no_installation_a_failure() -> None:
    waiting = subscription("rhods-operator", "ns", csv="rhods-operator.2.16.0", state="UpgradePending")
    nothing = subscription("rhods-operator", "ns")
    assert one("MAAS-202", facts(waiting), ON_OPENSHIFT).status is Status.warning
    assert one("MAAS-202", facts(nothing), ON_OPENSHIFT).status is Status.failed


def test_an_upgrade_that_failed_is_not_called_a_missing_installation() -> None:
    stuck = subscription("rhods-operator", "ns", csv="rhods-operator.2.16.0", state="UpgradeFailed")
    finding = one("MAAS-202", facts(stuck), ON_OPENSHIFT)
    assert (finding.status, finding.message) == (Status.failed, "an upgrade of rhods-operator failed")


def test_a_plan_that_waits_can_be_approved() -> None:
    finding = one("MAAS-203", facts(install_plan("RequiresApproval", "rhods-operator.2.16.0")), ON_OPENSHIFT)
    assert finding.status is Status.failed and finding.remedy is not None
    (change,) = finding.remedy.changes
    assert change.body == {"spec": {"approved": True}}
    assert change.command.startswith("kubectl patch installplans.operators.coreos.com/install-x -n ns --type=merge")


def test_a_failed_plan_fails_with_its_message() -> None:
    why = [condition("Installed", "False", "InstallComponentFailed", "crd is owned by another")]
    finding = one("MAAS-203", facts(install_plan("Failed", "nfd.4.17.0", conditions=why)), ON_OPENSHIFT)
    assert finding.status is Status.failed and "crd is owned by another" in finding.message


def test_an_upgrade_that_waits_is_a_warning() -> None:
    plan, running = install_plan("RequiresApproval", "nfd.4.17.0"), csv("nfd.4.16.0", "ns")
    finding = one("MAAS-203", facts(plan, running), ON_OPENSHIFT)
    assert finding.status is Status.warning and finding.remedy and finding.remedy.changes


def test_old_plans_say_nothing() -> None:
    failed_once, later = install_plan("Failed", "nfd.4.17.0"), install_plan("Complete", "nfd.4.17.0")
    failed_once["spec"]["generation"], later["spec"]["generation"] = 1, 2
    assert one("MAAS-203", facts(failed_once, later), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-203", facts(failed_once, csv("nfd.4.17.0", "ns")), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-203", facts(failed_once), ON_OPENSHIFT).status is Status.failed


def test_plans_that_are_done_or_approved_or_foreign_are_no_matter() -> None:
    done = install_plan("Complete", "nfd.4.17.0", approved=True)
    approved = install_plan("RequiresApproval", "nfd.4.17.0", approved=True)
    foreign = install_plan("RequiresApproval", "etcd.v1.0.0")
    assert one("MAAS-203", facts(done), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-203", facts(approved), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-203", facts(foreign), ON_OPENSHIFT).status is Status.skipped


@pytest.mark.parametrize(
    ("reason", "advice"),
    [("TooManyOperatorGroups", "MAAS-205"), ("RequirementsNotMet", "Install what"), ("InstallCheckFailed", "pods")],
)
def test_a_csv_that_has_not_succeeded_fails(reason: str, advice: str) -> None:
    bad = csv("rhods-operator.2.16.0", "ns", "Failed", status={"reason": reason, "message": "because"})
    finding = one("MAAS-204", facts(bad), ON_OPENSHIFT)
    assert finding.status is Status.failed and "because" in finding.message
    assert finding.remedy and advice in finding.remedy.text


def test_unmet_requirements_are_named() -> None:
    missing = [{"name": "things.example.com", "status": "NotPresent"}, {"name": "there", "status": "Present"}]
    pending = csv("rhods-operator.2.16.0", "ns", "Pending", status={"requirementStatus": missing})
    message = one("MAAS-204", facts(pending), ON_OPENSHIFT).message
    assert "things.example.com" in message and "there" not in message.split("missing:")[1]


def test_copied_csvs_are_counted_once_and_never_judged() -> None:
    copies = [
        csv("rhods-operator.2.16.0", f"ns-{n}", "Failed", metadata={"labels": {"olm.copiedFrom": "home"}})
        for n in range(50)
    ]
    by_reason = csv("rhods-operator.2.16.0", "ns-51", "Failed", status={"reason": "Copied"})
    original = csv("rhods-operator.2.16.0", "home")
    assert statuses("MAAS-204", facts(*copies, by_reason, original), ON_OPENSHIFT) == [Status.passed]
    assert len(olm.operators(facts(*copies, by_reason, original, serves=_OLM), olm.RHOAI)) == 1


def test_a_csv_being_replaced_is_a_warning_and_not_its_operator() -> None:
    old, new = csv("nfd.4.16.0", "ns", "Replacing"), csv("nfd.4.17.0", "ns")
    assert sorted(statuses("MAAS-204", facts(old, new), ON_OPENSHIFT)) == [Status.passed, Status.warning]
    (operator,) = olm.operators(facts(old, new, serves=_OLM), olm.NFD)
    assert operator.version == "4.17.0"


@pytest.mark.parametrize(
    ("namespace", "spec"), [("openshift-nfd", {"targetNamespaces": ["openshift-nfd"]}), ("openshift-serverless", {})]
)
def test_a_missing_operator_group_can_be_created(namespace: str, spec: dict[str, object]) -> None:
    package = {"openshift-nfd": "nfd", "openshift-serverless": "serverless-operator"}[namespace]
    finding = one("MAAS-205", facts(subscription(package, namespace)), ON_OPENSHIFT)
    assert finding.status is Status.failed and finding.remedy is not None
    assert finding.remedy.changes[0].body["spec"] == spec
    assert finding.remedy.changes[0].body["metadata"]["namespace"] == namespace


def test_two_operator_groups_fail() -> None:
    groups = operator_group("openshift-operators", "b"), operator_group("openshift-operators", "a")
    finding = one("MAAS-205", facts(_MESH[0], *groups), ON_OPENSHIFT)
    assert finding.status is Status.failed
    assert finding.remedy and finding.remedy.commands == ("oc delete operatorgroup -n openshift-operators b",)


def test_the_same_operator_twice_and_rivals_fail() -> None:
    twice = [subscription("nfd", "one", csv="nfd.1.0.0"), subscription("nfd", "two", csv="nfd.1.0.0")]
    rivals = [subscription("rhods-operator", "a"), subscription("opendatahub-operator", "b")]
    assert "2 times" in one("MAAS-206", facts(*twice), ON_OPENSHIFT).message
    assert "both" in one("MAAS-206", facts(*rivals), ON_OPENSHIFT).message


def test_names_of_packages_are_not_mixed_up() -> None:
    three = facts(csv("servicemeshoperator3.v3.1.0", "ns"), serves=_OLM)
    assert not olm.operators(three, olm.SERVICE_MESH_2)
    assert olm.operators(three, olm.SERVICE_MESH_3)[0].version == "3.1.0"


def test_a_stuck_operator_is_explained_by_its_cause() -> None:
    from maas.readiness.judging import judge
    from tests.kubernetes.components.making import ON_OPENSHIFT as asked

    waiting = [subscription("rhods-operator", "ns"), install_plan("RequiresApproval", "rhods-operator.2.16.0")]
    pending = csv("rhods-operator.2.16.0", "ns", "Pending")
    findings = judge(facts(*waiting, pending, operator_group("ns"), catalog()), asked, only=["MAAS-20"])
    (about_csv,) = [each for each in findings if each.code == "MAAS-204"]
    assert set(about_csv.because_of) == {"MAAS-202", "MAAS-203"}
    assert found("MAAS-203", facts(*waiting), asked)[0].status is Status.failed


def test_copies_are_not_even_read(tmp_path: Path) -> None:
    copied = {"labels": {"olm.copiedFrom": "home"}}
    objects = [csv("nfd.4.17.0", "home"), csv("nfd.4.17.0", "elsewhere", metadata=copied)]
    (tmp_path / "csvs.yaml").write_text(yaml.safe_dump_all(objects))
    assert [namespace(each) for each in snapshot.read(tmp_path).all(CSV)] == ["home"]
