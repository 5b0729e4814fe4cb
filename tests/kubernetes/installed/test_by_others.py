"""What others have installed, in their own way, is judged by what it does."""

from maas.readiness.findings import Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters.others import by_others
from tests.kubernetes.installed.planting import facts, problems, put


def test_a_platform_of_others_that_works_has_no_failure() -> None:
    scenario = by_others().after()
    found = judge(scenario.facts(), scenario.asked, only=["MAAS-3"])
    assert not [(f.code, f.message) for f in found if f.status in (Status.failed, Status.unknown)]


def test_an_overridden_policy_without_one_that_overrides_it_is_a_failure() -> None:
    def overridden(policy: dict[str, object]) -> None:
        status = policy["status"]
        assert isinstance(status, dict)
        status["conditions"][1] |= {"status": "False", "reason": "Overridden", "message": "by nobody"}

    found = problems(facts(("AuthPolicy llm/maas-auth", overridden)))
    assert found["MAAS-320"].status is Status.failed


def test_a_rule_that_denies_everybody_lets_nobody_in() -> None:
    deny = put("spec", "rules", value={"authorization": {"deny": {"opa": {"rego": "allow = false"}}}})
    assert "MAAS-322" not in problems(facts(("AuthPolicy llm/maas-auth", deny)))


def test_tiers_are_nobodys_when_nobody_lets_them_in() -> None:
    assert "MAAS-324" not in problems(facts(without=["AuthPolicy"]))
