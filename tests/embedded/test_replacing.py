"""A model is replaced where there is no room for two of its servers: one after the other, and back if it fails.

Fake is the program `vllm`: its GPU has room for one (tests/runtimes/programs.py), and the simulator answers for it.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas.embedded.supervisor import client
from tests.embedded.changing import Traffic, apply, change, document
from tests.running import Running, eventually, running
from tests.runtimes import programs

SPEC: dict[str, Any] = {"runtime": "vllm", "weights": "Qwen/Qwen3-0.6B", "context_length": 4096}


@pytest.fixture(scope="module")
def bin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("bin")
    programs.vllm(folder / "roomy")
    programs.nvidia_smi(folder, programs.T4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        patch.setenv("MAAS_VLLM", str(programs.crowded_vllm(folder)))
        patch.setenv("PYTHONPATH", str(programs.SOURCES))
        yield folder


@pytest.fixture(scope="module")
def up(bin: Path) -> Iterator[Running]:
    with running() as platform:
        change(platform, lambda d: d["models"].update(big={**SPEC, "options": {"seed": "1"}}))
        yield platform


def _seeds(bin: Path) -> list[str]:
    return [each["argv"][each["argv"].index("--seed") + 1] for each in programs.started(bin / "roomy")]


def _instances(up: Running) -> list[str]:
    status = client.status(up.home)
    return [process.name for process in status.processes if process.name.startswith("big@")] if status else []


def _reseed(up: Running, seed: str) -> None:
    change(up, lambda d: d["models"]["big"].update(options={"seed": seed}))


def test_one_after_the_other_under_load(up: Running, bin: Path) -> None:
    """Requests to it are told that it loads, answers under way end well, the others notice nothing."""
    key = up.key("replaces", "open")
    its_own = Traffic(up, key, lambda _: {"model": "big", "max_tokens": 30}, workers=3)
    others = Traffic(up, key, lambda _: {"model": "simulator", "max_tokens": 3}, workers=1)
    with its_own.running(), others.running():
        eventually(its_own.more())
        _reseed(up, "2")
        eventually(its_own.more())
        eventually(others.more())
    assert _seeds(bin)[-1] == "2" and len(_instances(up)) == 1
    assert {each.status for each in others.seen} == {200} and not others.failed
    assert {each.status for each in its_own.seen} <= {200, 503} and not its_own.failed
    assert all("model_loading" in each.body for each in its_own.seen if each.status == 503)
    assert its_own.seen[-1].status == 200


def test_requests_wait_for_it_if_so_described(up: Running) -> None:
    key = up.key("patient", "open")
    change(up, lambda d: d["models"]["big"].update(wait="30s"))
    its_own = Traffic(up, key, lambda _: {"model": "big", "max_tokens": 5}, workers=2)
    with its_own.running():
        eventually(its_own.more())
        _reseed(up, "3")
        eventually(its_own.more())
    assert {each.status for each in its_own.seen} == {200} and not its_own.failed
    change(up, lambda d: d["models"]["big"].update(wait=None))


def test_if_the_new_one_does_not_start_the_old_one_comes_back(up: Running, bin: Path) -> None:
    before, key = document(up), up.key("back", "open")
    wanted = document(up)
    wanted["models"]["big"]["options"] = {"seed": "13"}
    answer = apply(up, wanted)
    assert answer.status_code == 503, answer.text
    said = answer.json()["error"]["message"]
    assert "does not know one of the `options`" in said and "former server of big is started again" in said
    assert document(up) == before
    eventually(lambda: up.chat(key, model="big", max_tokens=2).status_code == 200)
    assert "13" not in _seeds(bin) and len(_instances(up)) == 1


def test_a_model_that_is_new_makes_nobody_go(up: Running) -> None:
    wanted = document(up)
    wanted["models"]["second"] = SPEC
    answer = apply(up, wanted)
    assert answer.status_code == 503
    assert "Something else uses the GPU's memory" in answer.json()["error"]["message"]
    assert up.chat(up.key("stays", "open"), model="big", max_tokens=2).status_code == 200


def test_killed_between_the_two(up: Running) -> None:
    """What was stopped to make room is brought back by the next life of the control plane."""
    key = up.key("between", "open")
    assert up.chat(key, model="big", max_tokens=2).status_code == 200
    before, wanted = _instances(up), document(up)
    wanted["models"]["big"]["options"] = {"seed": "40"}

    def never_answered() -> None:
        with contextlib.suppress(httpx.TransportError):
            apply(up, wanted)

    changing = threading.Thread(target=never_answered)
    changing.start()
    eventually(lambda: before[0] not in _instances(up))
    up.kill("control")
    changing.join()
    eventually(lambda: _instances(up) == before)
    eventually(lambda: up.chat(key, model="big", max_tokens=2).status_code == 200)
