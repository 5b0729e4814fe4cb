"""Models with a process of their own, added, served, metered, killed and removed on the real platform.

Fake are the programs `vllm`, `llama-server` and `nvidia-smi`: they take the real command lines, and the simulator
answers for them (tests/runtimes/programs.py). What needs real weights is in test_real_model.py.
"""

import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maas.embedded.supervisor import client
from tests.embedded.changing import Traffic, apply, change, document
from tests.embedded.sdk import HELLO, openai_client, record_of
from tests.running import Running, eventually, running
from tests.runtimes import programs

ADDING = 90.0


@pytest.fixture(scope="module")
def bin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Programs that are found first, by the platform too."""
    folder = tmp_path_factory.mktemp("bin")
    programs.vllm(folder)
    programs.nvidia_smi(folder, programs.T4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        patch.setenv("MAAS_VLLM", str(folder / "vllm"))
        patch.setenv("MAAS_LLAMA_SERVER", str(programs.llama_server(folder)))
        patch.setenv("PYTHONPATH", str(programs.SOURCES))
        yield folder


@pytest.fixture(scope="module")
def up(bin: Path) -> Iterator[Running]:
    with running() as platform:
        yield platform


def add(up: Running, name: str, **spec: object) -> Any:
    answer = up.api.post("/v1/models", json={"name": name, **spec}, timeout=ADDING)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(up: Running, name: str, **spec: object) -> str:
    answer = up.api.post("/v1/models", json={"name": name, **spec}, timeout=ADDING)
    assert answer.status_code >= 400, answer.text
    return str(answer.json()["error"]["message"])


def remove(up: Running, name: str) -> None:
    assert up.api.delete(f"/v1/models/{name}").status_code == 200


def model(up: Running, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(m for m in up.api.get("/v1/models").json()["data"] if m["id"] == name)
    return found


def processes(up: Running) -> set[str]:
    status = client.status(up.home)
    assert status is not None
    return {process.name.partition("@")[0] for process in status.processes if "@" in process.name}


def started_as(bin: Path, name: str) -> dict[str, Any]:
    """How it was called the last time."""
    return [each for each in programs.started(bin) if name in each["argv"]][-1]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return programs.gguf(tmp_path / "m.gguf")


@pytest.mark.parametrize("stream", [False, True])
def test_vllm_from_adding_to_removing(up: Running, bin: Path, stream: bool) -> None:
    name = f"qwen-{stream}".lower()
    added = add(up, name, runtime="vllm", weights="Qwen/Qwen3-0.6B", context_length=4096)
    assert added["status"] == "ready"
    started = started_as(bin, name)
    argv, environ = started["argv"], started["environ"]
    assert argv[:2] == ["serve", "Qwen/Qwen3-0.6B"]
    told = dict(itertools.pairwise(argv))
    assert (told["--dtype"], told["--max-model-len"], told["--served-model-name"]) == ("float16", "4096", name)
    assert environ["VLLM_NO_USAGE_STATS"] == "1"
    with openai_client(up, up.key(f"vllm-{stream}", "open")) as sdk:
        if stream:
            options: Any = {"stream": True, "stream_options": {"include_usage": True}}
            with sdk.chat.completions.create(model=name, messages=HELLO, max_tokens=7, **options) as chunks:
                usage = [chunk.usage for chunk in chunks if chunk.usage][-1]
            request_id = chunks.response.headers["x-request-id"]
        else:
            answer = sdk.chat.completions.with_raw_response.create(model=name, messages=HELLO, max_tokens=7)
            usage, request_id = answer.parse().usage, answer.headers["x-request-id"]
    record = record_of(up, request_id)
    assert usage is not None
    assert (record["model"], record["source"]) == (name, "reported")
    assert (record["prompt_tokens"], record["completion_tokens"]) == (usage.prompt_tokens, usage.completion_tokens)
    remove(up, name)
    eventually(lambda: name not in processes(up))
    assert up.chat(up.key(f"gone-{stream}", "open"), model=name).status_code == 404


def test_llama_cpp_from_adding_to_removing(up: Running, bin: Path, weights: Path) -> None:
    add(up, "small", runtime="llama-cpp", weights=str(weights), context_length=2048, options={"parallel": "2"})
    argv = started_as(bin, "small")["argv"]
    told = dict(itertools.pairwise(argv))
    assert (told["--ctx-size"], told["--parallel"], told["--model"]) == ("4096", "2", str(weights))
    answer = up.chat(up.key("llama", "open"), model="small", max_tokens=5)
    assert answer.status_code == 200
    record = record_of(up, answer.headers["x-request-id"])
    assert (record["source"], record["completion_tokens"]) == ("reported", answer.json()["usage"]["completion_tokens"])
    remove(up, "small")
    eventually(lambda: "small" not in processes(up))


def _unchanged(up: Running, name: str) -> None:
    """Nothing was changed by what failed, and the others serve on."""
    assert name not in [m["id"] for m in up.api.get("/v1/models").json()["data"]]
    assert name not in up.home.config.read_text()
    eventually(lambda: name not in processes(up))
    assert up.chat(up.key(f"beside-{name}", "open")).status_code == 200


def test_a_file_that_is_none_names_its_cause(up: Running, bin: Path, tmp_path: Path) -> None:
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"junk" * 1000)
    said = refused(up, "junk", runtime="llama-cpp", weights=str(junk))
    assert "The file is no GGUF file. Name a .gguf file" in said
    assert str(up.home.logs / "junk.log") in said
    assert "It said: gguf_init_from_file_ptr: invalid magic" in said
    assert "\nIts last lines:\n" in said and "\n  main: exiting due to model loading error" in said
    _unchanged(up, "junk")


def test_no_such_file(up: Running, bin: Path) -> None:
    before = len(programs.started(bin))
    assert "there are no weights at /no/such.gguf" in refused(up, "none", runtime="llama-cpp", weights="/no/such.gguf")
    assert "maas models pull" in refused(up, "none", runtime="llama-cpp", weights="org/repo:Q8_0")
    assert len(programs.started(bin)) == before, "nothing was started for it"
    _unchanged(up, "none")


def test_no_memory_for_it(up: Running, weights: Path) -> None:
    said = refused(up, "huge", runtime="llama-cpp", weights=str(weights), context_length=1_000_000_000)
    assert "There is not enough memory for the weights and the cache" in said
    assert "GiB can be had" in said
    _unchanged(up, "huge")


def test_a_model_that_can_not_fit_the_gpu(up: Running) -> None:
    said = refused(up, "giant", runtime="vllm", weights="Qwen/Qwen3-32B")
    assert "Qwen/Qwen3-32B does not fit on the Tesla T4" in said
    _unchanged(up, "giant")


@pytest.mark.parametrize(
    ("runtime", "option"),
    [("vllm", "uds"), ("vllm", "port"), ("vllm", "api-key"), ("llama-cpp", "host"), ("llama-cpp", "ctx-size")],
)
def test_what_is_the_platform_s_to_set(up: Running, weights: Path, runtime: str, option: str) -> None:
    said = refused(up, "owned", runtime=runtime, weights=str(weights), options={option: "1"})
    assert f"models.owned.options.{option}: is the platform's own" in said


def test_killed_it_comes_back_and_the_others_serve(up: Running, weights: Path) -> None:
    add(up, "mortal", runtime="llama-cpp", weights=str(weights))
    key = up.key("mortal", "open")
    traffic = Traffic(up, key, lambda _: {"model": "simulator", "max_tokens": 2}, workers=2)
    with traffic.running():
        eventually(lambda: len(traffic.seen) >= 5)
        killed = up.kill("mortal@")
        eventually(lambda: up.ready("mortal@", killed))
        eventually(traffic.more())
    assert {each.status for each in traffic.seen} == {200} and not traffic.failed
    eventually(lambda: up.chat(key, model="mortal").status_code == 200)
    remove(up, "mortal")


def test_damaged_while_it_serves(up: Running, bin: Path, weights: Path) -> None:
    """It dies and can't come back: the cause is named, it is tried ever more rarely, and mended it serves again."""
    add(up, "hurt", runtime="llama-cpp", weights=str(weights))
    good = weights.read_bytes()
    weights.write_bytes(b"junk")
    up.kill("hurt@")
    eventually(lambda: model(up, "hurt")["status"] == "failed", within=60)
    trouble = model(up, "hurt")["trouble"]
    assert "The file is no GGUF file. Name a .gguf file" in trouble
    assert "It said: gguf_init_from_file_ptr: invalid magic" in trouble, "the line that tells, not the last one"
    before, since = len(programs.started(bin)), time.monotonic()
    key = up.key("hurt", "open")
    answer = eventually(lambda: (a := up.chat(key, model="hurt")).json()["error"]["code"] == "model_unavailable" and a)
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 10
    assert "GGUF" not in answer.text and str(weights) not in answer.text, "why is the administrator's"
    while time.monotonic() < since + 4:
        assert up.chat(key).status_code == 200
    assert len(programs.started(bin)) - before <= 3, "nothing loops hot"
    weights.write_bytes(good)
    eventually(lambda: model(up, "hurt")["status"] == "ready", within=90)  # the pauses have grown to 30 s
    assert model(up, "hurt")["trouble"] is None
    assert up.chat(key, model="hurt").status_code == 200
    remove(up, "hurt")


def test_added_replaced_and_removed_under_load(up: Running, weights: Path) -> None:
    key = up.key("swapping", "open")
    add(up, "swapped", runtime="llama-cpp", weights=str(weights), context_length=1024)
    others = Traffic(up, key, lambda n: {"model": ("simulator", "swapped")[n % 2], "max_tokens": 3}, workers=4)
    with others.running():
        eventually(others.more())
        for length in (2048, 512):
            wanted = document(up)
            wanted["models"]["swapped"]["context_length"] = length
            assert apply(up, wanted).status_code == 200
            eventually(others.more())
        add(up, "second", runtime="vllm", weights="Qwen/Qwen3-0.6B", context_length=2048)
        change(up, lambda d: d["models"]["swapped"].update(runtime="vllm", weights="Qwen/Qwen3-0.6B"))
        eventually(others.more())
        junk = weights.with_name("junk.gguf")
        junk.write_bytes(b"junk")
        refused(up, "third", runtime="llama-cpp", weights=str(junk))
        remove(up, "second")
        eventually(others.more())
    assert not others.failed
    failed = [each for each in others.seen if each.status != 200]
    assert not failed, failed[:3]
    remove(up, "swapped")
    eventually(lambda: not processes(up) & {"swapped", "second", "third"}, within=60)


def test_the_log_names_the_command(up: Running, weights: Path) -> None:
    add(up, "logged", runtime="llama-cpp", weights=str(weights))
    text = (up.home.logs / "logged.log").read_text()
    assert "--threads" in text and json.dumps(str(weights)).strip('"') in text
    remove(up, "logged")


def test_a_server_that_closes_connections_without_a_word(up: Running, weights: Path) -> None:
    """llama.cpp's does: none of its connections is used twice, or the next request would meet the closing."""
    add(up, "abrupt", runtime="llama-cpp", weights=str(weights))
    key = up.key("abrupt", "open")
    assert [up.chat(key, model="abrupt").status_code for _ in range(10)] == [200] * 10
    remove(up, "abrupt")
