"""What the models' own servers measure is shown beside the platform's metrics, and costs nobody anything."""

import os
import signal
import time

import httpx
from prometheus_client.parser import text_string_to_metric_families

from maas.embedded import scraping
from tests.embedded.changing import change
from tests.running import Running, eventually, stopped

GENERATED = "vllm:generation_tokens_total"
LLAMA_CPP = """# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 16
"""
VLLM = """# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="of {x}"} 19.0
# TYPE vllm:prompt_tokens_created gauge
vllm:prompt_tokens_created{engine="0",model_name="tiny"} 1.7954570832117233e+09
# HELP vllm:e2e Time.
# TYPE vllm:e2e histogram
vllm:e2e_bucket{le="0.5",model="inner"} 1.0
vllm:e2e_bucket{le="+Inf",model="inner"} 2.0
vllm:e2e_count{model="inner"} 2.0
# TYPE process_open_fds gauge
process_open_fds 34.0
vllm:broken{ 3
"""


def samples(text: str) -> dict[tuple[str, str], float]:
    """By name and model."""
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, sample.labels.get("model", "")): sample.value for sample in found}


def metrics(up: Running) -> str:
    return httpx.get(f"http://127.0.0.1:{up.metrics_port}/metrics", timeout=5.0).raise_for_status().text


def test_each_sample_says_whose_it_is_and_each_family_is_in_one_piece() -> None:
    text = scraping.told({"b": VLLM, "a": VLLM, "small": LLAMA_CPP, "mute": None}).decode()
    assert text.count("# TYPE vllm:prompt_tokens_total") == text.count("# HELP vllm:prompt_tokens_total") == 1
    lines = [line.partition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert 'vllm:prompt_tokens_total{model="a",engine="0",model_name="of' in text
    assert 'vllm:e2e_bucket{model="b",le="0.5",exported_model="inner"}' in lines
    at = [index for index, line in enumerate(lines) if line.startswith("vllm:prompt_tokens_total")]
    assert at == [at[0], at[0] + 1]
    assert "process_open_fds" not in text and "_created" not in text and "broken" not in text
    found = samples(text)
    assert found["llamacpp:prompt_tokens_total", "small"] == 16
    assert (found["maas_model_up", "small"], found["maas_model_up", "mute"]) == (1, 0)


def test_a_model_s_own_metrics(up: Running) -> None:
    key = up.key("measured", "open")
    used = up.chat(key, model="other", max_tokens=7).json()["usage"]["completion_tokens"]
    eventually(lambda: samples(metrics(up)).get((GENERATED, "other")) == used)
    text = metrics(up)
    assert samples(text)["maas_model_up", "simulator"] == 1
    assert text.count(f"# TYPE {GENERATED}") == 1
    assert ("authorized_calls", "other") in samples(text), "the platform's own come as well"
    change(up, lambda d: d["models"].update(passing={"runtime": "simulator"}))
    eventually(lambda: ("maas_model_up", "passing") in samples(metrics(up)))
    change(up, lambda d: d["models"].pop("passing"))
    eventually(lambda: ("maas_model_up", "passing") not in samples(metrics(up)))


def test_a_server_that_hangs_holds_nobody_up(up: Running) -> None:
    key, pid = up.key("hangs", "open"), up.pid("other@")
    eventually(lambda: samples(metrics(up)).get(("maas_model_up", "other")) == 1)
    os.kill(pid, signal.SIGSTOP)
    try:
        eventually(lambda: stopped(pid))
        slowest = 0.0

        def down() -> bool:
            nonlocal slowest
            began = time.monotonic()
            found = samples(metrics(up))
            assert up.chat(key).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
            return found["maas_model_up", "other"] == 0

        eventually(down)
        assert slowest < scraping._PATIENCE
        assert samples(metrics(up))["maas_model_up", "simulator"] == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: samples(metrics(up)).get(("maas_model_up", "other")) == 1)
