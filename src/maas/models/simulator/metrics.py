"""The model's metrics under vLLM's names, so that dashboards and autoscalers made for vLLM work unchanged.

Label children are looked up once. What changes with every token of every stream is counted in plain numbers and
turned into samples when somebody asks: with 500 streams, prometheus-client's counters took a tenth of all time.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = (
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.08,
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    20.0,
    40.0,
)
_LONG = (
    0.3,
    0.5,
    0.8,
    1.0,
    1.5,
    2.0,
    2.5,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    40.0,
    50.0,
    60.0,
    120.0,
    240.0,
    480.0,
)
_GAPS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


class _Tokens(Collector):
    """Tokens generated, and the gaps between them. Only the event loop's thread touches it."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._gaps = [0] * (len(_GAPS) + 1)
        self._gap_sum = 0.0
        self.generated = 0

    def gap(self, seconds: float) -> None:
        self._gaps[bisect_left(_GAPS, seconds)] += 1
        self._gap_sum += seconds

    def collect(self) -> Iterator[Metric]:
        total = CounterMetricFamily("vllm:generation_tokens", "Tokens generated", labels=["model_name"])
        total.add_metric([self._model], self.generated)
        yield total
        bounds = [*(str(bound) for bound in _GAPS), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._gaps), strict=True))
        gaps = HistogramMetricFamily(
            "vllm:inter_token_latency_seconds", "Inter token latency seconds", labels=["model_name"]
        )
        gaps.add_metric([self._model], buckets, self._gap_sum)
        yield gaps


class Metrics:
    def __init__(self, model: str, max_model_len: int) -> None:
        self._registry = CollectorRegistry()
        self._model = model
        self._gauge_running = self._gauge("num_requests_running", "Requests that run")
        self._gauge_waiting = self._gauge("num_requests_waiting", "Requests that wait for a slot")
        self._gauge("kv_cache_usage_perc", "Always 0: there is no cache")
        self._prompt_total = self._counter("prompt_tokens", "Prompt tokens processed")
        self._tokens = _Tokens(model)
        self._registry.register(self._tokens)
        self.gap = self._tokens.gap
        name = "vllm:request_success"
        self._success = Counter(name, "Finished requests", ["model_name", "finished_reason"], registry=self._registry)
        self._first_token = self._histogram("time_to_first_token_seconds", _SECONDS)
        self._per_token = self._histogram("time_per_output_token_seconds", _GAPS)
        self._end_to_end = self._histogram("e2e_request_latency_seconds", _LONG)
        self._queue = self._histogram("request_queue_time_seconds", _LONG)
        self._inference = self._histogram("request_inference_time_seconds", _LONG)
        self._prefill = self._histogram("request_prefill_time_seconds", _LONG)
        self._decode = self._histogram("request_decode_time_seconds", _LONG)
        self._prompt = self._histogram("request_prompt_tokens", _TOKENS)
        self._generated = self._histogram("request_generation_tokens", _TOKENS)
        self._max_tokens = self._histogram("request_params_max_tokens", _TOKENS)
        self._cache_config(max_model_len)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def load(self, running: int, waiting: int) -> None:
        self._gauge_running.set(running)
        self._gauge_waiting.set(waiting)

    def arrived(self, prompt_tokens: int, max_tokens: int | None) -> None:
        self._prompt_total.inc(prompt_tokens)
        self._prompt.observe(prompt_tokens)
        if max_tokens is not None:
            self._max_tokens.observe(max_tokens)

    def first_token(self, seconds: float) -> None:
        self._first_token.observe(seconds)

    def generated(self, tokens: int) -> None:
        self._tokens.generated += tokens

    def ended(self, reason: str, tokens: int, queued: float, prefill: float, decode: float) -> None:
        """`reason` as vLLM has it: stop, length or abort. Tool calls count as stop."""
        self._success.labels(self._model, reason).inc()
        self._generated.observe(tokens)
        self._queue.observe(queued)
        self._prefill.observe(prefill)
        self._decode.observe(decode)
        self._inference.observe(prefill + decode)
        self._end_to_end.observe(queued + prefill + decode)
        if tokens > 1:
            self._per_token.observe(decode / (tokens - 1))

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"vllm:{name}", text, ["model_name"], registry=self._registry).labels(self._model)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"vllm:{name}", text, ["model_name"], registry=self._registry).labels(self._model)

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> Histogram:
        text = name.replace("_", " ").capitalize()
        made = Histogram(f"vllm:{name}", text, ["model_name"], registry=self._registry, buckets=buckets)
        return made.labels(self._model)

    def _cache_config(self, max_model_len: int) -> None:
        labels = {"model_name": self._model, "block_size": "16", "num_gpu_blocks": str(max_model_len // 16)}
        text = "Information of the LLMEngine CacheConfig"
        Gauge("vllm:cache_config_info", text, list(labels), registry=self._registry).labels(**labels).set(1)
