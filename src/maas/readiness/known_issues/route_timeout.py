"""An OpenShift Route cuts answers that take longer than 30 seconds."""

import re
from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import GATEWAY, ROUTE, SERVICE
from maas.cluster.objects import annotation, label, name, namespace, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, Severity, failed
from maas.readiness.issues import known_issue
from maas.readiness.signs import MODEL_LABEL, called, quoted

_TIMEOUT = "haproxy.router.openshift.io/timeout"
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ENOUGH = 60
_WANTED = "300s"


@known_issue(
    "MAAS-414",
    "Routes wait for long answers",
    sign="A Route to a gateway or a model without the annotation haproxy.router.openshift.io/timeout, or with less "
    "than a minute.",
    cause="OpenShift's router ends a request after 30 seconds unless the Route says otherwise. Long completions end "
    "in a 504, short tests pass.",
    mend="Annotate the Route with haproxy.router.openshift.io/timeout: 300s.",
    needs=(ROUTE,),
    severity=Severity.warning,
)
def cut_short(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    serving = set(_serving(facts))
    for route in facts.all(ROUTE):
        value = annotation(route, _TIMEOUT)
        if (namespace(route), text(route, "spec", "to", "name")) not in serving or _seconds(value) >= _ENOUGH:
            continue
        body = {"metadata": {"annotations": {_TIMEOUT: _WANTED}}}
        yield failed(
            _effect(value),
            Seen(called(ROUTE, route), f"metadata.annotations.{_TIMEOUT}", value or "absent"),
            remedy=Remedy(
                "Let the router wait for five minutes.",
                changes=(
                    Change(Verb.patch, ROUTE, name(route), namespace(route), body, "long answers take their time"),
                ),
            ),
            about=called(ROUTE, route),
        )


def _effect(value: str) -> str:
    if value and not _seconds(value):
        return f"it cuts answers after 30 s: {quoted(value)!r} is no time that the router can read (300s, 5m)"
    return f"it cuts answers after {value or '30 s'}"


def _serving(facts: Facts) -> Iterator[tuple[str, str]]:
    """The Services of gateways and models."""
    for service in facts.all(SERVICE):
        if label(service, _GATEWAY_NAME) or label(service, MODEL_LABEL):
            yield namespace(service), name(service)
    for gateway in facts.all(GATEWAY):
        yield namespace(gateway), f"{name(gateway)}-{text(gateway, 'spec', 'gatewayClassName')}"


def _seconds(value: str) -> float:
    """HAProxy's way to write it; a bare number is in milliseconds. 0 for what cannot be read."""
    match = re.fullmatch(r"(\d+)(us|ms|s|m|h|d)?", value.strip())
    return int(match[1]) * _SECONDS[match[2] or "ms"] if match else 0
