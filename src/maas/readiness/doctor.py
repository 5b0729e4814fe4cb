"""From findings to a diagnosis: causes first, and beneath each what only follows from it.

One fault shows in many places. Two things tell which of them is the cause: a check says which other checks' failures
explain its own (`after`), and a known issue explains what else is wrong with the same object.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE, LLM_INFERENCE_SERVICE, Kind
from maas.cluster.objects import Object, name, namespace, place
from maas.cluster.shell import word
from maas.domain.errors import InvalidInput, NotFound
from maas.readiness import chapters, model_chapter
from maas.readiness.catalogue import find
from maas.readiness.chapters import Chapter
from maas.readiness.findings import Category, Finding, Severity, Status
from maas.readiness.issues import EXPLAINS
from maas.readiness.predictors import uses_gpu
from maas.readiness.workloads import OF_PODS, is_of_another, keeps_down

PROBLEMS = (Status.failed, Status.warning)


class Topic(StrEnum):
    gpu = "gpu"
    model = "model"
    auth = "auth"
    all = "all"


@dataclass(frozen=True)
class Cause:
    finding: Finding
    consequences: tuple[Finding, ...] = ()

    @property
    def is_failure(self) -> bool:
        """Also a suspicion, if what it would explain has failed."""
        return any(each.status is Status.failed for each in (self.finding, *self.consequences))


@dataclass(frozen=True)
class Diagnosis:
    """
    findings: all that belong to the topic, good ones too; they decide the verdict.
    causes: the worst first. unknown: what could not be judged.
    """

    topic: str  # "gpu", "model llm/qwen3"
    chapters: tuple[Chapter, ...]
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...]
    unknown: tuple[Finding, ...]


_OF_TOPIC = {
    Topic.gpu: (frozenset({Category.gpu, Category.gpu_operator}), "GPU Not Detected"),
    Topic.auth: (
        frozenset({Category.kuadrant, Category.policies, Category.keys}),
        "Authentication/Rate Limiting Issues",
    ),
    Topic.model: (frozenset({Category.kserve}), "Model Deployment Failures"),
}


def diagnose(facts: Facts, findings: Sequence[Finding], topic: Topic = Topic.all, model: str = "") -> Diagnosis:
    """model: "qwen3" or "llm/qwen3". Raises NotFound, with the models there are."""
    if topic is Topic.model:
        return _of_model(facts, findings, model)
    if model:
        raise InvalidInput(f"only `maas doctor model NAME` takes a name, not {topic}")
    chosen = [finding for finding in findings if topic is Topic.all or _belongs(finding, topic)]
    return _reasoned(topic.value, _chapters(facts, topic), chosen)


def _chapters(facts: Facts, topic: Topic) -> tuple[Chapter, ...]:
    match topic:
        case Topic.gpu:
            return (chapters.gpu(facts),)
        case Topic.auth:
            return (chapters.auth(facts),)
    return ()


def _of_model(facts: Facts, findings: Sequence[Finding], named: str) -> Diagnosis:
    kind, found = _model(facts, named)
    chosen = [f for f in findings if is_about(f, kind, found) or (not f.about and _belongs(f, Topic.model))]
    if uses_gpu(found):
        chosen += [f for f in findings if f not in chosen and not f.about and _belongs(f, Topic.gpu)]
    told = [_without_asking_again(finding, found) for finding in chosen]
    return _reasoned(f"model {place(found)}", (model_chapter.model(facts, kind, found),), told)


def _without_asking_again(finding: Finding, model: Object) -> Finding:
    """Its remedy may be the very command that is being carried out."""
    if not finding.remedy:
        return finding
    asked = f"maas doctor model {word(name(model))}"
    left = tuple(command for command in finding.remedy.commands if command != asked)
    return replace(finding, remedy=replace(finding.remedy, commands=left))


def _model(facts: Facts, named: str) -> tuple[Kind, Object]:
    there = model_chapter.models(facts)
    names = ", ".join(sorted(place(each) for _, each in there)) or "none"
    if not named:
        raise InvalidInput(f"`maas doctor model NAME`: which one? There are: {names}")
    found = [(kind, each) for kind, each in there if named in (name(each), place(each))]
    if not found:
        raise NotFound(f"there is no model {named!r} in this cluster; there are: {names}")
    if len(found) > 1:
        raise InvalidInput(
            f"{named!r} is ambiguous: {', '.join(place(each) for _, each in found)}; give the namespace too"
        )
    return found[0]


def is_about(finding: Finding, kind: Kind, model: Object) -> bool:
    """Of the model itself, or of what is made for it: its pods, Deployment, Service."""
    what, _, where = finding.about.partition(" ")
    if what == kind.name:
        return where == place(model)
    return bool(what) and _is_part(where, model)


def _is_part(where: str, model: Object) -> bool:
    mine = f"{namespace(model)}/{name(model)}"
    return where == mine or where.startswith((f"{mine}-predictor", f"{mine}-kserve"))


def _belongs(finding: Finding, topic: Topic) -> bool:
    categories, heading = _OF_TOPIC[topic]
    check = find(finding.code)
    return finding.category in categories or (check is not None and heading in check.covers)


def _reasoned(topic: str, walks: tuple[Chapter, ...], findings: Sequence[Finding]) -> Diagnosis:
    problems = [finding for finding in findings if finding.status in PROBLEMS]
    unknown = tuple(finding for finding in findings if finding.status is Status.unknown)
    return Diagnosis(topic, walks, tuple(findings), tuple(causes(problems)), unknown)


def causes(problems: Sequence[Finding]) -> list[Cause]:
    """Every problem is in exactly one of them, as the cause or as a consequence."""
    above: dict[int, int | None] = {}
    for number, finding in enumerate(problems):
        upper = _cause_of(finding, problems)
        above[number] = None if upper is None or _root(upper, above) == number else upper
    found = []
    for number, finding in enumerate(problems):
        if above[number] is None:
            beneath = [problems[other] for other in above if other != number and _root(other, above) == number]
            found.append(Cause(finding, tuple(beneath)))
    return sorted(found, key=_rank)


def _cause_of(finding: Finding, problems: Sequence[Finding]) -> int | None:
    """Which of the problems explains this one; never one that this one explains."""
    candidates = [n for n, other in enumerate(problems) if _explains(other, finding) and not _explains(finding, other)]
    return min(candidates, key=lambda number: (_distance(problems[number], finding), number), default=None)


def _distance(cause: Finding, other: Finding) -> int:
    """The less, the more directly it explains the other."""
    if other.code in EXPLAINS.get(cause.code, ()) or keeps_down(cause, other):
        return 0
    return 1 if cause.about == other.about else 2


def _explains(cause: Finding, other: Finding) -> bool:
    if cause is other or other.itself or _are_of_two_models(cause, other) or _are_strangers(cause, other):
        return False
    if cause.status is Status.warning and other.status is Status.failed and not _suspicion(cause):
        return False
    if keeps_down(cause, other) or other.code in EXPLAINS.get(cause.code, ()):
        return True
    if cause.code in other.because_of and not is_of_another(cause, other):
        return True
    known = cause.category is Category.known_issues is not other.category
    return known and (cause.status is other.status or cause.status is Status.failed) and _same(cause, other)


def _suspicion(finding: Finding) -> bool:
    """A warning of what would be an error if it were sure."""
    return finding.status is Status.warning and finding.severity is Severity.error


def _same(cause: Finding, other: Finding) -> bool:
    """The same object, or one that is made for it and so has its name as a beginning."""
    if not cause.about or not other.about:
        return False
    one, two = _where(cause), _where(other)
    return one == two or two.startswith((f"{one}-predictor", f"{one}-kserve"))


def _are_of_two_models(one: Finding, other: Finding) -> bool:
    """What is wrong with one model explains nothing of another."""
    models = _model_of(one), _model_of(other)
    return all(models) and models[0] != models[1]


def _are_strangers(pods: Finding, model: Finding) -> bool:
    """A model is kept down by its own pods, which have its name as a beginning, and by nobody else's."""
    is_model = model.about.partition(" ")[0] in (INFERENCE_SERVICE.name, LLM_INFERENCE_SERVICE.name)
    of_one = pods.code in OF_PODS and "/" in pods.about
    return is_model and of_one and not _where(pods).startswith(f"{_where(model)}-")


def _model_of(finding: Finding) -> str:
    """ "llm/qwen3", for what is about it or its parts."""
    kind, _, _ = finding.about.partition(" ")
    where, part, _ = _where(finding).partition("-predictor")
    return where if part or kind in (INFERENCE_SERVICE.name, LLM_INFERENCE_SERVICE.name) else ""


def _where(finding: Finding) -> str:
    return finding.about.partition(" ")[2]


def _root(number: int, above: Mapping[int, int | None]) -> int:
    while (upper := above.get(number)) is not None:
        number = upper
    return number


def _rank(cause: Cause) -> tuple[bool, bool, int, str]:
    known = cause.finding.category is Category.known_issues
    return (not cause.is_failure, not known, -len(cause.consequences), cause.finding.code)


def ordered(diagnosis: Diagnosis) -> Iterator[Finding]:
    """Causes first, then what follows from them."""
    for cause in diagnosis.causes:
        yield cause.finding
    for cause in diagnosis.causes:
        yield from cause.consequences
