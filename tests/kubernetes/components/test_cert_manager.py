"""cert-manager: one, complete, answering, new enough."""

from typing import Any

import pytest

from maas.cluster.components import cert_manager
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.kinds import CERTIFICATE, CLUSTER_ISSUER, DEPLOYMENT, ISSUER
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    AFTER,
    BEFORE,
    ON_OPENSHIFT,
    condition,
    conditions,
    deployment,
    installed_operator,
    object_of,
    one,
    statuses,
)
from tests.kubernetes.offline import facts, found

_APIS = (CERTIFICATE, ISSUER, CLUSTER_ISSUER)
_OLM = installed_operator("openshift-cert-manager-operator", "cert-manager-operator", "cert-manager-operator.v1.15.0")
_HELM = {"app.kubernetes.io/managed-by": "Helm"}


def _parts(
    version: str = "v1.21.1", namespace: str = "cert-manager", prefix: str = "", **fields: Any
) -> list[dict[str, Any]]:
    image = "quay.io/jetstack/cert-manager-{}:" + version
    return [
        deployment(prefix + role, namespace, image.format(role), labels=_HELM, **fields) for role in cert_manager.ROLES
    ]


def _with(*objects: dict[str, Any], **given: Any) -> Facts:
    return facts(*objects, serves=_APIS, **given)


def test_absence_is_to_install_before_and_a_failure_after() -> None:
    assert one("MAAS-220", facts(), BEFORE).status is Status.to_install
    assert one("MAAS-220", facts(), AFTER).status is Status.failed
    assert "CRDs are there" in one("MAAS-220", _with(), BEFORE).message


def test_a_helm_release_is_recognised_with_its_version() -> None:
    finding = one("MAAS-220", _with(*_parts()))
    assert finding.status is Status.passed and "1.21.1 (Helm)" in finding.message


def test_unread_deployments_are_unknown() -> None:
    denied = Unread(Cause.denied, "listing deployments was denied")
    for code in ("MAAS-220", "MAAS-221", "MAAS-223", "MAAS-224"):
        assert one(code, facts(unread={DEPLOYMENT: denied})).status is Status.unknown


def test_olm_and_its_operands_are_one_installation() -> None:
    operands = _parts()
    for each in operands:
        each["metadata"]["labels"] = {}
    (installation,) = cert_manager.installations(_with(*_OLM, *operands))
    assert installation.version == "1.15.0"
    assert one("MAAS-223", _with(*_OLM, *operands), ON_OPENSHIFT).status is Status.passed


def test_olm_and_helm_together_are_a_conflict() -> None:
    finding = one("MAAS-223", _with(*_OLM, *_parts()), ON_OPENSHIFT)
    assert finding.status is Status.failed and "Helm" in finding.message and "OLM" in finding.message


def test_two_helm_releases_are_a_conflict() -> None:
    finding = one("MAAS-223", _with(*_parts(), *_parts(namespace="other", prefix="mine-")))
    assert finding.status is Status.failed and "there are 2" in finding.message


def test_nothing_installed_is_no_conflict_and_has_no_parts() -> None:
    for code in ("MAAS-221", "MAAS-222", "MAAS-223", "MAAS-224", "MAAS-225"):
        assert one(code, facts()).status is Status.skipped


def test_all_three_parts_are_looked_at() -> None:
    parts = _parts()
    parts[1] = deployment("cert-manager-webhook", "cert-manager", available=False)
    assert statuses("MAAS-221", _with(*parts)) == [Status.passed, Status.failed, Status.passed]
    assert statuses("MAAS-221", _with(*parts[:2]))[2] is Status.failed


def test_a_release_with_a_prefix_has_its_own_parts() -> None:
    assert statuses("MAAS-221", _with(*_parts(prefix="mine-"))) == [Status.passed] * 3


def test_a_part_scaled_down_can_be_scaled_up() -> None:
    parts = [*_parts()[:2], deployment("cert-manager-cainjector", "cert-manager", replicas=0)]
    finding = found("MAAS-221", _with(*parts), BEFORE)[2]
    assert finding.status is Status.failed and finding.remedy
    assert finding.remedy.changes[0].body == {"spec": {"replicas": 1}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"accepted": True, "message": ""}, Status.passed),
        ({"accepted": False, "message": "failed calling webhook: x509: unknown authority"}, Status.failed),
        ({"accepted": False, "message": "issuers is forbidden: User eve cannot create"}, Status.unknown),
        ([], Status.failed),
        (None, Status.skipped),
        (Unread(Cause.timeout, "no answer in time"), Status.unknown),
    ],
)
def test_the_dry_run_decides(answer: Any, expected: Status) -> None:
    probes = {} if answer is None else {"dry_run_issuer": answer}
    assert one("MAAS-222", _with(*_parts(), probes=probes)).status is expected


def test_a_snapshot_has_no_dry_run_and_says_so() -> None:
    assert "snapshot" in one("MAAS-222", _with(*_parts(), live=False)).message


@pytest.mark.parametrize(
    ("version", "expected"),
    [("v1.12.9", Status.failed), ("v1.13.0", Status.warning), ("v1.15.0", Status.passed), ("latest", Status.warning)],
)
def test_versions_are_held_to_what_was_asked_and_to_kserve(version: str, expected: Status) -> None:
    assert one("MAAS-224", _with(*_parts(version))).status is expected


def _issuer(kind: str, name: str, namespace: str = "", *given: dict[str, str]) -> dict[str, Any]:
    return object_of("cert-manager.io/v1", kind, name, namespace, status=conditions(*given))


def test_issuers_that_are_not_ready_are_warnings() -> None:
    good = _issuer("ClusterIssuer", "good", "", condition("Ready"))
    bad = _issuer("Issuer", "bad", "llm", condition("Ready", "False", "ErrInit", "no secret"))
    far = _issuer("Issuer", "far", "their-namespace", condition("Ready", "False"))
    assert one("MAAS-225", _with(good, far)).status is Status.passed
    finding = one("MAAS-225", _with(good, bad))
    assert finding.status is Status.warning and "no secret" in finding.message
    assert finding.remedy and finding.remedy.commands == ("kubectl describe issuer bad -n llm",)


def test_webhooks_of_dns_providers_are_not_cert_manager() -> None:
    assert not cert_manager.installations(facts(deployment("cert-manager-webhook-godaddy", "cert-manager")))
    assert not cert_manager.installations(facts(deployment("cert-manager-operator-controller-manager", "x")))
