"""Whether routes leave models the time that they need: a completion streams for minutes."""

import re
from collections.abc import Iterator

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, items, name, namespace, text
from maas.cluster.shell import word
from maas.cluster.stack import ours, serving
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped

_ENOUGH = 300.0
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"([0-9]{1,5})(h|ms|m|s)")


@check(
    "MAAS-307",
    "routes leave models the time to answer",
    Category.gateway,
    phases=AFTER,
    severity=Severity.warning,
    wanted="no timeout, 0s, or 300s at least, in each rule that leads to a model",
    looks="spec.rules[].timeouts (request, backendRequest) of the HTTPRoutes that name one of the platform's Gateways.",
    why="A longer answer is cut off in the middle (504, or a stream that ends without its last message), though short "
    "questions work.",
    mend="Raise timeouts.request and timeouts.backendRequest of the rule, or remove them.",
    covers=("5. Gateway API", "Ingress"),
)
def timeouts(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    routes = ours.routes(facts, ours.gateways(facts, asked.namespace))
    bad = [outcome for route in routes if (outcome := _cut_off(facts, route))]
    yield from bad
    if not routes:
        yield skipped("no route leads through the gateway: MAAS-303")
    elif not bad:
        yield passed(f"{len(routes)} {'route gives' if len(routes) == 1 else 'routes give'} answers 5 minutes or more")


def _cut_off(facts: Facts, route: Object) -> Outcome | None:
    about = ours.shown(kinds.HTTP_ROUTE, route)
    found = [
        (f"spec.rules[{at}].timeouts.{which}", said)
        for at, rule in enumerate(items(route, "spec", "rules"))
        if serving.asks_models(facts, route, rule)
        for which in ("request", "backendRequest")
        if 0 < (seconds(said := text(rule, "timeouts", which)) or 0) < _ENOUGH
    ]
    if not found:
        return None
    shortest = min((said for _, said in found), key=lambda said: seconds(said) or 0)
    command = f"kubectl edit httproute {word(name(route))} -n {word(namespace(route))}"
    remedy = Remedy("Raise the timeouts of the rule to 300s, or remove them.", (command,))
    seen = [Seen(about, field, said) for field, said in found[:4]]
    return failed(f"cuts answers off after {shortest}", *seen, remedy=remedy, about=about)


def seconds(duration: str) -> float | None:
    """Of a duration as the Gateway API has it ("1m30s"); None if it is none."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(amount + unit for amount, unit in parts) != duration:
        return None
    return sum(int(amount) * _UNITS[unit] for amount, unit in parts)
