"""Flags, and /admin/config."""

from typing import Any

import pytest

from maas.models.simulator.main import main
from maas.models.simulator.settings import BadSetting, Settings, changed, duration
from tests.simulator.running import Running


@pytest.mark.parametrize(
    ("text", "seconds"), [("100ms", 0.1), ("1.5s", 1.5), (250, 0.25), ("500us", 0.0005), ("1m", 60)]
)
def test_durations(text: object, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "fast", "-1ms", -1, True, 1.5, "2h", "100m", "1s2", None])
def test_bad_durations(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration(text)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--port", "70000"], "--port"),
        (["--mode", "loud"], "--mode: must be echo or random"),
        (["--max-num-seqs", "0"], "--max-num-seqs: must be an integer"),
        (["--max-num-seqs", "many"], "--max-num-seqs: must be an integer"),
        (["--time-to-first-token", "soon"], "--time-to-first-token: must be a duration"),
        (["--time-to-first-token", "100", "--time-to-first-token-std-dev", "31"], "must be at most 30%"),
        (["--failure-injection-rate", "101"], "--failure-injection-rate"),
        (["--failure-types", "rate_limit,nonsense"], "--failure-types: must be one or more of"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["--max-num", "3"], "unrecognized arguments"),
    ],
)
def test_bad_flags(flags: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(flags)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "maas simulate --port 8000" in shown
    assert "at most 30% of it" in shown


def test_settings_change_as_a_whole_or_not_at_all() -> None:
    settings = Settings(time_to_first_token=1.0)
    update = {"inter-token-latency": "20ms", "time-to-first-token": None}
    assert changed(settings, update) == Settings(time_to_first_token=1.0, inter_token_latency=0.02)
    with pytest.raises(BadSetting):
        changed(settings, {"inter-token-latency": 5, "seed": 3})


def test_the_configuration_in_force_is_shown(sim: Running) -> None:
    answer = sim.configure(time_to_first_token="1.5s", time_to_first_token_std_dev=300, failure_types=["rate_limit"])
    assert answer.status_code == 200
    assert answer.json() == sim.http.get("/admin/config").json()
    assert answer.json().items() >= {"time-to-first-token": "1500ms", "failure-types": ["rate_limit"]}.items()
    sim.configure(time_to_first_token=0, time_to_first_token_std_dev=0)


@pytest.mark.parametrize(
    ("update", "field"),
    [
        ({"mode": "loud"}, "mode"),
        ({"max-num-seqs": "5"}, "max-num-seqs"),
        ({"max-num-seqs": True}, "max-num-seqs"),
        ({"failure-injection-rate": 200}, "failure-injection-rate"),
        ({"failure-types": []}, "failure-types"),
        ({"failure-types": [["rate_limit"]]}, "failure-types"),
        ({"time-to-first-token": -5}, "time-to-first-token"),
        ({"inter-token-latency-std-dev": 5}, "inter-token-latency-std-dev"),
        ({"model": "new"}, "model"),
        ({"max_num_seqs": 5}, "max_num_seqs"),
    ],
)
def test_a_bad_field_changes_nothing(sim: Running, update: dict[str, Any], field: str) -> None:
    before = sim.http.get("/admin/config").json()
    answer = sim.post("/admin/config", {"inter-token-latency": 7, **update})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == field
    assert field in answer.json()["error"]["message"]
    assert sim.http.get("/admin/config").json() == before
