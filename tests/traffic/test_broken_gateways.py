"""What a gateway does wrong is found: each fault by its own check, and blamed on nothing else."""

import pytest

from maas.readiness.findings import Finding, Status
from maas.readiness.traffic.checks import authentication
from maas.readiness.traffic.site import Limit, Tier, Unit
from tests.traffic.fake import TIERS, Fake, validated

BAD = (Status.failed, Status.unknown)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "_GIVEN_UP_AFTER", 0.3)


def problems(found: dict[str, list[Finding]]) -> dict[str, str]:
    return {code: f.message for code, findings in found.items() for f in findings if f.status in BAD}


def test_a_good_gateway_has_no_problem_at_all() -> None:
    found = validated(Fake())
    assert {f.status for findings in found.values() for f in findings} == {Status.passed}, found


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("lets all in", {"MAAS-502", "MAAS-503", "MAAS-511"}),  # nothing stops a revoked key then, either
        ("any key", {"MAAS-503", "MAAS-511"}),
        ("lets capitals in", {"MAAS-502"}),
        ("never limits", {"MAAS-508", "MAAS-509"}),
        ("lets one more", {"MAAS-508"}),
        ("never revokes", {"MAAS-511"}),
        ("cut", {"MAAS-506"}),
        ("not done", {"MAAS-506"}),
        ("no stream usage", {"MAAS-506"}),
        ("empty", {"MAAS-505"}),
        ("garbage", {"MAAS-505"}),
        ("forgets usage", {"MAAS-507"}),
        ("keeps keys", {"MAAS-514"}),
    ],
)
def test_each_fault_is_found_by_its_check(fault: str, codes: set[str]) -> None:
    found = validated(Fake(fault))
    ignored = {"MAAS-507", "MAAS-509"} if fault in ("garbage", "empty", "cut", "no stream usage") else set()
    assert set(problems(found)) - ignored == codes, problems(found)


@pytest.mark.parametrize("fault", ["any model", "no retry-after"])
def test_what_is_only_unwise_is_a_warning(fault: str) -> None:
    found = validated(Fake(fault))
    assert not problems(found)
    assert [f for findings in found.values() for f in findings if f.status is Status.warning]


def test_who_is_sent_to_https_is_not_let_in() -> None:
    assert "MAAS-502" not in problems(validated(Fake("sends to https"), ["MAAS-502", "MAAS-503"]))
    assert set(problems(validated(Fake("sends elsewhere"), ["MAAS-502", "MAAS-503"]))) == {"MAAS-502", "MAAS-503"}


def test_a_gateway_that_never_limits_is_told_of_limitador_and_not_asked_more_than_needed() -> None:
    fake = Fake("never limits")
    found = validated(fake, only=["MAAS-508"])["MAAS-508"][0]
    assert found.message == "7 requests passed, and the tier free allows 5 requests per 120 s: nothing is limited"
    assert found.remedy is not None and "Limitador" in found.remedy.text
    assert fake.asked["POST /v1/chat/completions"] == 7


def test_one_counter_for_everybody_is_found_by_whom_it_locks_out() -> None:
    found = validated(Fake("one counter", tiers=TIERS[:1]), only=["MAAS-504", "MAAS-508", "MAAS-510"])
    assert [f.status for f in found["MAAS-510"]] == [Status.failed]
    assert "another user of free gets 429" in found["MAAS-510"][0].message


def test_a_revoked_key_that_goes_on_working_is_named_with_its_time() -> None:
    found = validated(Fake("never revokes"), only=["MAAS-511"])["MAAS-511"][0]
    assert found.message.startswith("a revoked key still gets 200 after")


def test_a_cut_stream_says_where() -> None:
    found = validated(Fake("cut"), only=["MAAS-506"])["MAAS-506"][0]
    assert "was cut after 1 events" in found.message
    assert "incomplete" in found.message or "closed" in found.message


def test_a_model_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    found = validated(Fake("hangs"), only=["MAAS-505", "MAAS-506"], answer_within=0.3)
    assert {f.status for findings in found.values() for f in findings} == {Status.failed}
    assert "no answer within 0.3 s" in found["MAAS-505"][0].message


def test_all_of_it_has_one_deadline_and_keys_go_when_it_is_over() -> None:
    fake = Fake("hangs")
    found = validated(fake, deadline=1.5, answer_within=60)
    assert "no time left" in found["MAAS-512"][0].message
    assert found["MAAS-512"][0].status is Status.unknown
    assert fake.keys == {}


def test_a_failing_gateway_is_no_gateway_that_limits() -> None:
    found = validated(Fake("broken"))
    assert found["MAAS-508"][0].status is Status.unknown
    assert "503 (no healthy upstream)" in found["MAAS-508"][0].message
    assert found["MAAS-505"][0].status is Status.failed


def test_nobody_to_ask_is_a_failure_of_one_check_and_unknown_for_the_rest() -> None:
    found = validated(Fake("nowhere"))
    assert found["MAAS-500"][0].status is Status.failed
    assert found["MAAS-502"][0].status is Status.unknown
    assert found["MAAS-502"][0].message == "the gateway does not answer: MAAS-500"


def test_without_the_right_to_make_keys_what_needs_none_is_still_judged() -> None:
    found = validated(Fake("no keys"))
    assert found["MAAS-502"][0].status is Status.passed
    assert found["MAAS-504"][0].status is Status.unknown
    assert found["MAAS-504"][0].message == "creating secrets was denied"


def test_no_models_is_a_failure_with_its_consequences_unknown() -> None:
    found = validated(Fake("no models"))
    assert found["MAAS-504"][0].status is Status.failed
    assert found["MAAS-505"][0].status is Status.unknown


def test_what_an_earlier_run_left_is_removed_and_told() -> None:
    fake = Fake("leftovers")
    found = validated(fake, only=["MAAS-514"])["MAAS-514"][0]
    assert found.status is Status.passed
    assert "1 of an earlier run removed: key old" in found.message


def test_a_cluster_without_a_ledger_skips_metering() -> None:
    assert validated(Fake("no ledger"))["MAAS-507"][0].status is Status.skipped


@pytest.mark.parametrize(
    ("limit", "status", "said"),
    [
        (Limit(Unit.requests, 201, 120), Status.unknown, "is 201 requests per 120 s, which takes too much to reach"),
        (Limit(Unit.requests, 5, 120, shared=True), Status.unknown, "would lock them all out"),
        (Limit(Unit.requests, 5, 0.001), Status.unknown, "longer than the window"),
        (Limit(Unit.requests, 200, 120), Status.passed, "200 passed, then 429"),
    ],
)
def test_a_limit_is_reached_only_if_that_is_cheap_and_hurts_nobody(limit: Limit, status: Status, said: str) -> None:
    fake = Fake(tiers=[Tier("only", (limit,)), Tier("open")])
    found = validated(fake, only=["MAAS-508"])["MAAS-508"][0]
    assert found.status is status
    assert said in found.message
    assert fake.asked["POST /v1/chat/completions"] <= 202


def test_who_allows_more_requests_has_a_larger_limit_tried() -> None:
    fake = Fake(tiers=[Tier("only", (Limit(Unit.requests, 230, 120),))])
    refused = validated(fake, only=["MAAS-508"])["MAAS-508"][0]
    assert refused.remedy is not None
    assert refused.remedy.commands == ("maas validate --requests 230",)
    tried = validated(fake, only=["MAAS-508"], most_requests=230)["MAAS-508"][0]
    assert tried.status is Status.passed, tried


def test_a_limit_on_tokens_stands_in_for_one_on_requests_that_is_out_of_reach() -> None:
    tiers = [Tier("only", (Limit(Unit.requests, 100_000, 120), Limit(Unit.tokens, 100, 120)))]
    found = validated(Fake(tiers=tiers))
    assert found["MAAS-508"][0].status is Status.skipped
    assert "MAAS-509" in found["MAAS-508"][0].message
    assert found["MAAS-509"][0].status is Status.passed
    assert not problems(found)
