"""Gateways, routes and certificates: each fault is found by its own check, with what to do."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import HTTP_ROUTE, REFERENCE_GRANT
from maas.readiness.findings import Status
from tests.kubernetes.installed.planting import Change, both, conditioned, drop, facts, problems, put, said
from tests.kubernetes.offline import NOW

GATEWAY = "Gateway llm/maas-gateway"
ROUTE = "HTTPRoute llm/simulator"
CERTIFICATE = "Certificate llm/maas-gateway-tls"
OLD = "2026-07-01T00:00:00Z"


@pytest.mark.parametrize("openshift", [False, True])
def test_a_healthy_installation_has_no_problem(openshift: bool) -> None:
    found = problems(facts(openshift=openshift), openshift)
    assert set(found) <= {"MAAS-372"}, found


@pytest.mark.parametrize(
    ("on", "change", "code", "status", "message", "remedy"),
    [
        (
            GATEWAY,
            conditioned("Programmed", "False", "Invalid", "no listener"),
            "MAAS-301",
            Status.failed,
            "is not programmed: Invalid: no listener",
            "Correct the spec",
        ),
        (
            GATEWAY,
            conditioned("Accepted", "Unknown", "Pending", "Waiting for controller"),
            "MAAS-301",
            Status.failed,
            "is not accepted: Pending: Waiting for controller",
            "controller",
        ),
        (
            GATEWAY,
            conditioned("Programmed", "False", "AddressNotAssigned", "no address"),
            "MAAS-301",
            Status.warning,
            "has no address of its own",
            "load balancer",
        ),
        (GATEWAY, put("metadata", "generation", value=2), "MAAS-301", Status.warning, "of an older spec", "Look at"),
        (GATEWAY, drop("status"), "MAAS-301", Status.failed, "no controller has looked at it", "class"),
        (
            GATEWAY,
            conditioned("ResolvedRefs", "False", "InvalidCertificateRef", "not found", at=["listeners", 1]),
            "MAAS-302",
            Status.failed,
            "ResolvedRefs is False: InvalidCertificateRef: not found",
            "tls.crt",
        ),
        (
            GATEWAY,
            conditioned("Conflicted", "True", "HostnameConflict", at=["listeners", 0]),
            "MAAS-302",
            Status.failed,
            "Conflicted is True",
            "message",
        ),
        (
            GATEWAY,
            put("status", "listeners", 0, "attachedRoutes", value=0),
            "MAAS-302",
            Status.warning,
            "has no route",
            "HTTPRoute",
        ),
        (
            ROUTE,
            conditioned("Accepted", "False", "NotAllowedByListeners", at=["parents", 0]),
            "MAAS-303",
            Status.failed,
            "Accepted is False at Gateway llm/maas-gateway: NotAllowedByListeners",
            "from: All",
        ),
        (
            ROUTE,
            conditioned("ResolvedRefs", "False", "BackendNotFound", "no Service", at=["parents", 0]),
            "MAAS-303",
            Status.failed,
            "ResolvedRefs is False at Gateway llm/maas-gateway: BackendNotFound: no Service",
            "Create the Service",
        ),
        (ROUTE, drop("status"), "MAAS-303", Status.failed, "has not looked at it", "controller"),
        (ROUTE, put("metadata", "generation", value=5), "MAAS-303", Status.warning, "of an older spec", "Look"),
        (
            CERTIFICATE,
            conditioned("Ready", "False", "Failed", "issuer not found"),
            "MAAS-310",
            Status.failed,
            "is not ready: Failed: issuer not found",
            "ClusterIssuer selfsigned",
        ),
        (
            CERTIFICATE,
            put("status", "notAfter", value="2026-09-19T00:00:00Z"),
            "MAAS-311",
            Status.failed,
            "expired 2 days ago",
            "cmctl renew",
        ),
        (
            CERTIFICATE,
            both(put("status", "notBefore", value=OLD), put("status", "notAfter", value="2026-10-01T00:00:00Z")),
            "MAAS-311",
            Status.warning,
            "expires in 9 days",
            "renewed",
        ),
        (
            CERTIFICATE,
            put("status", "renewalTime", value="2026-09-11T00:00:00Z"),
            "MAAS-311",
            Status.warning,
            "should have been renewed 10 days ago",
            "renewed",
        ),
        (
            GATEWAY,
            both(drop("spec", "listeners", 1), drop("status", "listeners", 1)),
            "MAAS-312",
            Status.warning,
            "speaks plain http only",
            "HTTPS listener",
        ),
    ],
)
def test_each_fault(on: str, change: Change, code: str, status: Status, message: str, remedy: str) -> None:
    found = problems(facts((on, change)))
    assert code in found, found
    assert found[code].status is status
    assert message in found[code].message
    assert found[code].about.startswith(on.partition(",")[0]), found[code].about
    mended = found[code].remedy
    assert mended is not None
    assert remedy in f"{mended.text} {' '.join(mended.all_commands)}"


def test_the_dates_above_are_seen_from_the_facts_own_time() -> None:
    ends = both(put("status", "notBefore", value=OLD), put("status", "notAfter", value="2026-09-22T12:00:00Z"))
    later = facts((CERTIFICATE, ends))
    assert problems(later)["MAAS-311"].message == "expires in 21 hours"
    assert NOW == 1_790_000_000.0


def test_no_gateway_is_one_failure_not_many() -> None:
    found = [f for f in said(facts(without=["Gateway", "HTTPRoute"])) if f.status is Status.failed and not f.because_of]
    assert [f.code for f in found] == ["MAAS-300"]


def test_a_gateway_without_routes_says_so() -> None:
    found = problems(facts(without=["HTTPRoute"]))
    assert found["MAAS-303"].message == "no HTTPRoute leads from a gateway to a model"


def test_a_gateway_by_any_other_name_is_known_by_its_policies() -> None:
    def renamed(object: dict[str, object]) -> None:
        put("metadata", "name", value="edge")(object)
        drop("metadata", "labels")(object)

    to = put("spec", "targetRef", "name", value="edge")
    route = both(put("spec", "parentRefs", 0, "name", value="edge"))
    status = put("status", "parents", 0, "parentRef", "name", value="edge")
    changed = facts(
        (GATEWAY, renamed),
        *((kind, to) for kind in ("AuthPolicy", "RateLimitPolicy", "TokenRateLimitPolicy", "TLSPolicy")),
        ("HTTPRoute", both(route, status)),
    )
    assert [f.message for f in said(changed, "MAAS-300")] == ["Gateway llm/edge"]
    assert set(problems(changed)) <= {"MAAS-372"}


def test_a_backend_elsewhere_needs_a_grant_and_gets_one_offered() -> None:
    elsewhere = put("spec", "rules", 0, "backendRefs", 0, "namespace", value="models")
    found = problems(facts((ROUTE, elsewhere)))["MAAS-304"]
    assert found.message == "may not use Service models/simulator-predictor"
    assert found.remedy is not None
    body = dict(found.remedy.changes[0].body)
    assert "MAAS-304" not in problems(facts((ROUTE, elsewhere), more=[body]))
    elsewhere_too = {**body, "spec": {**body["spec"], "from": [{**body["spec"]["from"][0], "namespace": "other"}]}}
    assert "MAAS-304" in problems(facts((ROUTE, elsewhere), more=[elsewhere_too]))


def test_what_was_not_read_is_unknown_and_not_absent() -> None:
    plain = facts()
    denied = Unread(Cause.denied, "listing httproutes was denied")
    object.__setattr__(plain, "lists", {**plain.lists, HTTP_ROUTE.key: denied, REFERENCE_GRANT.key: denied})
    found = {f.code: f for f in said(plain)}
    assert found["MAAS-303"].status is Status.unknown
    assert found["MAAS-303"].message == "listing httproutes was denied"
    assert found["MAAS-301"].status is Status.passed


def test_openshift_routes_are_judged_by_admission_and_tls() -> None:
    route = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "maas", "namespace": "llm"},
        "spec": {
            "host": "maas.apps.example.com",
            "to": {"kind": "Service", "name": "maas-gateway-openshift-default"},
            "tls": {"termination": "edge"},
        },
        "status": {"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]},
    }
    fine = said(facts(more=[route], openshift=True), "MAAS-305", openshift=True)
    assert [(f.status, f.message) for f in fine] == [(Status.passed, "maas.apps.example.com: admitted, with TLS")]
    claimed = {"type": "Admitted", "status": "False", "reason": "HostAlreadyClaimed", "message": "route other"}
    bad = {
        **route,
        "spec": {**route["spec"], "tls": {}},  # type: ignore[dict-item]
        "status": {"ingress": [{"conditions": [claimed]}]},
    }
    found = said(facts(more=[bad], openshift=True), "MAAS-305", openshift=True)
    assert "HostAlreadyClaimed: route other" in found[0].message
    assert found[1].remedy is not None
    assert found[1].remedy.changes[0].body["spec"]["tls"]["termination"] == "edge"


def test_a_route_that_answers_over_http_as_well_is_told_and_mended() -> None:
    tls = {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}
    route = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "maas", "namespace": "llm"},
        "spec": {"host": "maas.apps.example.com", "to": {"name": "maas-gateway-openshift-default"}, "tls": tls},
        "status": {"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]},
    }
    plain = both(drop("spec", "listeners", 1), drop("status", "listeners", 1))
    planted = facts((GATEWAY, plain), more=[route], openshift=True)
    found = problems(planted, openshift=True)
    assert found["MAAS-305"].status is Status.warning
    assert "over plain http as well" in found["MAAS-305"].message
    assert found["MAAS-312"].because_of == ("MAAS-305",)
    assert found["MAAS-305"].remedy is not None
    tls |= dict(found["MAAS-305"].remedy.changes[0].body["spec"]["tls"])
    mended = problems(facts((GATEWAY, plain), more=[route], openshift=True), openshift=True)
    assert not {"MAAS-305", "MAAS-312"} & set(mended)


@pytest.mark.parametrize(("secret", "code"), [("edge", "MAAS-311"), ("other", "")])
def test_a_listeners_certificate_is_judged_wherever_it_lies(secret: str, code: str) -> None:
    refs = put("spec", "listeners", 1, "tls", "certificateRefs", 0, value={"name": "edge", "namespace": "certs"})
    certificate = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "edge", "namespace": "certs"},
        "spec": {"secretName": secret},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "notAfter": "2026-09-19T00:00:00Z"},
    }
    found = problems(facts((GATEWAY, refs), more=[certificate]))
    assert set(found) == ({code} if code else set()), found


def times(begins: str, renewal: str | None, ends: str) -> tuple[str, Change]:
    def change(certificate: dict[str, Any]) -> None:
        certificate["status"] |= {"notBefore": begins, "renewalTime": renewal, "notAfter": ends}

    return CERTIFICATE, change


@pytest.mark.parametrize(
    ("begins", "renewal", "ends", "message"),
    [
        # It is 2026-09-21T14:13:20Z. Of a week: in its first days, before its renewal, and long after that.
        ("2026-09-20T00:00:00Z", "2026-09-24T16:00:00Z", "2026-09-27T00:00:00Z", None),
        ("2026-09-17T00:00:00Z", "2026-09-21T16:00:00Z", "2026-09-24T00:00:00Z", None),
        ("2026-09-17T00:00:00Z", "2026-09-21T13:00:00Z", "2026-09-24T00:00:00Z", None),
        ("2026-09-15T00:00:00Z", "2026-09-19T16:00:00Z", "2026-09-22T00:00:00Z", "should have been renewed 46 hours"),
        # Nobody renews it: a third of a short life, 14 days of a long one.
        ("2026-09-20T00:00:00Z", None, "2026-09-27T00:00:00Z", None),
        ("2026-09-16T00:00:00Z", None, "2026-09-23T00:00:00Z", "expires in 33 hours"),
        ("2026-01-01T00:00:00Z", None, "2026-10-01T00:00:00Z", "expires in 9 days"),
        ("2026-01-01T00:00:00Z", None, "2026-10-10T00:00:00Z", None),
    ],
)
def test_certificates_are_judged_by_the_life_that_they_have(
    begins: str, renewal: str | None, ends: str, message: str | None
) -> None:
    found = problems(facts(times(begins, renewal, ends))).get("MAAS-311")
    assert (message is None) == (found is None), found
    assert found is None or (message or "") in found.message
