"""What is answered: modes, limits, stops, seeds, and how it is counted."""

from typing import Any

import pytest

from tests.running import eventually
from tests.simulator.running import Running


def content(answer: Any) -> str:
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


def finish(answer: Any) -> str:
    reason: str = answer.json()["choices"][0]["finish_reason"]
    return reason


def test_echo_repeats_the_last_user_message(sim: Running) -> None:
    sim.configure(mode="echo")
    said = "Grüße, wörld!\n  ✓ done 日本語"
    answer = sim.chat(said)
    assert content(answer) == said
    assert finish(answer) == "stop"
    usage = answer.json()["usage"]
    assert usage["completion_tokens"] == usage["prompt_tokens"]


def test_echo_is_cut_by_max_tokens(sim: Running) -> None:
    sim.configure(mode="echo")
    answer = sim.chat("one two three four", max_completion_tokens=2, max_tokens=3)
    assert content(answer) == "one two"
    assert finish(answer) == "length"


def test_ignore_eos_gives_exactly_max_tokens(sim: Running) -> None:
    for mode in ("echo", "random"):
        sim.configure(mode=mode)
        answer = sim.chat("a b c", max_tokens=30, ignore_eos=True)
        assert answer.json()["usage"]["completion_tokens"] == 30
        assert finish(answer) == "length"


@pytest.mark.parametrize(
    ("stop", "text", "stopped_by"),
    [
        ("three", "one two ", "three"),
        (["four", "wo th"], "one t", "wo th"),
        (["one"], "", "one"),
        ("nowhere", "one two three four", None),
    ],
)
def test_stop_strings(sim: Running, stop: Any, text: str, stopped_by: str | None) -> None:
    sim.configure(mode="echo")
    answer = sim.chat("one two three four", stop=stop)
    assert content(answer) == text
    assert finish(answer) == "stop"
    assert answer.json()["choices"][0]["stop_reason"] == stopped_by
    streamed = sim.chat("one two three four", stop=stop, stream=True, stream_options={"include_usage": True})
    assert f'"completion_tokens":{answer.json()["usage"]["completion_tokens"]},' in streamed.text
    assert streamed.text.endswith("data: [DONE]\n\n")


def test_the_same_seed_gives_the_same_text(sim: Running) -> None:
    first, second = (content(sim.chat("Tell me", seed=7, n=2)) for _ in range(2))
    assert first == second
    assert len({content(sim.chat(text, seed=seed)) for seed in (7, 8) for text in ("Tell me", "Say it")}) == 4


def test_without_a_seed_texts_differ(sim: Running) -> None:
    assert len({content(sim.chat("Tell me")) for _ in range(5)}) == 5


def test_a_servers_seed_makes_it_repeatable(start: Any) -> None:
    texts = [
        [content(running.chat("Tell me")) for _ in range(3)] for running in (start("--seed", "4"), start("--seed", "4"))
    ]
    assert texts[0] == texts[1]


def test_a_cut_tool_call_ends_with_length(sim: Running) -> None:
    schema = {"type": "string", "minLength": 200}
    tools = [{"type": "function", "function": {"name": "t", "parameters": schema}}]
    answer = sim.chat(tools=tools, tool_choice="required", max_tokens=5)
    assert finish(answer) == "length"
    assert answer.json()["usage"]["completion_tokens"] == 5


def test_aliases_are_answered_under_their_name(sim: Running) -> None:
    body = {"model": "alias", "prompt": "x"}
    assert sim.post("/v1/completions", body).json()["model"] == "alias"


def test_request_ids_come_back(sim: Running) -> None:
    assert sim.post("/v1/completions", {}, x_request_id="abc").headers["x-request-id"] == "abc"
    assert sim.http.get("/health").headers["x-request-id"].startswith("req-")


def test_tokenize(sim: Running) -> None:
    answer = sim.post("/tokenize", {"prompt": "one two, three", "return_token_strs": True}).json()
    assert answer["count"] == len(answer["tokens"]) == 4
    assert answer["token_strs"] == ["one", " two", ",", " three"]
    messages = [{"role": "user", "content": "one two, three"}]
    assert sim.post("/tokenize", {"messages": messages}).json()["tokens"] == answer["tokens"]


def test_the_request_log_counts_what_was_generated(sim: Running) -> None:
    body = {"model": "sim", "prompt": "one two", "max_tokens": 9, "ignore_eos": True}
    sim.post("/v1/completions", body, x_request_id="whole")
    sim.post("/v1/completions", {**body, "stream": True}, x_request_id="streamed")
    sim.post("/v1/completions", {**body, "model": "other"}, x_request_id="refused")
    expected = {"path": "/v1/completions", "prompt_tokens": 2, "completion_tokens": 9, "status": 200, "aborted": False}
    assert sim.logged("whole").items() >= {**expected, "stream": False, "model": "sim"}.items()
    assert sim.logged("streamed").items() >= {**expected, "stream": True}.items()
    assert sim.logged("refused").items() >= {"status": 404, "completion_tokens": 0, "model": "other"}.items()


def test_metrics_have_vllms_names(start: Any) -> None:
    running = start("--inter-token-latency", "1ms")
    for stream in (False, True):
        answer = running.chat("one two three", max_tokens=5, ignore_eos=True, stream=stream)
        assert answer.is_success
    eventually(lambda: running.metric("request_success_total") == 2)
    assert running.metric("prompt_tokens_total") == 6
    assert running.metric("generation_tokens_total") == 10
    assert running.metric("time_to_first_token_seconds_count") == 2
    assert running.metric("request_generation_tokens_sum") == 10
    assert 2 <= running.metric("inter_token_latency_seconds_count") <= 8
    assert running.metric("num_requests_running") == 0
    assert 'model_name="sim"' in running.http.get("/metrics").text
