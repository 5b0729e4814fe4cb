"""The troubleshooting chapters as walks: each step of the way from an operator to what it is for, and how it is.

A walk judges nothing that a check does not judge better; it shows how far things go, so that a reader sees at which
step they end.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.kinds import (
    AUTH_POLICY,
    AUTHORINO,
    CLUSTER_POLICY,
    DEPLOYMENT,
    HTTP_ROUTE,
    KUADRANT,
    LIMITADOR,
    NODE,
    POD,
    RATE_LIMIT_POLICY,
    SECRET,
    TOKEN_RATE_LIMIT_POLICY,
    Kind,
)
from maas.cluster.objects import Object, at, condition, items, label, mapping, name, place, text, texts
from maas.cluster.shell import word
from maas.readiness.findings import Status
from maas.readiness.signs import available, is_ready, listed, quoted

_COMPLAINING = ("error", "unable", "denied", "failed", "forbidden")
_PCI = tuple(f"feature.node.kubernetes.io/pci-{each}.present" for each in ("10de", "0302_10de", "0300_10de"))


@dataclass(frozen=True)
class Step:
    what: str
    status: Status
    message: str


@dataclass(frozen=True)
class Chapter:
    """excerpts: what was written down word by word, by where: the end of a log, events."""

    title: str
    steps: tuple[Step, ...]
    excerpts: tuple[tuple[str, tuple[str, ...]], ...] = ()


Answer = tuple[Status, str]
Look = Callable[[Facts], Answer]


def walked(
    title: str, facts: Facts, steps: Iterable[tuple[str, Look]], excerpts: Iterable[tuple[str, tuple[str, ...]]] = ()
) -> Chapter:
    return Chapter(title, tuple(Step(what, *_tried(look, facts)) for what, look in steps), tuple(excerpts))


def gpu(facts: Facts) -> Chapter:
    return walked(
        "GPUs, from the operator to the node",
        facts,
        (
            ("GPU operator", _operator),
            ("Node Feature Discovery", _labelled),
            ("ClusterPolicy", _policy),
            ("driver", lambda facts: _agents(facts, "nvidia-driver-daemonset", absent=Status.warning)),
            ("device plugin", lambda facts: _agents(facts, "nvidia-device-plugin-daemonset", absent=Status.failed)),
            ("allocatable", _allocatable),
        ),
        _complaints(facts),
    )


def auth(facts: Facts) -> Chapter:
    return walked(
        "keys and limits, from Kuadrant to its policies",
        facts,
        (
            ("Kuadrant", lambda facts: _resources(facts, KUADRANT, "Ready")),
            ("Authorino", lambda facts: _resources(facts, AUTHORINO, "Ready")),
            ("Limitador", lambda facts: _resources(facts, LIMITADOR, "Ready")),
            ("AuthPolicy", lambda facts: _resources(facts, AUTH_POLICY, "Enforced")),
            ("key Secrets", _secrets),
            ("RateLimitPolicy", lambda facts: _resources(facts, RATE_LIMIT_POLICY, "Enforced")),
            (
                "TokenRateLimitPolicy",
                lambda facts: _resources(facts, TOKEN_RATE_LIMIT_POLICY, "Enforced", optional=True),
            ),
        ),
        _try_it(facts),
    )


def _tried(look: Look, facts: Facts) -> Answer:
    try:
        return look(facts)
    except NotRead as missing:
        return Status.unknown, missing.unread.reason


def _operator(facts: Facts) -> Answer:
    found = [each for each in facts.all(DEPLOYMENT) if name(each) == "gpu-operator"]
    if not found:
        return Status.failed, "not installed"
    if not available(found[0]):
        return Status.failed, f"Deployment {place(found[0])} has no replica available"
    return Status.passed, f"runs in {at(found[0], 'metadata', 'namespace')}"


def _complaints(facts: Facts) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The last lines of the operator's log that complain."""
    for log in facts.logs:
        if log.pod.startswith("gpu-operator") and not log.previous:
            lines = [line for line in log.lines if any(word in line.lower() for word in _COMPLAINING)]
            if lines:
                yield f"complaints in the log of {log.namespace}/{log.pod}", tuple(map(quoted, lines[-5:]))


def _try_it(facts: Facts) -> Iterator[tuple[str, tuple[str, ...]]]:
    routes = facts.known(HTTP_ROUTE)
    bases = [f"https://{host}{_base(route)}" for route in routes for host in texts(route, "spec", "hostnames")]
    if bases:
        command = f'`curl -ik {word(f"{bases[0]}/models")} -H "Authorization: APIKEY $KEY"`'
        yield "to try it: 401 without a key, 200 with a good one; `maas validate` tries all of it", (command,)


def _base(route: Object) -> str:
    """Below which a model's API is: /MODEL/v1 at the host of all models, /v1 at a model's own."""
    matches = [match for rule in items(route, "spec", "rules") for match in items(rule, "matches")]
    paths = [text(match, "path", "value") for match in matches]
    return next((path for path in paths if path.endswith("/v1")), "/v1")


def _labelled(facts: Facts) -> Answer:
    nodes = facts.all(NODE)
    found = [name(each) for each in nodes if any(label(each, key) == "true" for key in _PCI)]
    if found:
        return Status.passed, f"found NVIDIA devices in {len(found)} of {len(nodes)} nodes: {listed(found)}"
    return Status.failed, f"none of {len(nodes)} nodes has the label of an NVIDIA device ({_PCI[0]})"


def _policy(facts: Facts) -> Answer:
    found = facts.all(CLUSTER_POLICY)
    if not found:
        return Status.failed, "there is none"
    state, ready = text(found[0], "status", "state"), condition(found[0], "Ready")
    reason = ", ".join(filter(None, [text(ready, "reason"), quoted(text(ready, "message"))]))
    is_well = state == "ready" and text(ready, "reason") in ("", "Reconciled", "Ready")
    return (
        Status.passed if is_well else Status.failed
    ), f"{state or 'without a state'}{f' ({reason})' if reason else ''}"


def _agents(facts: Facts, prefix: str, *, absent: Status) -> Answer:
    pods = [pod for pod in facts.all(POD) if name(pod).startswith(prefix)]
    if not pods:
        return absent, f"no pod of {prefix}"
    unready = [name(pod) for pod in pods if not is_ready(pod)]
    if unready:
        return Status.failed, f"{len(unready)} of {len(pods)} pods are not ready: {listed(unready)}"
    return Status.passed, "1 pod, ready" if len(pods) == 1 else f"{len(pods)} pods, all ready"


def _allocatable(facts: Facts) -> Answer:
    with_gpu = {name(each): text(each, "status", "allocatable", "nvidia.com/gpu") for each in facts.all(NODE)}
    found = {node: count for node, count in with_gpu.items() if count not in ("", "0")}
    if not found:
        return Status.failed, "no node offers nvidia.com/gpu"
    return Status.passed, f"nvidia.com/gpu: {listed([f'{count} on {node}' for node, count in found.items()])}"


def _resources(facts: Facts, kind: Kind, wanted: str, *, optional: bool = False) -> Answer:
    found = facts.all(kind)
    if not found:
        return (Status.skipped if optional else Status.failed), "there is none"
    bad = [each for each in found if text(condition(each, wanted), "status") != "True"]
    if bad:
        return Status.failed, "; ".join(f"{place(each)} is not {wanted}{_why(each, wanted)}" for each in bad[:3])
    return Status.passed, f"{listed([place(each) for each in found])} {'is' if len(found) == 1 else 'are'} {wanted}"


def _why(object: Object, wanted: str) -> str:
    """Where a condition is absent, an earlier one that does not hold says why."""
    told = condition(object, wanted) or next(iter(_untrue(object)), {})
    reason = ", ".join(filter(None, [text(told, "reason"), quoted(text(told, "message"))]))
    return f": {reason}" if reason else ""


def _untrue(object: Object) -> Iterator[Object]:
    yield from (each for each in items(object, "status", "conditions") if text(each, "status") != "True")


def _secrets(facts: Facts) -> Answer:
    found = facts.all(SECRET)
    without = [place(each) for each in found if "api_key" not in mapping(each, "data")]
    if not found:
        return Status.warning, "no Secret is labelled authorino.kuadrant.io/managed-by: nobody has a key"
    if without:
        return Status.failed, f"{len(without)} of {len(found)} have no api_key: {listed(without)}"
    return Status.passed, "1 key" if len(found) == 1 else f"{len(found)} keys"
