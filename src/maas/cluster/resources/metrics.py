"""What Prometheus reads, and a dashboard of it.

Gateway and models by their pods. Authorino and Limitador by Services of our own, since the labels of their operators'
Services have changed between versions; what their pods are labelled with has not.
"""

from collections.abc import Iterator

from maas.cluster.plan.model import Apply, Step
from maas.cluster.resources import dashboards, services
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import GATEWAY, KUADRANT, Wanted

KEY = "metrics"
_API = "monitoring.coreos.com/v1"
_INTERVAL = "30s"
_OF = "maas.io/metrics-of"
_PORT = 8080  # of Authorino and of Limitador, for metrics
_PODS = {"authorino": {"authorino-resource": "authorino"}, "limitador": {"app": "limitador"}}
_PATHS = {"authorino": ("/metrics", "/server-metrics"), "limitador": ("/metrics",)}


def steps(wanted: Wanted) -> list[Step]:
    if not wanted.metrics:
        return []
    return [
        Step(
            KEY,
            "metrics and a dashboard",
            "let Prometheus read gateway, limits and models, and Grafana show them",
            tuple(map(Apply, objects(wanted))),
            needs=("namespaces", "kuadrant-operator", "kuadrant"),
            undo="maas install --skip-metrics",
        )
    ]


def objects(wanted: Wanted) -> Iterator[Body]:
    """Without the Prometheus operator, the dashboard alone; a plain Prometheus finds pods by itself."""
    if wanted.site.pod_monitors:
        yield _pods(wanted, "maas-models", {"matchExpressions": [_EXISTS]}, {"targetPort": services.PORT})
        envoy = {"port": "http-envoy-prom", "path": "/stats/prometheus"}
        yield _pods(wanted, GATEWAY, {"matchLabels": {"gateway.networking.k8s.io/gateway-name": GATEWAY}}, envoy)
        if not {"kuadrant", "kuadrant-operator"} & wanted.site.theirs:
            yield from (each for name in _PODS for each in _of_kuadrant(name))
    yield dashboards.config_map(wanted)


_EXISTS = {"key": services.INFERENCE_SERVICE, "operator": "Exists"}


def _pods(wanted: Wanted, name: str, selector: Body, endpoint: Body) -> Body:
    label = {"podTargetLabels": [services.INFERENCE_SERVICE]} if "targetPort" in endpoint else {}
    read = [{"path": "/metrics", "interval": _INTERVAL, **endpoint}]
    spec = {"selector": selector, "podMetricsEndpoints": read, **label}
    return made(_API, "PodMonitor", name, wanted.namespace, spec=spec)


def _of_kuadrant(name: str) -> Iterator[Body]:
    called, labels = f"maas-{name}-metrics", {_OF: name}
    ports = [{"name": "metrics", "port": _PORT, "protocol": "TCP", "targetPort": _PORT}]
    service = {"type": "ClusterIP", "selector": _PODS[name], "ports": ports}
    yield made("v1", "Service", called, KUADRANT, labels=labels, spec=service)
    endpoints = [{"port": "metrics", "path": path, "interval": _INTERVAL} for path in _PATHS[name]]
    spec = {"selector": {"matchLabels": labels}, "endpoints": endpoints}
    yield made(_API, "ServiceMonitor", called, KUADRANT, spec=spec)
