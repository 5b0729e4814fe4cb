"""A dashboard for Grafana, whose sidecar loads ConfigMaps with the label grafana_dashboard."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, Wanted

NAME = "maas-dashboard"
_WIDTH, _HEIGHT = 12, 8
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_MODEL = "serving_kserve_io_inferenceservice"  # how Prometheus writes the pods' label

# title, unit, and what is shown: PromQL and the legend
_PANELS: tuple[tuple[str, str, Sequence[tuple[str, str]]], ...] = (
    (
        "Requests by answer",
        "reqps",
        [
            (
                'sum by (response_code) (rate(istio_requests_total{source_workload=~"GATEWAY.*"}[5m]))',
                "{{response_code}}",
            )
        ],
    ),
    (
        "Time to answer, 95th percentile",
        "ms",
        [
            (
                "histogram_quantile(0.95, sum by (le, destination_service_name)"
                ' (rate(istio_request_duration_milliseconds_bucket{source_workload=~"GATEWAY.*"}[5m])))',
                "{{destination_service_name}}",
            )
        ],
    ),
    (
        "Requests within and beyond limits",
        "reqps",
        [
            ("sum by (limitador_namespace) (rate(authorized_calls[5m]))", "within, {{limitador_namespace}}"),
            ("sum by (limitador_namespace) (rate(limited_calls[5m]))", "beyond, {{limitador_namespace}}"),
        ],
    ),
    (
        "Tokens that were counted",
        "short",
        [("sum by (limitador_namespace) (rate(authorized_hits[5m]))", "{{limitador_namespace}}")],
    ),
    (
        "Keys that were refused",
        "reqps",
        [('sum by (status) (rate(auth_server_response_status{status!="OK"}[5m]))', "{{status}}")],
    ),
    ("Requests that run", "short", [(f"sum by ({_MODEL}) (vllm:num_requests_running)", f"{{{{{_MODEL}}}}}")]),
    ("Requests that wait", "short", [(f"sum by ({_MODEL}) (vllm:num_requests_waiting)", f"{{{{{_MODEL}}}}}")]),
    (
        "Tokens generated per second",
        "short",
        [(f"sum by ({_MODEL}) (rate(vllm:generation_tokens_total[5m]))", f"{{{{{_MODEL}}}}}")],
    ),
    (
        "Time to the first token, 95th percentile",
        "s",
        [
            (
                f"histogram_quantile(0.95, sum by (le, {_MODEL}) (rate(vllm:time_to_first_token_seconds_bucket[5m])))",
                f"{{{{{_MODEL}}}}}",
            )
        ],
    ),
    ("KV cache in use", "percentunit", [(f"max by ({_MODEL}) (vllm:kv_cache_usage_perc)", f"{{{{{_MODEL}}}}}")]),
)


def config_map(wanted: Wanted) -> Body:
    text = json.dumps(_dashboard(), indent=1) + "\n"
    labels = {"grafana_dashboard": "1"}
    return made("v1", "ConfigMap", NAME, wanted.namespace, labels=labels, data={"maas.json": text})


def _dashboard() -> dict[str, Any]:
    return {
        "uid": "maas",
        "title": "Models as a Service",
        "tags": ["maas"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}]
        },
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    for at, (title, unit, shown) in enumerate(_PANELS):
        yield {
            "id": at + 1,
            "type": "timeseries",
            "title": title,
            "datasource": _SOURCE,
            "gridPos": {"x": at % 2 * _WIDTH, "y": at // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
            "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + n), "expr": expr.replace("GATEWAY", GATEWAY), "legendFormat": legend}
                for n, (expr, legend) in enumerate(shown)
            ],
        }
