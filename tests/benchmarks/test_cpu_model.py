"""The arithmetic of benchmarks/cpu_model. No load is made here."""

import json
from pathlib import Path

import pytest

from benchmarks.cpu_model import report
from benchmarks.cpu_model.asking import Stream, body
from benchmarks.cpu_model.figures import Case, compared, interval


def _case(slower: float, pairs: int = 20) -> Case:
    """The gateway takes that share longer, on a machine whose speed changes from pair to pair."""
    found = []
    for n in range(pairs):
        speed = 1 + n % 5
        whole = (1 + slower) * 10 * speed
        found.append((Stream(1.0 * speed, 10.0 * speed, 64), Stream(whole / 10, whole, 64)))
    return Case("case", found)


@pytest.mark.parametrize("slower", [0.0, 0.01, 0.5, -0.1])
def test_each_pair_is_compared_with_itself(slower: float) -> None:
    for each in compared(_case(slower)):
        assert each.slower == pytest.approx(slower)
        assert each.low == pytest.approx(slower) and each.high == pytest.approx(slower)


def test_the_interval_holds_the_median_and_shrinks_with_more_pairs() -> None:
    few, many = [0.0, 0.1, 0.2] * 3, [0.0, 0.1, 0.2] * 100
    assert interval(few)[0] <= 0.1 <= interval(few)[1]
    assert interval(many)[1] - interval(many)[0] <= interval(few)[1] - interval(few)[0]
    assert interval(few) == interval(few)


@pytest.mark.parametrize(("slower", "verdict"), [(0.019, "Met."), (0.03, "Missed:\n- case, time to first token, ms\n")])
def test_the_verdict(slower: float, verdict: str, tmp_path: Path) -> None:
    assert verdict in report.text([_case(slower)])
    report.save(tmp_path, {"cpu": "one"}, [_case(slower)])
    assert verdict in (tmp_path / "results.md").read_text()
    assert len(json.loads((tmp_path / "results.json").read_text())["cases"][0]["pairs"]) == 20
    assert max(map(len, report.text([_case(slower)]).splitlines())) <= 90


def test_no_verdict_from_few_pairs() -> None:
    for slower in (0.0, 0.5):
        told = report.text([_case(slower), _case(slower, pairs=19)])
        assert "Too few pairs to say" in told
        assert "Met" not in told and "Missed" not in told


def test_no_two_prompts_are_alike() -> None:
    prompts = {body(50, 10, salt)["messages"][0]["content"] for salt in range(60)}
    assert len(prompts) == 60
