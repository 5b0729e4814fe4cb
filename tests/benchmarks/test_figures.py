"""The arithmetic of the benchmarks, and the tables that show it. No load is made here."""

import math
from dataclasses import replace

import pytest

from benchmarks.gateway import report
from benchmarks.gateway.aims import MAAS, aims
from benchmarks.gateway.figures import Aim, Load, Spread, Streams, best_connections, difference, percentile, ratio
from benchmarks.gateway.results import BARE, Results

LONGEST_LINE = 80


def load(target: str, per_second: float, p50: float = 1.0, connections: int = 32) -> Load:
    return Load(target, per_second, p50, 2 * p50, 0, {"gateway": 100.0, "control": 50.0}, connections)


@pytest.fixture
def results() -> Results:
    found = Results({"cpu": "one"}, {})
    found.saturation = [load(BARE, 10_000), load(MAAS[0], 7_000), load(MAAS[1], 5_000), load("LiteLLM", 250)]
    found.at_one = [load(BARE, 1, p50=0.2), load(MAAS[0], 1, p50=0.5), load(MAAS[1], 1, p50=0.35)]
    found.at_rate = [replace(run, rate=2_500.0) for run in found.saturation]
    found.streams = [
        Streams(name, 160_000, 0, 1_050.1, 1_160.2, 50.0, 1_060.5, {"supervisor": 0.1}, {"supervisor": 1_100.0})
        for name in (BARE, MAAS[1])
    ]
    found.starts = {"MaaS": [1.0, 2.0, 5.0]}
    found.helps = {"maas --help": [30.0], "python -c pass": [10.0]}
    found.idle = {"MaaS": {"control": 90.0, "gateway": 30.0, "supervisor": 900.0}}
    return found


def verdicts(results: Results) -> dict[tuple[str, str], str]:
    return {(aim.name, aim.unit): aim.verdict for aim in aims(results)}


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([*map(float, range(1, 101))], 0.99, 99.0),
        ([7.0], 0.99, 7.0),
    ],
)
def test_a_percentile_is_a_value_that_was_seen(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_a_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 0.5))


def test_a_spread_needs_values() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0)
    with pytest.raises(ValueError, match="no values"):
        Spread.of([])


def test_comparisons_with_something_unknown_are_unknown() -> None:
    assert ratio(1.0, None) is None
    assert ratio(1.0, 0.0) is None
    assert difference(None, 1.0) is None
    assert difference(3.0, 1.0) == 2.0


def test_each_target_is_judged_at_the_connections_it_is_best_at() -> None:
    runs = [load("LiteLLM", 60, connections=4), load("LiteLLM", 90, connections=8), load("LiteLLM", 62, connections=32)]
    assert best_connections(runs) == {"LiteLLM": [runs[1]]}


@pytest.mark.parametrize(
    ("aim", "verdict"),
    [
        (Aim("a", 0.6, 0.6, "", higher=True), "met"),
        (Aim("a", 0.6, 0.59, "", higher=True), "missed"),
        (Aim("a", 3.0, 3.1, "s"), "missed"),
        (Aim("a", 3.0, None, "s"), "not measured"),
        (Aim("a", 3.0, math.nan, "s"), "not measured"),
    ],
)
def test_an_aim_is_met_on_its_good_side(aim: Aim, verdict: str) -> None:
    assert aim.verdict == verdict


def test_aims_compare_with_bare_envoy_and_with_litellm(results: Results) -> None:
    seen = verdicts(results)
    assert seen[f"throughput, {MAAS[0]}", "of bare"] == "met"
    assert seen[f"throughput, {MAAS[1]}", "of bare"] == "missed"
    assert seen[f"throughput, {MAAS[0]}", "× LiteLLM"] == "met"
    assert seen[f"throughput, {MAAS[1]}", "× LiteLLM"] == "missed"
    assert seen[f"added p50, {MAAS[0]}", "of bare's"] == "missed"
    assert seen[f"added p50, {MAAS[1]}", "of bare's"] == "met"


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {aim.verdict for aim in aims(Results({}, {}))} == {"not measured"}


def test_the_supervisor_is_shown_but_not_held_to_the_aim(results: Results) -> None:
    assert verdicts(results)["control plane and Envoy, idle", "MB"] == "met"
    assert "900.0" in report.text(results)


def test_every_table_fits_a_terminal(results: Results) -> None:
    results.streams[0] = replace(results.streams[0], first_p50=None)
    assert max(map(len, report.text(results).splitlines())) <= LONGEST_LINE


def test_columns_are_aligned() -> None:
    table = report.table([["", "requests/s"], ["bare Envoy", "12"], ["MaaS", "1,234"]])
    assert table.splitlines() == [
        "            requests/s",
        "-" * 22,
        "bare Envoy          12",
        "MaaS             1,234",
    ]


def test_the_page_tells_machine_and_what_is_missing(results: Results) -> None:
    results.skipped.append("LiteLLM could not be installed: no network")
    page = report.markdown(results)
    assert "- cpu: one" in page
    assert "Not measured: LiteLLM could not be installed: no network" in page
