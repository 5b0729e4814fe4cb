"""What Prometheus may know: calls under the names Limitador uses, tokens, cost and latency by user, tier and model.

Admission counts in plain dictionaries, which are turned into samples when somebody asks.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from maas.domain import money
from maas.domain.usage import UsageRecord

_LABELS = ("user", "tier", "model")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_Who = tuple[str, str, str]


class Metrics(Collector):
    """of_models: what their own servers tell, in Prometheus's text format."""

    def __init__(self, of_models: Callable[[], bytes] = bytes) -> None:
        self._of_models = of_models
        self._authorized: Counter[_Who] = Counter()
        self._limited: Counter[_Who] = Counter()
        self._tokens: Counter[tuple[str, str, str, str]] = Counter()
        self._cost: Counter[_Who] = Counter()
        self._ended: Counter[tuple[str, str, str, str]] = Counter()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._duration = self._histogram("maas_request_duration_seconds", "From the first byte in to the last byte out")
        self._first_byte = self._histogram("maas_time_to_first_byte_seconds", "Until the model's answer began")
        self._latencies = lru_cache(4096)(self._labelled)  # finding them costs more than counting

    def verdict(self, user: str, tier: str, model: str, admitted: bool) -> None:
        (self._authorized if admitted else self._limited)[user, tier, model] += 1

    def record(self, record: UsageRecord) -> None:
        who = record.user, record.tier, record.model
        self._tokens[*who, "prompt"] += record.prompt_tokens
        self._tokens[*who, "completion"] += record.completion_tokens
        self._cost[who] += record.cost
        self._ended[*who, record.outcome] += 1
        duration, first_byte = self._latencies(*who)
        duration.observe(record.duration_ms / 1000)
        if record.first_byte_ms is not None:
            first_byte.observe(record.first_byte_ms / 1000)

    def _labelled(self, *who: str) -> tuple[Histogram, Histogram]:
        return self._duration.labels(*who), self._first_byte.labels(*who)

    def text(self) -> bytes:
        return generate_latest(self._registry) + self._of_models()

    def collect(self) -> Iterator[Metric]:
        yield _metric("authorized_calls", "Requests let through", _LABELS, self._authorized)
        yield _metric("limited_calls", "Requests over a limit", _LABELS, self._limited)
        yield _metric("maas_tokens_total", "Tokens charged", (*_LABELS, "kind"), self._tokens)
        yield _metric("maas_requests_total", "Requests that ended, by outcome", (*_LABELS, "outcome"), self._ended)
        cost = {who: float(money.amount(picos)) for who, picos in self._cost.items()}
        yield _metric("maas_cost_total", "Cost charged, in the currency of the prices", _LABELS, cost)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, _LABELS, buckets=_SECONDS, registry=self._registry)


def _metric(
    name: str,
    text: str,
    labels: tuple[str, ...],
    values: "Counter[_Who] | Counter[tuple[str, str, str, str]] | dict[_Who, float]",
) -> Metric:
    """Named exactly so: the library's own counters would append _total to names that users already know."""
    metric = Metric(name, text, "unknown")
    for key, value in list(values.items()):
        metric.add_sample(name, dict(zip(labels, key, strict=True)), value)
    return metric
