"""A healthy installation with a fault planted, and what the checks of installations (MAAS-3nn) say of it."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from maas.cluster.facts.model import Facts
from maas.cluster.objects import name, namespace
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.scenario import Scenario

Object = dict[str, Any]
Change = Callable[[Object], object]
BAD = (Status.failed, Status.warning, Status.unknown)


@cache
def healthy(openshift: bool = False) -> Scenario:
    return (typical.openshift_4_20() if openshift else typical.kubernetes_1_34()).after()


def facts(
    *changes: tuple[str, Change], without: Sequence[str] = (), more: Sequence[Object] = (), openshift: bool = False
) -> Facts:
    """changes: "Kind", "Kind name" or "Kind namespace/name" of the objects, and what is done to a copy of each."""

    def planted(objects: Sequence[Any]) -> list[Any]:
        kept = [copy.deepcopy(dict(each)) for each in objects if not any(_is(each, chosen) for chosen in without)]
        for chosen, change in changes:
            found = [each for each in kept if _is(each, chosen)]
            assert found, f"there is no {chosen}"
            for each in found:
                change(each)
        return [*kept, *more]

    return healthy(openshift).changed(planted).facts()


def said(facts: Facts, *codes: str, openshift: bool = False) -> list[Finding]:
    return list(judge(facts, healthy(openshift).asked, only=codes or ["MAAS-3"]))


def problems(facts: Facts, openshift: bool = False) -> dict[str, Finding]:
    """By code; the first of each. The healthy installation has none."""
    found: dict[str, Finding] = {}
    for finding in said(facts, openshift=openshift):
        if finding.status in BAD:
            found.setdefault(finding.code, finding)
    return found


def put(*path: str | int, value: Any) -> Change:
    """Sets what is at the path."""

    def change(object: Object) -> None:
        inside: Any = object
        for step in path[:-1]:
            inside = inside.setdefault(step, {}) if isinstance(inside, dict) else inside[step]
        inside[path[-1]] = value

    return change


def drop(*path: str | int) -> Change:
    def change(object: Object) -> None:
        inside: Any = object
        for step in path[:-1]:
            inside = inside[step]
        del inside[path[-1]]

    return change


def conditioned(type: str, status: str, reason: str, message: str = "", at: Sequence[str | int] = ()) -> Change:
    """Turns a condition; at: what holds `conditions`, else the status."""

    def change(object: Object) -> None:
        inside: Any = object["status"]
        for step in at:
            inside = inside[step]
        found = next(each for each in inside["conditions"] if each["type"] == type)
        found |= {"status": status, "reason": reason, "message": message}

    return change


def both(*changes: Change) -> Change:
    def change(object: Object) -> None:
        for each in changes:
            each(object)

    return change


def _is(object: Mapping[str, Any], chosen: str) -> bool:
    kind, _, place = chosen.partition(" ")
    return object["kind"] == kind and place in ("", name(object), f"{namespace(object)}/{name(object)}")
