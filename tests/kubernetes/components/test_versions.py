"""Version numbers, the pins, and which clusters carry them."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from maas.cli.version import app
from maas.cluster.components.pins import Range, pins
from maas.cluster.components.versions import at_least, at_most, tag, version
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.kinds import CLUSTER_VERSION
from maas.readiness.findings import Finding, Status
from tests.kubernetes.clusters import typical
from tests.kubernetes.components.making import BEFORE, ON_OPENSHIFT, installed_operator, object_of, one, openshift
from tests.kubernetes.offline import facts, found


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("v1.30.3", (1, 30, 3)),
        ("1.30.3-distroless", (1, 30, 3)),
        ("v1.31.4-eks-2d5f260", (1, 31, 4)),
        ("23.9", (23, 9)),
        ("latest", None),
        ("", None),
        ("20240101", None),
        ("v1." + "9" * 5000, None),
        ("١.٢", None),
    ],
)
def test_versions_are_read_from_tags(written: str, expected: tuple[int, ...] | None) -> None:
    assert version(written) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("quay.io/jetstack/cert-manager-controller:v1.21.1", "v1.21.1"),
        ("localhost:5000/istio/pilot", ""),
        ("localhost:5000/istio/pilot:1.30.3@sha256:abc", "1.30.3"),
        ("registry.redhat.io/x@sha256:abc", ""),
        ("", ""),
    ],
)
def test_tags_of_images(image: str, expected: str) -> None:
    assert tag(image) == expected


def test_floors_and_ceilings_are_minor_versions() -> None:
    assert at_least((1, 30, 3), (1, 30)) and not at_least((1, 29, 9), (1, 30))
    assert at_most((1, 36, 4), (1, 36)) and not at_most((1, 37, 0), (1, 36))


def test_every_pin_is_whole() -> None:
    for pin in pins().values():
        assert pin.title and pin.source
        for number in (pin.version, pin.floor, pin.asked, pin.kubernetes.first, pin.openshift.first):
            assert number == "" or version(number)
        for older in pin.older:
            assert version(older.version) < version(pin.version)  # type: ignore[operator]
            assert older.kubernetes.first


def test_ranges_read_well() -> None:
    assert str(Range("", "4.18")) == "up to 4.18"
    assert [str(each) for each in (Range(), Range("1.32"), Range("1.32", "1.36"))] == [
        "",
        "1.32 or newer",
        "1.32 to 1.36",
    ]


def _about(findings: tuple[Finding, ...], title: str) -> Finding:
    return next(each for each in findings if each.about == title)


def test_a_new_cluster_carries_all_of_them() -> None:
    findings = found("MAAS-290", facts(version="v1.34.4"), BEFORE)
    assert len(findings) == 4
    assert {each.status for each in findings} == {Status.passed}


def test_an_older_cluster_gets_older_pins() -> None:
    findings = found("MAAS-290", facts(version="v1.31.4-eks-2d5f260"), BEFORE)
    about = _about(findings, "cert-manager")
    assert about.status is Status.warning and "1.19.6 is" in about.message
    assert about.remedy and "1.19.6" in about.remedy.text
    assert "1.29.6 is" in _about(findings, "Istio").message
    assert "0.15.2 is" in _about(findings, "KServe").message


def test_a_cluster_older_than_all_pins_must_be_upgraded() -> None:
    about = _about(found("MAAS-290", facts(version="v1.28.0"), BEFORE), "cert-manager")
    assert about.status is Status.warning and about.remedy and "Upgrade Kubernetes to 1.33" in about.remedy.text


def test_the_gateway_api_that_a_cluster_can_take() -> None:
    old = facts(openshift("4.16.1"), version="v1.29.14+7cf4c05")
    assert "1.4.1 is" in one("MAAS-290", old, ON_OPENSHIFT).message
    assert one("MAAS-290", facts(openshift("4.18.1"), version="v1.31.2"), ON_OPENSHIFT).status is Status.passed


def test_a_cluster_newer_than_all_pins_is_a_warning() -> None:
    about = _about(found("MAAS-290", facts(version="v1.38.0"), BEFORE), "Istio")
    assert about.status is Status.warning and "nobody has named" in about.message
    assert _about(found("MAAS-290", facts(version="v1.38.0"), BEFORE), "KServe").status is Status.passed


def test_no_version_is_unknown() -> None:
    from dataclasses import replace

    assert one("MAAS-290", replace(facts(), version={})).status is Status.unknown
    unread: Facts = replace(facts(), version=Unread(Cause.timeout, "no answer"))
    assert one("MAAS-290", unread).status is Status.unknown


@pytest.mark.parametrize(("number", "expected"), [("4.20.3", Status.passed), ("4.16.9", Status.warning)])
def test_openshift(number: str, expected: Status) -> None:
    findings = found("MAAS-291", facts(openshift(number)), ON_OPENSHIFT)
    assert _about(findings, "OpenShift's Gateway API").status is expected
    assert _about(findings, "OpenShift AI 3.x").status is expected
    assert _about(findings, "OpenShift Service Mesh 3").status is Status.passed


def test_a_patch_release_too_old_is_named_with_its_number() -> None:
    findings = found("MAAS-291", facts(openshift("4.19.5")), ON_OPENSHIFT)
    assert _about(findings, "OpenShift's Gateway API").status is Status.passed
    too_old = _about(findings, "OpenShift AI 3.x")
    assert too_old.status is Status.warning
    assert too_old.message.startswith("OpenShift AI 3.x is for OpenShift 4.19.9 or newer, not for 4.19.5")


def test_what_is_there_already_on_old_openshift_is_no_warning() -> None:
    there = [
        *installed_operator("servicemeshoperator3", "openshift-operators", "servicemeshoperator3.v3.0.0"),
        *installed_operator("rhods-operator", "redhat-ods-operator", "rhods-operator.2.19.0"),
    ]
    findings = found("MAAS-291", facts(openshift("4.16.9"), *there), ON_OPENSHIFT)
    assert {each.status for each in findings} == {Status.passed}


@pytest.mark.parametrize(
    ("number", "expected"), [("4.16.9", Status.passed), ("4.18.2", Status.passed), ("4.19.1", Status.warning)]
)
def test_service_mesh_2_is_judged_only_where_it_is_there(number: str, expected: Status) -> None:
    """It conflicts with what OpenShift brings since 4.19."""
    there = installed_operator("servicemeshoperator", "openshift-operators", "servicemeshoperator.v2.6.11")
    about = _about(found("MAAS-291", facts(openshift(number), *there), ON_OPENSHIFT), "OpenShift Service Mesh 2")
    assert about.status is expected
    if expected is Status.warning:
        assert "up to 4.18, not for 4.19" in about.message
        assert about.remedy and "Upgrade" not in about.remedy.text
    without = found("MAAS-291", facts(openshift(number)), ON_OPENSHIFT)
    assert not any("Service Mesh 2" in each.about for each in without)


def test_serverless_is_judged_only_where_openshift_ai_2_runs_on_it() -> None:
    assert _about(found("MAAS-291", typical.openshift_4_16().facts(), ON_OPENSHIFT), "OpenShift Serverless").status is (
        Status.passed
    )
    without = found("MAAS-291", typical.openshift_4_12().facts(), ON_OPENSHIFT)
    assert not any("Serverless" in each.about for each in without)


def test_service_mesh_3_on_openshift_older_than_it_has_no_substitute() -> None:
    about = _about(found("MAAS-291", typical.openshift_4_12().facts(), ON_OPENSHIFT), "OpenShift Service Mesh 3")
    assert about.status is Status.warning
    assert about.remedy and about.remedy.text == "Upgrade OpenShift to 4.14 or newer."


def test_the_other_platform_is_skipped_and_the_unread_unknown() -> None:
    assert one("MAAS-291", facts()).status is Status.skipped
    assert one("MAAS-290", facts(openshift("4.20.1")), ON_OPENSHIFT).status is Status.skipped
    denied = Unread(Cause.denied, "no")
    assert one("MAAS-291", facts(unread={CLUSTER_VERSION: denied}), ON_OPENSHIFT).status is Status.unknown
    empty: dict[str, Any] = object_of("config.openshift.io/v1", "ClusterVersion", "version")
    assert one("MAAS-291", facts(empty), ON_OPENSHIFT).status is Status.unknown


def test_the_command_prints_the_pins() -> None:
    answer = CliRunner().invoke(app, ["--components", "-o", "json"])
    by_key = {each["key"]: each for each in json.loads(answer.stdout)}
    assert by_key["cert-manager"]["kubernetes"] == {"first": "1.33", "last": "1.36"}
    table = CliRunner().invoke(app, ["--components"]).stdout
    assert "1.33 to 1.36" in table and "1.28.10" in table
    assert max(map(len, table.splitlines())) <= 80
