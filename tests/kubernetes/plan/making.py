"""Steps and facts for tests of plans, without a cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

from maas.cluster import helm, kinds
from maas.cluster.facts.model import Facts, Unread
from maas.cluster.kinds import ALL, OURS, RELEASE, Kind
from maas.cluster.objects import Object, text
from maas.cluster.plan.comparing import marked
from maas.cluster.plan.model import Action, Apply, Chart, Step, Wait
from maas.cluster.wanted import MANAGED_BY
from tests.kubernetes import offline

LABELS = {"app.kubernetes.io/part-of": "maas"}


def config_map(named: str, namespace: str = "llm", **data: str) -> Object:
    metadata = {"name": named, "namespace": namespace, "labels": LABELS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def made(kind: Kind, named: str, namespace: str = "llm", **fields: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": named, "labels": dict(LABELS)}
    metadata |= {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": f"{kind.group}/{kind.versions[0]}".lstrip("/"),
        "kind": kind.name,
        "metadata": metadata,
        **fields,
    }


def ours(wanted: Object) -> Object:
    """As it is after we have applied it."""
    return marked(wanted, ours=True)


def step(key: str, *actions: Action | Object, needs: Sequence[str] = (), waits: Sequence[Wait] = ()) -> Step:
    taken = tuple(Apply(each) if isinstance(each, Mapping) else each for each in actions)
    return Step(key, f"the step {key}", "a test wants it", taken, tuple(waits), tuple(needs))


def facts(*objects: Object, releases: Sequence[Object] = (), unread: Mapping[str, Unread] | None = None) -> Facts:
    """Of a cluster that serves every kind we know, read as an installation reads it."""
    lists: dict[str, Any] = {kind.key: [] for kind in (*ALL, *OURS)}
    apis: dict[str, set[str]] = {}
    for kind in (*ALL, *OURS):
        apis.setdefault(f"{kind.group}/{kind.versions[0]}".lstrip("/"), set()).add(kind.plural)
    for each in objects:
        lists[_list_of(each)].append(each)
    lists[RELEASE.key] = list(releases)
    lists |= unread or {}
    made_of = offline.facts()
    frozen = {key: frozenset(plurals) for key, plurals in apis.items()}
    return Facts(made_of.source, made_of.taken_at, made_of.version, frozen, lists)


def _list_of(object: Object) -> str:
    kind = kinds.of(object)
    return f"{kind.key}@maas" if f"{kind.key}@maas" in {each.key for each in OURS} else kind.key


def release(chart: Chart, status: str = "deployed", revision: int = 1, by: str = "maas") -> Object:
    """Helm's record of it, as we have it made."""
    every = {**helm.labels(chart), "owner": "helm", "name": chart.release, "status": status, "version": str(revision)}
    metadata = {"name": f"sh.helm.release.v1.{chart.release}.v{revision}", "namespace": chart.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {**metadata, "labels": every | {MANAGED_BY: by}}}


def actions(steps: Sequence[Step]) -> dict[str, list[str]]:
    """What is left, by step: kinds of actions and names."""
    return {each.key: [_called(action) for action in each.actions] for each in steps}


def _called(action: Action) -> str:
    named = text(action.object, "metadata", "name") if isinstance(action, Apply) else getattr(action, "name", "")
    return f"{type(action).__name__} {named or getattr(action, 'release', '') or getattr(action, 'subscription', '')}"
