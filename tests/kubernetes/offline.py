"""Facts made of a few objects, for tests of single checks."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from maas.cluster.facts.model import Facts, Log, Source, Unread
from maas.cluster.kinds import ALL, Kind
from maas.cluster.objects import Object
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Finding
from maas.readiness.judging import judge

NOW = 1_790_000_000.0  # 2026-09-21
_BUILT_IN = tuple(kind for kind in ALL if "." not in kind.group or kind.group.endswith(".k8s.io"))


def facts(
    *objects: Object,
    serves: Collection[Kind] = (),
    unread: Mapping[Kind, Unread] | None = None,
    probes: Mapping[str, Any] | None = None,
    logs: Sequence[Log] = (),
    version: str = "v1.34.4",
    now: float = NOW,
    live: bool = True,
) -> Facts:
    """The cluster that has these objects, and serves their kinds, Kubernetes' own and those in `serves`."""
    by_gk = {(kind.group, kind.name): kind for kind in ALL}
    lists: dict[str, Any] = {kind.key: [] for kind in (*_BUILT_IN, *serves)}
    apis: dict[str, set[str]] = defaultdict(set)
    for kind in (*_BUILT_IN, *serves):
        if kind.group != "gateway.networking.k8s.io" or kind in serves:
            apis[f"{kind.group}/{kind.versions[0]}".lstrip("/")].add(kind.plural)
    for object in objects:
        group, _, _ = str(object["apiVersion"]).rpartition("/")
        kind = by_gk[group, str(object["kind"])]
        lists.setdefault(kind.key, []).append(object)
        apis[str(object["apiVersion"])].add(kind.plural)
    lists |= {kind.key: why for kind, why in (unread or {}).items()}
    return Facts(
        Source(live, "made for a test"),
        now,
        {"gitVersion": version, "major": "1", "minor": version.split(".")[1]},
        {key: frozenset(plurals) for key, plurals in apis.items()},
        lists,
        probes or {},
        logs,
    )


def asked(target: Target = Target.kubernetes, phase: Phase = Phase.before, **fields: Any) -> Asked:
    return Asked(target, phase, **fields)


def found(code: str, facts: Facts, asked: Asked) -> tuple[Finding, ...]:
    """What one check says."""
    return judge(facts, asked, only=[code])
