"""What models have served, by their own count: requests and tokens since their pods started.

On a cluster nobody writes a record of each request. Kuadrant's counters end with their windows, and Limitador's metrics
add requests of two policies and tokens up into one number without a user. What vLLM and the simulator count of
themselves is exact, but knows no users, keys or tiers, and begins anew with each pod. It is asked through the API
server, pod by pod.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode

from maas.cluster import kinds
from maas.cluster.api import Api, path_of
from maas.cluster.objects import items, name, text
from maas.cluster.resources import names
from maas.cluster.resources.services import INFERENCE_SERVICE, PORT
from maas.domain.platform import Model, Platform
from maas.domain.reports import UsageRow

_REQUESTS, _PROMPT, _OUTPUT = "vllm:request_success_total", "vllm:prompt_tokens_total", "vllm:generation_tokens_total"
_LINE = re.compile(r"^([a-z_:]+)(?:\{[^}]*\})?\s+([0-9.eE+]+)", re.MULTILINE)


async def by_model(api: Api, platform: Platform, namespace: str) -> list[UsageRow]:
    """Of the models that run on the cluster: what others serve counts itself elsewhere. Raises MaasError."""
    served = [model for model in platform.models.values() if model.runtime != "external"]
    return list(await asyncio.gather(*(_of(api, model, namespace) for model in served)))


async def _of(api: Api, model: Model, namespace: str) -> UsageRow:
    chosen = urlencode({"labelSelector": f"{INFERENCE_SERVICE}={names.object_name(model.name)}"})
    pods = items(await api.get(f"{path_of(kinds.POD, 'v1', namespace)}?{chosen}"), "items")
    running = [name(pod) for pod in pods if text(pod, "status", "phase") == "Running"]
    pages = await asyncio.gather(*(_metrics(api, namespace, pod) for pod in running))
    return row(model, pages)


async def _metrics(api: Api, namespace: str, pod: str) -> str:
    return await api.text(f"{path_of(kinds.POD, 'v1', namespace)}/{quote(pod, safe='')}:{PORT}/proxy/metrics")


def row(model: Model, pages: list[str]) -> UsageRow:
    """pages: the metrics of each of its pods, in Prometheus' text format."""
    sums: Mapping[str, int] = _sums(found for page in pages for found in _LINE.findall(page))
    prompt, output = sums[_PROMPT], sums[_OUTPUT]
    return UsageRow(model.name, sums[_REQUESTS], prompt, output, model.price.cost(prompt, output))


def _sums(found: Iterator[tuple[str, str]]) -> Mapping[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for metric, value in found:
        if metric in (_REQUESTS, _PROMPT, _OUTPUT):
            sums[metric] += int(float(value))
    return sums
