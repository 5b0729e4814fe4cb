"""Faults to plant in a typical cluster: each a small change to its objects, and the codes that must find it.

Those of the known issues are in tests/kubernetes/known_issues; these are what breaks every day.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from maas.cluster.objects import Object, name
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.scenario import Scenario

Edit = Callable[[Sequence[Object]], Sequence[Object]]
Change = Callable[[Any], None]
EXPIRED = "2026-09-01T00:00:00Z"  # before the clock of the offline tests
SOON = "2026-09-26T00:00:00Z"


@dataclass(frozen=True)
class Fault:
    """
    finds: the codes that must report it, as failed or as a warning.
    also: what is rightly said besides; anything else must name its cause.
    """

    name: str
    cluster: Callable[[], Scenario]
    edits: tuple[Edit, ...]
    finds: frozenset[str]
    also: frozenset[str] = frozenset()

    def planted(self) -> Scenario:
        scenario = self.cluster()
        for edit in self.edits:
            scenario = scenario.changed(edit)
        return scenario


def edited(kind: str, named: str, change: Change) -> Edit:
    """All of that kind whose name begins so; the objects of the healthy cluster stay as they are."""

    def edit(objects: Sequence[Object]) -> list[Object]:
        found = [each for each in objects if each["kind"] == kind and name(each).startswith(named)]
        assert found, f"no {kind} {named}"
        result = []
        for each in objects:
            changed = copy.deepcopy(each)
            if each in found:
                change(changed)
            result.append(changed)
        return result

    return edit


def without(kind: str, named: str = "") -> Edit:
    def edit(objects: Sequence[Object]) -> list[Object]:
        left = [each for each in objects if not (each["kind"] == kind and name(each).startswith(named))]
        assert len(left) < len(objects), f"no {kind} {named}"
        return left

    return edit


def having(*more: Object) -> Edit:
    return lambda objects: [*objects, *more]


def put(*path: str | int, to: Any) -> Change:
    """Sets the field at the path, which is there as far as its last step."""

    def change(object: Any) -> None:
        for step in path[:-1]:
            object = object[step]
        object[path[-1]] = to

    return change


def condition_is(type: str, status: str, reason: str, message: str = "") -> Change:
    """Takes the conditions that need this one to be true along: Ready, Available."""

    def change(object: Any) -> None:
        found = [each for each in object["status"]["conditions"] if each["type"] == type]
        assert found, f"no condition {type}"
        found[0] |= {"status": status, "reason": reason, "message": message}

    return change


def both(*changes: Change) -> Change:
    def change(object: Any) -> None:
        for each in changes:
            each(object)

    return change


def unavailable(object: Any) -> None:
    """A Deployment without a pod that is ready."""
    object["status"] |= {"readyReplicas": 0, "availableReplicas": 0}
    condition_is("Available", "False", "MinimumReplicasUnavailable")(object)


def waiting(reason: str, message: str, restarts: int = 0, exit_code: int = 1, ended: str = "Error") -> Change:
    """A pod whose container does not run."""

    def change(pod: Any) -> None:
        status = pod["status"]["containerStatuses"][0]
        status |= {"ready": False, "started": False, "restartCount": restarts}
        status["state"] = {"waiting": {"reason": reason, "message": message}}
        if restarts:
            last = {"exitCode": exit_code, "reason": ended, "startedAt": EXPIRED, "finishedAt": EXPIRED}
            status["lastState"] = {"terminated": last}
        else:
            pod["status"]["phase"] = "Pending"
        for each in ("Ready", "ContainersReady"):
            condition_is(each, "False", "ContainersNotReady")(pod)

    return change


def unschedulable(message: str) -> Change:
    def change(pod: Any) -> None:
        del pod["spec"]["nodeName"]
        scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        pod["status"] = {"phase": "Pending", "conditions": [{**scheduled, "lastTransitionTime": EXPIRED}]}

    return change


def model_is_down(of: str, *more: Edit) -> tuple[Edit, ...]:
    """What the cluster says of a model whose pod is not ready."""
    return (
        edited("InferenceService", of, both(*_not_ready())),
        edited("Deployment", f"{of}-predictor", unavailable),
        edited("EndpointSlice", f"{of}-predictor", put("endpoints", 0, "conditions", to={"ready": False})),
        *more,
    )


def _not_ready() -> list[Change]:
    return [condition_is(type, "False", "MinimumReplicasUnavailable") for type in ("PredictorReady", "Ready")]


def fault(name: str, cluster: Callable[[], Scenario], *edits: Edit, finds: str, also: str = "") -> Fault:
    return Fault(name, cluster, edits, frozenset(finds.split()), frozenset(also.split()))


K8S, OPENSHIFT = typical.kubernetes_1_34, typical.openshift_4_20
