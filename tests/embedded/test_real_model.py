"""A real language model on the CPU: llama.cpp's own server with SmolLM2's weights, behind the real gateway.

Skipped where there is no llama-server or no weights (tests/runtimes/real.py says how to get them).
"""

import os
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.changing import Traffic, change
from tests.embedded.sdk import openai_client, record_of
from tests.running import Running, eventually, running
from tests.runtimes import real
from tests.runtimes.programs import SOURCES, program

QUESTION: Any = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]
LOADING = 120.0
SLOW = 90.0  # seconds that an answer may take on a machine that is busy


@pytest.fixture(scope="module")
def weights() -> Path:
    return real.weights()


@pytest.fixture(scope="module")
def up(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A model that is called `starved` gets 300 MB of address space, which is too little."""
    starving = f'case "$*" in *"--alias starved "*) ulimit -v 300000;; esac\nexec {real.server()} "$@"'
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAAS_LLAMA_SERVER", str(program(tmp_path_factory.mktemp("bin") / "llama-server", starving)))
        patch.setenv("PYTHONPATH", str(SOURCES))
        with running() as platform:
            platform.api.timeout = LOADING
            added = add(platform, "small", weights)
            assert added["status"] == "ready"
            yield platform


def add(up: Running, name: str, file: Path, **fields: object) -> Any:
    body = {"name": name, "runtime": "llama-cpp", "weights": str(file), "context_length": 1024, **fields}
    answer = up.api.post("/v1/models", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(up: Running, name: str, file: Path, **fields: object) -> str:
    body = {"name": name, "runtime": "llama-cpp", "weights": str(file), **fields}
    answer = up.api.post("/v1/models", json=body)
    assert answer.status_code >= 400
    assert up.chat(up.key(f"beside-{name}", "open"), model="small", max_tokens=2, within=SLOW).status_code == 200
    return str(answer.json()["error"]["message"])


def state(up: Running, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(m for m in up.api.get("/v1/models").json()["data"] if m["id"] == name)
    return found


def test_a_chat(up: Running) -> None:
    with openai_client(up, up.key("chats", "open"), timeout=SLOW) as sdk:
        raw = sdk.chat.completions.with_raw_response.create(
            model="small", messages=QUESTION, max_tokens=24, temperature=0
        )
    answer = raw.parse()
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.model == "small"
    assert answer.usage is not None and answer.usage.prompt_tokens > 10
    record = record_of(up, raw.headers["x-request-id"])
    assert (record["source"], record["outcome"], record["model"]) == ("reported", "complete", "small")
    assert record["prompt_tokens"] == answer.usage.prompt_tokens
    assert record["completion_tokens"] == answer.usage.completion_tokens


@pytest.mark.parametrize("asked_for", [True, False])
def test_a_stream(up: Running, asked_for: bool) -> None:
    """Metered as the model reported it, also when the client did not ask for the usage; then it is not shown."""
    options: Any = {"stream_options": {"include_usage": True}} if asked_for else {}
    asked: Any = {"model": "small", "messages": QUESTION, "max_tokens": 24, "temperature": 0, "stream": True, **options}
    with (
        openai_client(up, up.key(f"streams-{asked_for}", "open"), timeout=SLOW) as sdk,
        sdk.chat.completions.create(**asked) as stream,
    ):
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "Paris" in text
    assert len(chunks) > 3, "it came in pieces"
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert bool(usages) == asked_for
    record = record_of(up, stream.response.headers["x-request-id"])
    assert (record["source"], record["outcome"]) == ("reported", "complete")
    assert record["completion_tokens"] > 3 and record["prompt_tokens"] > 10
    for usage in usages:
        assert (usage.prompt_tokens, usage.completion_tokens) == (record["prompt_tokens"], record["completion_tokens"])


def test_several_at_once(up: Running) -> None:
    key = up.key("at-once", "open")
    traffic = Traffic(up, key, lambda _: {"model": "small", "max_tokens": 4}, workers=3, within=SLOW)
    with traffic.running():
        eventually(traffic.more(), within=SLOW)
    assert {each.status for each in traffic.seen} == {200} and not traffic.failed


def test_a_prompt_that_is_too_long_is_the_client_s_mistake(up: Running) -> None:
    key = up.key("long", "open")
    answer = up.chat(
        key, model="small", messages=[{"role": "user", "content": "word " * 3000}], max_tokens=5, within=SLOW
    )
    assert answer.status_code == 400
    assert up.chat(key, model="small", max_tokens=2, within=SLOW).status_code == 200


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("cut off", "cut off or damaged"),
        ("cut in its head", "cut off or damaged"),
        ("empty", "no GGUF file"),
        ("another", "no GGUF file"),
        ("damaged", "cut off or damaged"),
    ],
)
def test_files_that_are_no_good(up: Running, weights: Path, tmp_path: Path, kind: str, cause: str) -> None:
    content = weights.read_bytes()[: 5_000_000 if kind == "cut off" else 5000]
    made = {"empty": b"", "another": b"PK\3\4" + content, "damaged": content[:300] + b"\xff" * 200 + content[500:]}
    file = tmp_path / "bad.gguf"
    file.write_bytes(made.get(kind, content))
    said = refused(up, "bad", file)
    assert cause in said
    assert "maas models pull" in said and str(up.home.logs / "bad.log") in said


def test_more_context_than_there_is_memory_for(up: Running, weights: Path) -> None:
    """Found before anything is loaded: by the time the kernel notices, it may kill somebody else."""
    said = refused(up, "wide", weights, context_length=100_000_000)
    assert "There is not enough memory for the weights and the cache" in said and "GiB can be had" in said


def test_out_of_memory_while_it_loads(up: Running, weights: Path) -> None:
    """What the sizing did not foresee: another took what was there. llama.cpp then gives up, or aborts."""
    said = refused(up, "starved", weights, context_length=1024)
    assert "does not start (signal 6)" in said or "does not start (exit 1)" in said
    assert "There is not enough memory for the weights and the cache" in said


def test_out_of_memory_while_it_serves(up: Running, weights: Path, tmp_path: Path) -> None:
    """Its address space is bound to what it has; every new thread or buffer fails. It dies alone, and comes back."""
    add(up, "bound", weights)
    pid, key = up.pid("bound@"), up.key("bound", "open")
    resource.prlimit(pid, resource.RLIMIT_AS, (1, resource.RLIM_INFINITY))
    others = Traffic(
        up, up.key("beside", "open"), lambda _: {"model": "small", "max_tokens": 2}, workers=1, within=SLOW
    )
    with others.running():
        deadline = time.monotonic() + SLOW
        while not up.ready("bound@", pid) and time.monotonic() < deadline:
            up.chat(
                key, model="bound", messages=[{"role": "user", "content": "word " * 700}], max_tokens=50, within=SLOW
            )
        eventually(others.more(), within=SLOW)
    assert up.ready("bound@", pid), "it died of it, and is there again"
    assert {each.status for each in others.seen} == {200} and not others.failed
    eventually(lambda: up.chat(key, model="bound", max_tokens=2, within=SLOW).status_code == 200, within=SLOW)
    assert up.api.delete("/v1/models/bound").status_code == 200


def test_killed_under_load(up: Running, weights: Path) -> None:
    add(up, "mortal", weights)
    key = up.key("mortal", "open")
    others = Traffic(up, key, lambda _: {"model": "small", "max_tokens": 2}, workers=1, within=SLOW)
    its_own = Traffic(up, key, lambda _: {"model": "mortal", "max_tokens": 4}, workers=2, within=SLOW)
    with others.running(), its_own.running():
        eventually(its_own.more(), within=SLOW)
        pid = up.kill("mortal@")
        eventually(lambda: up.ready("mortal@", pid), within=SLOW)
        eventually(its_own.more(), within=SLOW)
        eventually(others.more(), within=SLOW)
    assert {each.status for each in others.seen} == {200} and not others.failed
    assert {each.status for each in its_own.seen} <= {200, 503} and not its_own.failed
    assert up.api.delete("/v1/models/mortal").status_code == 200


def test_its_file_is_damaged_and_mended(up: Running, weights: Path, tmp_path: Path) -> None:
    file = tmp_path / "its.gguf"
    shutil.copy(weights, file)
    add(up, "hurt", file)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(weights.read_bytes()[:1_000_000])
    os.replace(damaged, file)  # noqa: PTH105
    up.kill("hurt@")
    eventually(lambda: state(up, "hurt")["status"] == "failed", within=SLOW)
    assert "The file of the weights is cut off or damaged" in state(up, "hurt")["trouble"]
    assert up.chat(up.key("beside-hurt", "open"), model="small", max_tokens=2, within=SLOW).status_code == 200
    shutil.copy(weights, tmp_path / "good")
    os.replace(tmp_path / "good", file)  # noqa: PTH105
    eventually(lambda: state(up, "hurt")["status"] == "ready", within=SLOW)
    change(up, lambda d: d["models"].pop("hurt"))
