"""The logs worth reading: of the operators that the stack hangs on, and of pods in trouble near models and gateways."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from maas.cluster.api import Api, path_of
from maas.cluster.facts.model import Log, Unread
from maas.cluster.kinds import GATEWAY, INFERENCE_SERVICE, LLM_INFERENCE_SERVICE, POD
from maas.cluster.objects import Object, at, items, mapping, name, namespace, number, text
from maas.domain.errors import MaasError

OPERATORS = frozenset(
    {
        "kuadrant-system", "gpu-operator", "nvidia-gpu-operator", "kserve", "redhat-ods-applications", "opendatahub",
        "cert-manager",
    }
)  # fmt: skip
_LINES = 400
_BYTES = 256 * 1024
_CONTAINERS = 40


@dataclass(frozen=True)
class _Wanted:
    namespace: str
    pod: str
    container: str
    previous: bool
    rank: int  # the lower, the sooner read


async def read_logs(api: Api, lists: Mapping[str, Sequence[Object] | Unread], kept: list[Log]) -> None:
    """Adds to `kept` as they come, so that those there are survive a deadline."""
    pods = lists.get(POD.key, ())
    if isinstance(pods, Unread):
        return
    wanted = sorted(set(_wanted(pods, _of_models(lists))), key=lambda each: (each.rank, each.namespace, each.pod))
    chosen = list(dict.fromkeys((each.namespace, each.pod, each.container) for each in wanted))[:_CONTAINERS]
    read = [each for each in wanted if (each.namespace, each.pod, each.container) in chosen]
    await asyncio.gather(*(_read(api, each, kept) for each in read))
    kept.sort(key=lambda log: (log.namespace, log.pod, log.container, log.previous))


def _of_models(lists: Mapping[str, Sequence[Object] | Unread]) -> frozenset[str]:
    """The namespaces of models and gateways."""
    found = (lists.get(kind.key, ()) for kind in (INFERENCE_SERVICE, LLM_INFERENCE_SERVICE, GATEWAY))
    return frozenset(namespace(each) for known in found if not isinstance(known, Unread) for each in known)


def _wanted(pods: Sequence[Object], of_models: frozenset[str]) -> Iterator[_Wanted]:
    for pod in pods:
        if namespace(pod) not in OPERATORS and namespace(pod) not in of_models:
            continue
        for status in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")):
            troubled = _is_troubled(pod, status)
            if troubled or _is_operator(pod):
                yield from _of_container(pod, status, rank=0 if troubled else 1)


def _of_container(pod: Object, status: Object, rank: int) -> Iterator[_Wanted]:
    if "running" in mapping(status, "state") or "terminated" in mapping(status, "state"):
        yield _Wanted(namespace(pod), name(pod), text(status, "name"), False, rank)
    if number(status, "restartCount"):
        yield _Wanted(namespace(pod), name(pod), text(status, "name"), True, rank)


def _is_troubled(pod: Object, status: Object) -> bool:
    if number(status, "restartCount") or text(pod, "status", "phase") == "Failed":
        return True
    if text(status, "state", "waiting", "reason") not in ("", "PodInitializing", "ContainerCreating"):
        return True
    return bool(number(status, "state", "terminated", "exitCode"))


def _is_operator(pod: Object) -> bool:
    """A controller, not one of hundreds of agents: what a DaemonSet runs on each node is read only if in trouble."""
    owners = items(pod, "metadata", "ownerReferences")
    return namespace(pod) in OPERATORS and not any(at(owner, "kind") == "DaemonSet" for owner in owners)


async def _read(api: Api, wanted: _Wanted, kept: list[Log]) -> None:
    """A log that cannot be read is evidence less, no more."""
    asked = {"container": wanted.container, "tailLines": str(_LINES), "limitBytes": str(_BYTES)}
    asked |= {"previous": "true"} if wanted.previous else {}
    try:
        found = await api.text(f"{path_of(POD, 'v1', wanted.namespace, wanted.pod)}/log?{urlencode(asked)}")
    except MaasError:
        return
    lines = tuple(found.splitlines()[-_LINES:])
    kept.append(Log(wanted.namespace, wanted.pod, wanted.container, lines, wanted.previous))
