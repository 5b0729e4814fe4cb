"""What several known issues look at alike: log lines, events, versions in image names, the pods of a model.

Evidence is quoted as it was read, cut to a line's length, and never more than a few lines of it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from maas.cluster.facts.model import Facts, Log
from maas.cluster.facts.redaction import scrubbed
from maas.cluster.kinds import EVENT, POD, Kind
from maas.cluster.objects import Object, at, is_true, items, label, mapping, name, namespace, number, place, text
from maas.readiness.findings import Outcome, Seen, unknown

_MOST = 3
_LINE = 300  # characters of a quoted line
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
MODEL_LABEL = "serving.kserve.io/inferenceservice"

Version = tuple[int, int, int]


def called(kind: Kind, object: Object) -> str:
    """ "Service llm/qwen3-predictor"."""
    return f"{kind.name} {place(object)}"


def few(seen: Sequence[Seen], most: int = _MOST) -> tuple[Seen, ...]:
    """The first ones, and how many more there are."""
    more = len(seen) - most
    return (*seen[:most], Seen(f"and {more} more")) if more > 0 else tuple(seen)


def listed(words: Sequence[str], most: int = _MOST) -> str:
    """ "a, b, c and 4 more"."""
    more = len(words) - most
    if more > 0:
        return f"{', '.join(words[:most])} and {more} more"
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def quoted(line: str) -> str:
    line = scrubbed(" ".join(line.split()))
    return line if len(line) <= _LINE else f"{line[:_LINE]}…"


def version(text: str) -> Version | None:
    """The first that is in the text: (0, 10, 2) of "v0.10.2" and of "vllm/vllm-openai:v0.10.2"."""
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def image_version(image: str) -> Version | None:
    """Of the tag; None for a digest, "latest" and what else says nothing."""
    _, _, tag = image.split("@")[0].rpartition("/")[2].partition(":")
    return version(tag)


def said(logs: Iterable[Log], *needles: str) -> Iterator[Seen]:
    """The first line of each log that holds one of the needles, whatever their case."""
    lowered = [needle.lower() for needle in needles]
    for log in logs:
        line = next((line for line in log.lines if any(needle in line.lower() for needle in lowered)), None)
        if line is not None:
            yield Seen(f"log of {log.namespace}/{log.pod} ({log.container})", value=quoted(line))


def events(facts: Facts, in_namespace: str, about: str = "", *needles: str) -> Iterator[Seen]:
    """Warnings of objects whose name begins with `about`, that say one of the needles; newest knowledge only."""
    for event in facts.known(EVENT):
        message = text(event, "message") or text(event, "note")
        who = at(event, "involvedObject") or at(event, "regarding")
        if namespace(event) != in_namespace or not text(who, "name").startswith(about):
            continue
        if any(needle.lower() in message.lower() for needle in needles):
            yield Seen(f"Event {in_namespace}/{text(who, 'name')}", text(event, "reason"), quoted(message))


def pods_of(facts: Facts, model: Object) -> list[Object]:
    """The pods of an InferenceService. Raises NotRead."""
    return facts.derived(_pods_by_model).get((namespace(model), name(model)), [])


def _pods_by_model(facts: Facts) -> dict[tuple[str, str], list[Object]]:
    """Once for all models: there are many pods, and most are of none."""
    found: dict[tuple[str, str], list[Object]] = {}
    for pod in facts.all(POD):
        if model := label(pod, MODEL_LABEL):
            found.setdefault((namespace(pod), model), []).append(pod)
    return found


def logs_of(facts: Facts, pods: Iterable[Object]) -> list[Log]:
    names = {(namespace(pod), name(pod)) for pod in pods}
    return [log for log in facts.logs if (log.namespace, log.pod) in names]


def last_words(pods: Iterable[Object], *needles: str) -> Iterator[Seen]:
    """What containers said when they ended: Kubernetes keeps the last lines where it is told to."""
    lowered = [needle.lower() for needle in needles]
    for pod in pods:
        for status in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")):
            for field in (("lastState", "terminated"), ("state", "terminated"), ("state", "waiting")):
                message = text(status, *field, "message")
                line = next((each for each in message.splitlines() if any(n in each.lower() for n in lowered)), None)
                if line is not None:
                    yield Seen(f"Pod {place(pod)}", f"{text(status, 'name')}.{'.'.join(field)}.message", quoted(line))
                    break


def unheard(facts: Facts, models: Iterable[Object]) -> Iterator[Outcome]:
    """One unknown for all models whose server crashes without a word that was read: nobody can say why it does."""
    sick = [model for model in models if not is_true(model, "Ready")]
    silent = [model for model in sick if any(_crashes_unheard(facts, pod) for pod in pods_of(facts, model))]
    if silent:
        names = listed([place(model) for model in silent])
        yield unknown(f"{names}: the server crashes, and its log was not read (`maas doctor` reads logs where it may)")


def _crashes_unheard(facts: Facts, pod: Object) -> bool:
    for status in items(pod, "status", "containerStatuses"):
        ended = mapping(status, "lastState", "terminated")
        if number(status, "restartCount") and number(ended, "exitCode") and ended.get("reason") != "OOMKilled":
            heard = any(log.lines and log.container == status.get("name") for log in logs_of(facts, [pod]))
            return not heard and not text(ended, "message")
    return False


def waiting_reasons(pod: Object) -> list[str]:
    statuses = (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses"))
    return [reason for status in statuses if (reason := text(status, "state", "waiting", "reason"))]


def restarts(pod: Object) -> int:
    statuses = (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses"))
    return sum(number(status, "restartCount") or 0 for status in statuses)


def is_ready(pod: Object) -> bool:
    return any(
        each.get("type") == "Ready" and each.get("status") == "True" for each in items(pod, "status", "conditions")
    )


def available(deployment: Object) -> int:
    return number(deployment, "status", "availableReplicas") or 0
