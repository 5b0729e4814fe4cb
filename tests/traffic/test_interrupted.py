"""However a run ends, its keys end with it; what kill -9 leaves, the next run removes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from maas.readiness.traffic import runs
from maas.readiness.traffic.embedded_site import EmbeddedSite
from maas.readiness.traffic.site import KEY_LIFE, PREFIX, Key
from maas.readiness.traffic.validating import validate
from tests.running import Running, eventually, running


@pytest.fixture(scope="module")
def slow() -> Iterator[Running]:
    """Its model takes so long that there is time to interrupt."""
    with running(options="time-to-first-token: 3s") as platform:
        yield platform


def active(up: Running) -> list[dict[str, Any]]:
    found = up.api.post("/v1/api-keys/search", json={"filters": {"status": ["active"]}}).raise_for_status().json()
    return [key for key in found["data"] if key["username"].startswith(PREFIX)]


def begun(up: Running) -> subprocess.Popen[str]:
    """A validation in a process of its own that has made a key and waits for an answer."""
    command = [sys.executable, "-m", "maas.cli.main", "validate", "--target", "local", "--model", "simulator"]
    environment = {**os.environ, "MAAS_HOME": str(up.home.root)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    seen = len(up.requests_seen())
    eventually(lambda: active(up) and len(up.requests_seen()) > seen)
    return process


@pytest.mark.parametrize(("signal_sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_without_leaving_keys(slow: Running, signal_sent: int, code: int) -> None:
    process = begun(slow)
    process.send_signal(signal_sent)
    out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in out + err
    assert active(slow) == []


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_impatience_does_not_stop_the_cleaning(slow: Running, second: int) -> None:
    process = begun(slow)
    process.send_signal(signal.SIGINT)
    for _ in range(3):
        time.sleep(0.01)  # or the system makes one signal of them
        process.send_signal(second)
    process.communicate(timeout=20)
    assert process.returncode in (130, -second)  # the latter if a signal came when all was over
    assert active(slow) == []


def test_what_kill_9_leaves_expires_in_minutes_and_is_removed_by_the_next_run(slow: Running) -> None:
    process = begun(slow)
    process.kill()
    process.communicate(timeout=20)
    left = active(slow)
    assert left and all(key["expiresAt"] for key in left)
    findings = asyncio.run(validate(EmbeddedSite(slow.home), only=["MAAS-514"]))
    assert (
        findings[0].message
        == f"all temporary keys of this run are gone; 1 of an earlier run removed: key {left[0]['id']}"
    )
    assert active(slow) == []


def test_a_run_beside_another_leaves_its_keys_alone(slow: Running) -> None:
    process = begun(slow)
    before = active(slow)
    asyncio.run(validate(EmbeddedSite(slow.home), only=["MAAS-502", "MAAS-511", "MAAS-514"]))
    assert {key["id"] for key in before} <= {key["id"] for key in active(slow)}
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert active(slow) == []


def test_an_exception_in_the_middle_leaves_no_keys(slow: Running) -> None:
    class Breaks(EmbeddedSite):
        async def make_key(self, tier: str, purpose: str) -> Key:
            await super().make_key(tier, purpose)
            raise RuntimeError("a mistake of ours")

    with pytest.raises(RuntimeError, match="a mistake of ours"):
        asyncio.run(validate(Breaks(slow.home), only=["MAAS-504"]))
    assert active(slow) == []


def test_a_mark_tells_a_run_that_goes_on_from_one_that_is_over() -> None:
    mark = runs.mark(now=1000.0)
    assert not runs.is_over(mark, now=1000.0 + KEY_LIFE - 1)
    assert runs.is_over(mark, now=1000.0 + KEY_LIFE)
    host, pid, started, until = mark.split(".")
    assert runs.is_over(f"{host}.{pid}.{int(started) + 1}.{until}", now=1000.0)  # another process has the pid now
    assert not runs.is_over(f"elsewhere-1.{pid}.{started}.{until}", now=1000.0)
    assert runs.is_over("", now=1000.0)
    assert runs.is_over("nonsense", now=1000.0)
