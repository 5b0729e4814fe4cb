"""What is to be seen around an object that is not as it should be: its pods, the newest events, what crashed last said.

Whatever cannot be read is evidence less: the failure is told all the same.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from maas.cluster import kinds
from maas.cluster.api import Api, path_of
from maas.cluster.applying import objects
from maas.cluster.applying.failure import Lines
from maas.cluster.facts.redaction import scrubbed
from maas.cluster.failures import Missing
from maas.cluster.kinds import DEPLOYMENT, POD, Kind
from maas.cluster.objects import Object, at, condition, items, mapping, name, namespace, number, place, text
from maas.domain.errors import MaasError

T = TypeVar("T")
_EVENT = Kind("Event", "events")
_EVENTS, _LOGS, _LINES = 5, 2, 8
_LONGEST = 300  # characters of an event's message
_PATIENCE = 20.0  # seconds for all of it: somebody waits for the failure
_BELOW = ("ReplicaSet", "Pod", "PersistentVolumeClaim", "Deployment", "Job", "Service")
# Where the parts of what is in no namespace run.
_BEHIND = {
    kinds.CLUSTER_POLICY.name: ("nvidia-gpu-operator", "gpu-operator"),
    kinds.DATA_SCIENCE_CLUSTER.name: ("redhat-ods-applications", "opendatahub", "redhat-ods-operator"),
    kinds.DSC_INITIALIZATION.name: ("redhat-ods-operator", "opendatahub"),
    kinds.ISTIO.name: ("istio-system",),
    kinds.GATEWAY_CLASS.name: ("istio-system", "openshift-ingress"),
}


@dataclass(frozen=True)
class Surroundings:
    """unserved: the object cannot be there, for the cluster does not serve its kind."""

    object: Object | None = None
    pods: Sequence[Object] = ()
    events: Sequence[Object] = ()
    logs: Sequence[Lines] = ()
    unserved: bool = False


async def around(api: Api, kind: Kind, named: str, in_namespace: str) -> Surroundings:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _around(api, kind, named, in_namespace)
    except TimeoutError:
        return Surroundings()


async def _around(api: Api, kind: Kind, named: str, in_namespace: str) -> Surroundings:
    found = await _or(objects.one(api, kind, named, in_namespace), None)
    if found is None and await _or(_is_unserved(api, kind), False):
        return Surroundings(unserved=True)
    names, pods = {named}, list[Object]()
    if in_namespace:
        selectors = await _selectors(api, kind, found, named, in_namespace)
        names |= selectors.keys()
        for labels in dict.fromkeys(selectors.values()):
            pods += await _or(objects.some(api, POD, in_namespace, labels=labels), ()) if labels else ()
    for where in () if in_namespace else _BEHIND.get(kind.name, ()):
        pods += [pod for pod in await _or(objects.some(api, POD, where), ()) if _is_in_trouble(pod)]
    places = dict.fromkeys((in_namespace or "default", *map(namespace, pods)))
    events = [each for where in places for each in await _or(objects.some(api, _EVENT, where), ())]
    logs = await asyncio.gather(*(_log(api, *each) for each in list(_crashing(pods))[:_LOGS]))
    return Surroundings(found, pods, _newest(events, names, pods), [log for log in logs if log])


async def _is_unserved(api: Api, kind: Kind) -> bool:
    """In none of the versions that we know. Raises MaasError."""
    for version in kind.versions:
        try:
            served = await api.get(f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}")
        except Missing:
            continue
        if any(text(each, "name") == kind.plural for each in items(served, "resources")):
            return False
    return True


async def _or(awaited: Awaitable[T], otherwise: T) -> T:
    try:
        return await awaited
    except MaasError:
        return otherwise


async def _selectors(api: Api, kind: Kind, found: Object | None, named: str, where: str) -> dict[str, str]:
    """Of the workloads that stand behind it: their names, and which pods are theirs."""
    match kind.name:
        case "InferenceService":
            return {f"{named}-predictor": f"serving.kserve.io/inferenceservice={named}"}
        case "Gateway":
            return {
                f"{named}-{text(found, 'spec', 'gatewayClassName')}": f"gateway.networking.k8s.io/gateway-name={named}"
            }
        case "Deployment" | "DaemonSet" | "ReplicaSet":
            return {named: _selector(found)}
        case "ClusterServiceVersion":
            deployments = [text(each, "name") for each in items(found, "spec", "install", "spec", "deployments")]
        case "Kuadrant":
            deployments = ["kuadrant-operator-controller-manager", "authorino", "limitador-limitador"]
        case _:
            return {}
    known = [await _or(objects.one(api, DEPLOYMENT, each, where), None) for each in deployments]
    return {each: _selector(object) for each, object in zip(deployments, known, strict=True)}


def _is_in_trouble(pod: Object) -> bool:
    statuses = (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses"))
    if text(condition(pod, "PodScheduled"), "status") == "False":
        return True
    return any(
        number(status, "state", "terminated", "exitCode")
        or text(status, "state", "waiting", "reason") not in ("", "PodInitializing", "ContainerCreating")
        for status in statuses
    )


def _selector(workload: Object | None) -> str:
    return ",".join(f"{key}={value}" for key, value in mapping(workload, "spec", "selector", "matchLabels").items())


def _newest(events: Sequence[Object], names: set[str], pods: Sequence[Object]) -> list[Object]:
    """Of the object itself and of what it owns; warnings where there are any."""
    names = names | {name(pod) for pod in pods} | {claim for pod in pods for claim in _claims(pod)}
    about = [each for each in events if _is_about(mapping(each, "involvedObject"), names)]
    warnings = [each for each in about if text(each, "type") != "Normal"]
    ordered = sorted(warnings or about, key=happened, reverse=True)
    told = {(text(each, "reason"), text(each, "message")): each for each in reversed(ordered)}
    return sorted(told.values(), key=happened, reverse=True)[:_EVENTS]


def _is_about(involved: Object, names: set[str]) -> bool:
    called = text(involved, "name")
    if called in names:
        return True
    return text(involved, "kind") in _BELOW and any(called.startswith(f"{each}-") for each in names)


def _claims(pod: Object) -> Iterator[str]:
    for volume in items(pod, "spec", "volumes"):
        if claim := text(volume, "persistentVolumeClaim", "claimName"):
            yield claim


def happened(event: Object) -> float:
    """Seconds since the epoch; 0 if it does not say."""
    series = text(event, "series", "lastObservedTime")
    moments = (series, text(event, "lastTimestamp"), text(event, "eventTime"), text(event, "firstTimestamp"))
    written = next(filter(None, moments), text(event, "metadata", "creationTimestamp"))
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0


def told(event: Object, now: float) -> str:
    """ "40 s ago: Warning FailedScheduling of Pod llm/x: 0/3 nodes are available (12 times)"."""
    involved = mapping(event, "involvedObject")
    about = "/".join(filter(None, (text(involved, "namespace"), text(involved, "name"))))
    message = scrubbed(" ".join(text(event, "message").split()))[:_LONGEST]
    count = number(event, "series", "count") or number(event, "count") or 1
    times = f" ({count} times)" if count > 1 else ""
    head = f"{ago(max(now - happened(event), 0.0))} ago: {text(event, 'type')} {text(event, 'reason')}"
    return f"{head} of {text(involved, 'kind')} {about}: {message}{times}"


def ago(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.0f} h"
    )


def _crashing(pods: Sequence[Object]) -> Iterator[tuple[Object, str, bool]]:
    """Containers that ended badly or are not ready, the former first; whether to read the run before."""
    statuses = [
        (pod, each)
        for pod in pods
        for each in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses"))
    ]
    for pod, status in statuses:
        ended = at(status, "state", "terminated") or at(status, "lastState", "terminated")
        if ended and number(ended, "exitCode"):
            yield pod, text(status, "name"), bool(at(status, "lastState", "terminated"))
    for pod, status in statuses:
        if (
            at(status, "state", "running")
            and at(status, "ready") is False
            and not at(status, "lastState", "terminated")
        ):
            yield pod, text(status, "name"), False


async def _log(api: Api, pod: Object, container: str, previous: bool) -> Lines | None:
    """If the server has none of the run before, that of this one."""
    for before in dict.fromkeys((previous, False)):
        asked = {"container": container, "tailLines": str(_LINES), "limitBytes": "16384"}
        asked |= {"previous": "true"} if before else {}
        path = f"{path_of(POD, 'v1', namespace(pod), name(pod))}/log?{urlencode(asked)}"
        if found := await _or(api.text(path), ""):
            lines = tuple(scrubbed(line) for line in found.splitlines()[-_LINES:])
            return Lines(place(pod), container, lines, before)
    return None
