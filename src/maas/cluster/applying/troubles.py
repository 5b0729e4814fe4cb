"""What keeps pods from running, told from their own statuses: each trouble with its cause and its remedy."""

import re
from collections.abc import Iterator, Sequence

from maas.cluster.applying.explained import Explained, within
from maas.cluster.objects import Object, at, condition, items, mapping, name, namespace, number, place, text

_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"})
_CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_LONGEST = 300


def of_pods(pods: Sequence[Object]) -> Iterator[Explained]:
    """Of all pods, in the order in which pods come to run."""
    for pod in pods:
        yield from _unscheduled(pod)
    for pod in pods:
        for status in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")):
            yield from _waiting(pod, status)
    for pod in pods:
        for status in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")):
            yield from _crashing(pod, status)


def _unscheduled(pod: Object) -> Iterator[Explained]:
    scheduled = condition(pod, "PodScheduled")
    if text(scheduled, "status") != "False":
        return
    yield unscheduled(f"pod {place(pod)}", text(scheduled, "message"), namespace(pod))


def unscheduled(who: str, message: str, where: str) -> Explained:
    """message: the scheduler's: "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: …". Its first
    sentence says it all."""
    said = message.partition(". ")[0].rstrip(". ")
    if re.search(r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim \S+ not found", said):
        return _unbound(who, said, where)
    if "nvidia.com/gpu" in said:
        return Explained(
            f"no node has the GPU that {who} asks for: {said}",
            ("Free a GPU, add a node with one, or see why its device plugin does not offer it:",),
            (
                "kubectl get nodes -o custom-columns='NODE:.metadata.name,GPUS:.status.allocatable.nvidia\\.com/gpu'",
                "maas doctor",
            ),
        )
    if re.search(r"didn't match Pod's node affinity|untolerated taint", said):
        return Explained(
            f"no node is meant for {who}: {said}",
            ("See the labels and taints of the nodes it is meant for.",),
            ("kubectl get nodes --show-labels", "kubectl describe nodes | grep -i -A2 taints"),
        )
    return Explained(
        f"no node has room for {who}: {said or 'the scheduler gives no reason'}",
        ("Add a node, or free what others hold.",),
        ("kubectl describe nodes | grep -A8 'Allocated resources'",),
    )


def _unbound(who: str, said: str, where: str) -> Explained:
    return Explained(
        f"the volume that {who} waits for is not bound: {said}",
        (
            "See why its PersistentVolumeClaim is not bound: no default StorageClass, no such class, or no room."
            " A class can be made the default:",
        ),
        (
            f"kubectl describe pvc{within(where)}",
            "kubectl get storageclass",
            "kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true",
        ),
    )


def _waiting(pod: Object, status: Object) -> Iterator[Explained]:
    reason, message = (text(status, "state", "waiting", each) for each in ("reason", "message"))
    who = f"container {text(status, 'name')} of pod {place(pod)}"
    if reason in _PULL:
        yield _pull(pod, status, message, who)
    elif reason in _CONFIG:
        yield Explained(
            f"{who} cannot be made: {_short(message or reason)}",
            ("Give it what its words miss: a Secret, a ConfigMap, or a key in one of them.",),
            (f"kubectl describe pod {name(pod)}{within(namespace(pod))}",),
        )


def _pull(pod: Object, status: Object, message: str, who: str) -> Explained:
    image = text(status, "image") or "its image"
    why = f": {_short(message)}" if message else ""
    return Explained(
        f"image {image} of {who} cannot be pulled{why}",
        (
            "See whether the name is right, whether the nodes reach the registry, and whether it wants a pull secret."
            " Without a way to it, have the registry mirrored: `maas mirror` lists the images.",
        ),
        (f"kubectl describe pod {name(pod)}{within(namespace(pod))}",),
    )


def _crashing(pod: Object, status: Object) -> Iterator[Explained]:
    ended = mapping(status, "state", "terminated") or mapping(status, "lastState", "terminated")
    code = number(ended, "exitCode")
    if not code:
        return
    who = f"container {text(status, 'name')} of pod {place(pod)}"
    restarts = number(status, "restartCount") or 0
    often = f", restarted {restarts} times" if restarts > 1 else ""
    if text(ended, "reason") == "OOMKilled":
        limit = next((_limit(each) for each in items(pod, "spec", "containers") if _same(each, status)), "")
        yield Explained(
            f"{who} needs more memory than its limit{f' of {limit}' if limit else ''} (OOMKilled){often}",
            ("Raise the limit, or give it less to do.",),
            (f"kubectl describe pod {name(pod)}{within(namespace(pod))}",),
        )
        return
    said = _short(text(ended, "message"))
    before = " --previous" if at(status, "lastState", "terminated") else ""
    yield Explained(
        f"{who} ends with exit code {code}{often}{f': {said}' if said else ''}",
        ("Its last lines say why.",),
        (f"kubectl logs {name(pod)}{within(namespace(pod))} -c {text(status, 'name')}{before}",),
    )


def _same(container: Object, status: Object) -> bool:
    return text(container, "name") == text(status, "name")


def _limit(container: Object) -> str:
    return str(at(container, "resources", "limits", "memory") or "")


def _short(message: str) -> str:
    flat = " ".join(message.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"
