"""Pods of the stack and of models: what keeps them from running, in the words of whoever said so."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, condition, flag, items, mapping, name, namespace, number, place, text
from maas.cluster.shell import word
from maas.cluster.stack import ours
from maas.readiness import conditions
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.checks.certificates import moment
from maas.readiness.evidence import brief
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, warning
from maas.readiness.wording import count

STACK = frozenset(
    {
        "kuadrant-system",
        "istio-system",
        "cert-manager",
        "cert-manager-operator",
        "kserve",
        "redhat-ods-operator",
        "redhat-ods-applications",
        "opendatahub",
        "gpu-operator",
        "nvidia-gpu-operator",
        "openshift-nfd",
        "openshift-serverless",
        "knative-serving",
        "openshift-ingress",
        "istio-cni",
    }
)
_COVERS = ("Model Deployment Failures", "Authentication/Rate Limiting Issues")
_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"})
_CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_STUCK_AFTER = 600.0  # seconds; weights of a large model take as long
_MANY_RESTARTS = 5
_FORGIVEN_AFTER = 86400.0
_EXAMPLES = 5


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one pod. owner: what its pods have in common, so that a hundred of them are one finding."""

    pod: Object
    owner: str
    message: str
    seen: tuple[Seen, ...]
    remedy: Remedy
    over: bool = False  # it runs again: worth a word, no more


Look = Callable[[Object, float], Trouble | None]


def watched(facts: Facts, asked: Asked) -> list[Object]:
    """Pods of the components, gateways and models. Raises NotRead."""
    where = STACK | ours.namespaces(facts, asked.namespace)
    return [pod for pod in facts.all(kinds.POD) if namespace(pod) in where or ours.model_of(pod)]


def _judged(facts: Facts, asked: Asked, look: Look, good: str) -> Iterator[Outcome]:
    found = watched(facts, asked)
    if not found:
        yield skipped("no pod of the platform is there")
        return
    by_owner: dict[str, list[Trouble]] = {}
    for pod in found:
        if trouble := look(pod, facts.taken_at):
            by_owner.setdefault(trouble.owner, []).append(trouble)
    worst = {owner: min(troubles, key=_is_over_now) for owner, troubles in by_owner.items()}
    owners = sorted(by_owner, key=lambda owner: worst[owner].over)
    for owner in owners[:_EXAMPLES]:
        first, others = worst[owner], len(by_owner[owner]) - 1
        more = f" (and {others} more of its pods)" if others else ""
        say = warning if first.over else failed
        yield say(first.message + more, *first.seen, remedy=first.remedy, about=owner)
    if rest := owners[_EXAMPLES:]:
        remedy = Remedy("Look at them.", ("kubectl get pods -A",))
        say = warning if all(worst[owner].over for owner in rest) else failed
        yield say(f"{len(rest)} more have the same: {', '.join(rest[:_EXAMPLES])}", remedy=remedy, about="others")
    if not by_owner:
        yield passed(f"{good} ({count(len(found), 'pod')})")


def _is_over_now(trouble: Trouble) -> bool:
    return trouble.over


@check(
    "MAAS-360",
    "images can be pulled",
    Category.models,
    phases=AFTER,
    wanted="no container waits for its image",
    looks="Containers that wait with ImagePullBackOff, ErrImagePull and the like, and the registry's own words.",
    why="A pod whose image cannot be pulled never starts.",
    mend="Correct the image's name, add a pull secret, or open the way to the registry.",
    covers=_COVERS,
)
def images(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _judged(facts, asked, _pull_trouble, "all images are there")


def _pull_trouble(pod: Object, now: float) -> Trouble | None:
    for path, status in _statuses(pod):
        waiting = mapping(status, "state", "waiting")
        if text(waiting, "reason") in _PULL:
            image = text(status, "image") or "its image"
            said = f"cannot pull {image}: {conditions.why(waiting)}"
            seen = Seen(_shown(pod), f"{path}.state.waiting", text(waiting, "reason"))
            return Trouble(pod, _owner(pod), said, (seen,), _describe(pod, _pull_advice(text(waiting, "message"))))
    return None


def _pull_advice(message: str) -> str:
    said = message.lower()
    if "not found" in said or "manifest unknown" in said:
        return "Correct the name or the tag of the image."
    if "unauthorized" in said or "denied" in said or "authentication" in said:
        return "Give the pod's service account a pull secret for the registry."
    if "toomanyrequests" in said or "rate limit" in said:
        return "The registry limits how often one may pull: log in, or use a mirror."
    return "Look whether the nodes reach the registry: proxy, firewall, DNS."


@check(
    "MAAS-361",
    "containers do not crash",
    Category.models,
    phases=AFTER,
    wanted="no container in CrashLoopBackOff, none that cannot be created",
    looks="Containers that wait with CrashLoopBackOff, and how they ended the last time.",
    why="A container that starts again and again serves nobody.",
    mend="Read the log of the run before: kubectl logs --previous; maas doctor model NAME.",
    covers=_COVERS,
    after=("MAAS-362", "MAAS-402", "MAAS-415", "MAAS-420", "MAAS-422"),
)
def crashes(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _judged(facts, asked, _crash_trouble, "none crashes")


def _crash_trouble(pod: Object, now: float) -> Trouble | None:
    for path, status in _statuses(pod):
        waiting, container = mapping(status, "state", "waiting"), text(status, "name")
        reason = text(waiting, "reason")
        seen = Seen(_shown(pod), f"{path}.state.waiting", reason)
        if reason == "CrashLoopBackOff":
            last = mapping(status, "lastState", "terminated") or mapping(status, "state", "terminated")
            said = f"{container} crashes{_ended(last)}, {number(status, 'restartCount') or 0} restarts"
            command = (
                f"kubectl logs {word(name(pod))} -n {word(namespace(pod))} -c {word(container)} --previous --tail=50"
            )
            return Trouble(pod, _owner(pod), said, (seen,), Remedy("Read what it said last.", (command,)))
        if reason in _CONFIG:
            said = f"{container} cannot be created: {conditions.why(waiting)}"
            remedy = _describe(pod, "Create what it refers to: a Secret, a ConfigMap, a volume.")
            return Trouble(pod, _owner(pod), said, (seen,), remedy)
    return None


def _ended(last: Object) -> str:
    code, reason = number(last, "exitCode"), text(last, "reason")
    parts = [*([f"exit code {code}"] if code is not None else []), *([reason] if reason not in ("", "Error") else [])]
    message = brief(text(last, "message"))
    return (f" ({', '.join(parts)})" if parts else "") + (f": {message}" if message else "")


@check(
    "MAAS-362",
    "containers have the memory that they need",
    Category.models,
    phases=AFTER,
    wanted="no container was killed for its memory, but for one that has been running again for a day",
    looks="Containers whose last or present state is OOMKilled, whether they run again, and since when.",
    why="A model that is killed while it loads never becomes ready; hf:// downloads need more than 1 GiB.",
    mend="Raise limits.memory; for storage-initializer: kserve.storage.resources.",
    covers=(*_COVERS, "CPU Models", "Issue 5: HuggingFace StorageUri Not Supported"),
    after=("MAAS-421",),
)
def memory(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _judged(facts, asked, _memory_trouble, "none was killed for its memory")


def _memory_trouble(pod: Object, now: float) -> Trouble | None:
    found = [trouble for path, status in _statuses(pod) if (trouble := _killed(pod, path, status, now))]
    return min(found, key=_is_over_now, default=None)


def _killed(pod: Object, path: str, status: Object, now: float) -> Trouble | None:
    states = [each for each in ("state", "lastState") if _ended_by(status, each) == "OOMKilled"]
    if not states:
        return None
    at = moment(text(status, states[0], "terminated", "finishedAt"))
    over = flag(status, "ready") and states[0] == "lastState"
    if over and at is not None and now - at > _FORGIVEN_AFTER:
        return None
    limit = _limit(pod, text(status, "name"))
    said = f"{text(status, 'name')} was killed for its memory" + (f" (limit {limit})" if limit else "")
    seen = Seen(_shown(pod), f"{path}.{states[0]}.terminated.reason", "OOMKilled")
    runs = ", and runs again" if over else ""
    return Trouble(pod, _owner(pod), said + runs, (seen,), _describe(pod, "Raise its limits.memory."), over)


def _ended_by(status: Object, state: str) -> str:
    return text(status, state, "terminated", "reason")


def _limit(pod: Object, container: str) -> str:
    every = (*items(pod, "spec", "containers"), *items(pod, "spec", "initContainers"))
    return next((text(c, "resources", "limits", "memory") for c in every if text(c, "name") == container), "")


@check(
    "MAAS-363",
    "pods find a node",
    Category.models,
    phases=AFTER,
    wanted="no pod that the scheduler cannot place",
    looks="Pods whose condition PodScheduled is False, and the scheduler's message.",
    why="A pod without a node waits for ever: for a GPU, memory, a volume, or a toleration.",
    mend="Give the nodes what the message names, or ask for less.",
    covers=(*_COVERS, "GPU Not Detected", "Sufficient node resources (CPU/Memory)"),
    after=("MAAS-401", "MAAS-410", "MAAS-417"),
)
def scheduled(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _judged(facts, asked, _schedule_trouble, "all have a node")


def _schedule_trouble(pod: Object, now: float) -> Trouble | None:
    found = condition(pod, "PodScheduled")
    if text(pod, "status", "phase") != "Pending" or text(found, "status") != "False":
        return None
    message = text(found, "message")
    said = f"waits for a node: {brief(message) or text(found, 'reason')}"
    seen = Seen(_shown(pod), "status.conditions[PodScheduled]", text(found, "reason"))
    return Trouble(pod, _owner(pod), said, (seen,), _describe(pod, _schedule_advice(message)))


def _schedule_advice(message: str) -> str:
    for sign, advice in (
        ("nsufficient nvidia.com/", "Add a node with a free GPU, or wait for the GPU operator: `maas doctor gpu`."),
        ("untolerated taint", "Give the pod a toleration for the taint, or use other nodes."),
        ("nsufficient cpu", "Add nodes, or ask for less CPU."),
        ("nsufficient memory", "Add nodes, or ask for less memory."),
        ("unbound immediate PersistentVolumeClaims", "Look at its claim: kubectl get pvc."),
        ("node affinity/selector", "Label a node as the pod's nodeSelector asks, or correct that."),
    ):
        if sign in message:
            return advice
    return "Give the nodes what it asks for."


@check(
    "MAAS-364",
    "init containers come to an end",
    Category.models,
    phases=AFTER,
    wanted="no pod that is stuck in its init containers for more than 10 minutes",
    looks="Pods whose condition Initialized is not True, and the init container that runs or fails.",
    why="Kuadrant's pods stuck in istio-init, or a model whose download never ends, are seen here first.",
    mend="Read the init container's log; for istio-init see the known issue of sidecar injection.",
    covers=(*_COVERS, "Issue 4: Istio Sidecar Injection Conflicts"),
    after=("MAAS-360", "MAAS-361", "MAAS-362", "MAAS-404"),
)
def initialised(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _judged(facts, asked, _init_trouble, "none is stuck in its init containers")


def _init_trouble(pod: Object, now: float) -> Trouble | None:
    found = condition(pod, "Initialized")
    if text(pod, "status", "phase") != "Pending" or text(found, "status") != "False":
        return None
    began = moment(text(pod, "status", "startTime")) or moment(text(pod, "metadata", "creationTimestamp"))
    if began is None or now - began < _STUCK_AFTER:
        return None
    pending = [s for s in items(pod, "status", "initContainerStatuses") if not _is_over(s)]
    which = text(pending[0], "name") if pending else "its init containers"
    said = f"is stuck in {which} for {(now - began) / 60:.0f} minutes"
    seen = Seen(_shown(pod), "status.conditions[Initialized]", f"False {brief(text(found, 'message'))}".strip())
    command = f"kubectl logs {word(name(pod))} -n {word(namespace(pod))} -c {word(which)} --tail=50"
    return Trouble(pod, _owner(pod), said, (seen,), Remedy("Read what it says.", (command,)))


def _is_over(status: Object) -> bool:
    return number(status, "state", "terminated", "exitCode") == 0


@check(
    "MAAS-365",
    "containers do not restart often",
    Category.models,
    phases=AFTER,
    severity=Severity.warning,
    wanted=f"fewer than {_MANY_RESTARTS} restarts",
    looks="restartCount of the containers that run now.",
    why="What restarts from time to time drops requests each time.",
    mend="Read the log of the run before: kubectl logs --previous.",
    covers=_COVERS,
    after=("MAAS-361", "MAAS-362"),
)
def restarts(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _judged(facts, asked, _restart_trouble, "none restarts often")


def _restart_trouble(pod: Object, now: float) -> Trouble | None:
    for path, status in _statuses(pod):
        count, container = number(status, "restartCount") or 0, text(status, "name")
        if count >= _MANY_RESTARTS and not mapping(status, "state", "waiting"):
            last = mapping(status, "lastState", "terminated")
            said = f"{container} restarted {count} times{_ended(last)}"
            command = (
                f"kubectl logs {word(name(pod))} -n {word(namespace(pod))} -c {word(container)} --previous --tail=50"
            )
            remedy = Remedy("Read what it said before the last restart.", (command,))
            return Trouble(pod, _owner(pod), said, (Seen(_shown(pod), f"{path}.restartCount", str(count)),), remedy)
    return None


def _statuses(pod: Object) -> Sequence[tuple[str, Object]]:
    init = [("status.initContainerStatuses", each) for each in items(pod, "status", "initContainerStatuses")]
    return [*init, *(("status.containerStatuses", each) for each in items(pod, "status", "containerStatuses"))]


def _owner(pod: Object) -> str:
    """The ReplicaSet or DaemonSet, so that what is one fault of a hundred pods is told once."""
    owners = items(pod, "metadata", "ownerReferences")
    return f"{text(owners[0], 'kind')} {namespace(pod)}/{text(owners[0], 'name')}" if owners else _shown(pod)


def _shown(pod: Object) -> str:
    return f"Pod {place(pod)}"


def _describe(pod: Object, advice: str) -> Remedy:
    return Remedy(advice, (f"kubectl describe pod {word(name(pod))} -n {word(namespace(pod))}",))
