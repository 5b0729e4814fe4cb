"""The chapter of one model: its conditions, its pods, what Kubernetes warned of, and the end of its logs."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.facts.redaction import scrubbed
from maas.cluster.kinds import EVENT, INFERENCE_SERVICE, LLM_INFERENCE_SERVICE, POD, Kind
from maas.cluster.objects import Object, condition, items, label, name, namespace, place, text
from maas.readiness.chapters import Chapter, Step
from maas.readiness.findings import Status
from maas.readiness.signs import MODEL_LABEL, called, is_ready, quoted, restarts, waiting_reasons

_EVENTS = 5
_LINES = 12
_LLM_LABEL = "app.kubernetes.io/name"
_KINDS = (INFERENCE_SERVICE, LLM_INFERENCE_SERVICE)


def models(facts: Facts) -> list[tuple[Kind, Object]]:
    return [(kind, each) for kind in _KINDS for each in facts.known(kind)]


def model(facts: Facts, kind: Kind, found: Object) -> Chapter:
    pods = pods_of(facts, found)
    steps = [*_conditions(found), *(_pod(pod) for pod in pods[:5])]
    try:
        facts.all(POD)
    except NotRead as missing:
        steps.append(Step("pods", Status.unknown, missing.unread.reason))
    else:
        if not pods:
            steps.append(Step("pods", Status.failed, "there is none"))
    return Chapter(called(kind, found), tuple(steps), (*_events(facts, found), *_logs(facts, pods)))


def pods_of(facts: Facts, found: Object) -> list[Object]:
    return [
        pod
        for pod in facts.known(POD)
        if namespace(pod) == namespace(found) and name(found) in (label(pod, MODEL_LABEL), label(pod, _LLM_LABEL))
    ]


def _conditions(found: Object) -> Iterator[Step]:
    conditions = items(found, "status", "conditions")
    if not conditions:
        yield Step("conditions", Status.failed, "its status is empty: no controller has said anything of it")
    for each in sorted(conditions, key=lambda each: text(each, "type") != "Ready"):
        if text(each, "type") == "Stopped":
            continue
        said = " ".join(filter(None, [text(each, "reason"), quoted(text(each, "message"))]))
        status = {"True": Status.passed, "False": Status.failed}.get(text(each, "status"), Status.warning)
        yield Step(text(each, "type"), status, said or text(each, "status"))


def _pod(pod: Object) -> Step:
    scheduled = condition(pod, "PodScheduled")
    unscheduled = quoted(text(scheduled, "message")) if text(scheduled, "status") == "False" else ""
    ended = [_ended(status) for status in items(pod, "status", "containerStatuses")]
    again = f"{restarts(pod)} restarts" if restarts(pod) else ""
    parts = [text(pod, "status", "phase"), *waiting_reasons(pod), unscheduled, again, *ended]
    status = Status.passed if is_ready(pod) else Status.failed
    return Step(f"Pod {place(pod)}", status, ", ".join(filter(None, parts)))


def _ended(status: Object) -> str:
    reason = text(status, "lastState", "terminated", "reason")
    return f"last ended with {reason}" if reason else ""


def _events(facts: Facts, found: Object) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The last ones of the model and of whatever is named after it."""
    of_it = [e for e in facts.known(EVENT) if namespace(e) == namespace(found) and _is_of(e, name(found))]
    of_it.sort(key=lambda each: text(each, "lastTimestamp") or text(each, "eventTime"))
    lines = tuple(
        f"{text(e, 'involvedObject', 'kind')} {text(e, 'involvedObject', 'name')}: {text(e, 'reason')}: "
        f"{quoted(text(e, 'message'))}"
        for e in of_it[-_EVENTS:]
    )
    if lines:
        yield "events", lines


def _is_of(event: Object, model: str) -> bool:
    about = text(event, "involvedObject", "name")
    return about == model or about.startswith(f"{model}-")


def _logs(facts: Facts, pods: list[Object]) -> Iterator[tuple[str, tuple[str, ...]]]:
    names = {(namespace(pod), name(pod)) for pod in pods[:2]}
    for log in facts.logs:
        if (log.namespace, log.pod) in names and log.lines:
            which = ", the run before" if log.previous else ""
            yield f"end of the log of {log.pod} ({log.container}{which})", tuple(map(scrubbed, log.lines[-_LINES:]))
