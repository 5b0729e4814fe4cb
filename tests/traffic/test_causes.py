"""What live traffic shows is explained by what was found before: causes first."""

from maas.readiness.catalogue import Phase, checks, find
from maas.readiness.findings import Finding, failed, warning
from maas.readiness.judging import explained, findings
from maas.readiness.traffic.checks import machine
from maas.readiness.traffic.declaring import LIVE
from tests.traffic.fake import Fake, validated


def of(code: str) -> Finding:
    found = find(code)
    assert found is not None
    return findings([(found, failed("it does not", remedy=None))])[0]


def test_a_limit_that_does_not_hold_follows_from_a_limitador_that_is_down() -> None:
    live = validated(Fake("never limits"), only=["MAAS-508"])["MAAS-508"]
    assert live[0].because_of == ()
    together = explained([of("MAAS-407"), *live])
    assert together[1].because_of == ("MAAS-407",)


def test_each_live_check_has_someone_to_judge_it() -> None:
    every = list(checks())
    assert {check.code for check in every if Phase.traffic in check.phases} == LIVE.keys()
    assert {check.code for check in every if Phase.machine in check.phases} == machine.LOOKS.keys()


def test_what_explains_a_check_is_a_check() -> None:
    known = {check.code for check in checks()}
    assert not [(check.code, code) for check in checks() for code in check.after if code not in known]


def test_a_warning_explains_no_failure_and_a_failure_does() -> None:
    gateway, policy = find("MAAS-301"), find("MAAS-320")
    assert gateway is not None and policy is not None
    for cause, named in ((warning("no address"), ()), (failed("not programmed", remedy=None), ("MAAS-301",))):
        found = findings([(gateway, cause), (policy, failed("not enforced", remedy=None))])
        assert found[1].because_of == named
