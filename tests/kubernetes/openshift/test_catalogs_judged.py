"""The preflight says whether the operators that are missing can be had, before anything is changed."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.facts.packages import PROBE
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Finding, Status
from tests.kubernetes.clusters import operators, typical
from tests.kubernetes.offline import found as findings
from tests.kubernetes.openshift.shapes import bare, offered, offering

_ASKED = Asked(Target.openshift)


def _found(probes: dict[str, Any], *more: Any, asked: Asked = _ASKED) -> list[Finding]:
    return list(findings("MAAS-207", bare("4.20.4", "v1.33.5", *more, probes=probes).facts(), asked))


def _rhcl(*catalogs: dict[str, Any]) -> Finding:
    """What is said of Connectivity Link; all else is as it should be."""
    said = _found(offering(rhcl_operator=catalogs))
    (rhcl,) = [each for each in said if "rhcl" in each.about]
    assert {each.status for each in said if each is not rhcl} == {Status.passed}
    return rhcl


def test_what_is_offered_is_told() -> None:
    said = _found(offering())
    assert {each.status for each in said} == {Status.passed}
    assert "Red Hat Connectivity Link comes from redhat-operators, channel stable: rhcl-operator.v1.4.2" in [
        each.message for each in said
    ]


def test_the_version_that_lets_everybody_in_stops_the_installation() -> None:
    finding = _rhcl(offered("rhcl-operator", {"stable": "1.4.0"}))
    assert finding.status is Status.failed
    assert "stable has 1.4.0 (it lets requests pass the gateway without authentication)" in finding.message
    assert finding.remedy and "packagemanifests" in finding.remedy.commands[0]


def test_an_older_version_in_its_stead_is_a_warning() -> None:
    finding = _rhcl(offered("rhcl-operator", {"stable": "1.4.0"}, entries=("1.3.2",)))
    assert finding.status is Status.warning and "rhcl-operator.v1.3.2" in finding.message


def test_a_package_that_nobody_has() -> None:
    finding = _rhcl()
    assert finding.status is Status.failed and "no catalog has the package rhcl-operator" in finding.message


@pytest.mark.parametrize(("gpu", "status"), [(True, Status.failed), (False, Status.warning)])
def test_operators_for_gpus_matter_where_gpus_are_asked_for(gpu: bool, status: Status) -> None:
    said = _found(offering(gpu_operator_certified=[]), asked=Asked(Target.openshift, gpu=gpu))
    assert [each.status for each in said if "gpu-operator" in each.about] == [status]


def test_a_group_that_chooses_some_namespaces_will_not_do_for_an_operator_of_all() -> None:
    theirs = operators.group("theirs", "kuadrant-system", ["kuadrant-system"])
    (bad,) = [each for each in _found(offering(), theirs) if each.status is Status.failed]
    assert bad.remedy and bad.remedy.commands[0].startswith("oc patch operatorgroup -n kuadrant-system theirs")
    fine = operators.group("theirs", "kuadrant-system")
    assert {each.status for each in _found(offering(), fine)} == {Status.passed}
    own = operators.group("theirs", "cert-manager-operator", ["cert-manager-operator"])
    assert {each.status for each in _found(offering(), own)} == {Status.passed}


def test_two_groups_are_one_too_many() -> None:
    groups = [operators.group(each, "kuadrant-system") for each in ("a", "b")]
    (bad,) = [each for each in _found(offering(), *groups) if each.status is Status.failed]
    assert "has 2 OperatorGroups" in bad.message


def test_nothing_is_judged_where_no_catalog_was_asked() -> None:
    assert [each.status for each in _found({})] == [Status.skipped]
    (whole,) = findings("MAAS-207", typical.openshift_4_20().facts(), _ASKED)
    assert whole.status is Status.skipped
    (elsewhere,) = findings("MAAS-207", typical.kind().facts(), Asked(Target.kubernetes))
    assert elsewhere.status is Status.skipped
    assert list(findings("MAAS-207", bare("4.20.4", "v1.33.5").facts(), Asked(Target.openshift, Phase.after))) == []


def test_catalogs_that_gave_no_answer_are_unknown() -> None:
    denied = Unread(Cause.denied, "asking catalogs for operators was denied")
    (finding,) = _found({PROBE: denied})
    assert finding.status is Status.unknown and "denied" in finding.message


def test_what_is_installed_already_is_not_judged() -> None:
    """An upgrade asks catalogs for it once more."""
    there = operators.operator("rhcl-operator", "rhcl-operator.v1.4.2", "kuadrant-system")
    said = _found(offering(rhcl_operator=[offered("rhcl-operator", {"stable": "1.4.0"})]), *there)
    assert said and not any("rhcl" in each.about for each in said)
