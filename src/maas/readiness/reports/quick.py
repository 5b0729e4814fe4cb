"""The "quick validation commands" that people know, answered from the facts: what each would have shown.

Bounded: a cluster of a thousand nodes still fits on the first screen.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from maas.cluster import kinds
from maas.cluster.facts.model import Facts, NotRead, Unread
from maas.cluster.facts.redaction import scrubbed
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, condition, flag, is_true, items, label, name, namespace, place, text
from maas.readiness.catalogue import Asked, Target
from maas.readiness.wording import count

_ROWS = 8
Row = tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """note: in place of rows: why there are none."""

    about: str
    command: str
    columns: Row = ()
    rows: Sequence[Row] = ()
    more: int = 0
    note: str = ""


@dataclass(frozen=True)
class _Question:
    about: str
    command: str
    columns: Row
    rows: Callable[[Facts], Iterable[Row]]
    kind: Kind | None = None
    target: Target | None = None  # asked there alone


def quick(facts: Facts, asked: Asked) -> list[Answer]:
    wanted = [each for each in _QUESTIONS if each.target in (None, asked.target)]
    return [_answer(each, facts) for each in wanted]


def _answer(question: _Question, facts: Facts) -> Answer:
    bare = Answer(question.about, question.command)
    try:
        rows = list(question.rows(facts))
        served = not question.kind or bool(rows) or facts.serves(question.kind)
    except NotRead as missing:
        return _noted(bare, f"not read: {scrubbed(missing.unread.reason)}")
    if not rows:
        return _noted(bare, "none" if served else "none: the cluster does not serve this API")
    shown = [tuple(map(scrubbed, row)) for row in rows[:_ROWS]]
    return Answer(bare.about, bare.command, question.columns, shown, len(rows) - len(shown))


def _noted(answer: Answer, note: str) -> Answer:
    return Answer(answer.about, answer.command, note=note)


def _versions(facts: Facts) -> Iterable[Row]:
    for version in facts.known(kinds.CLUSTER_VERSION):
        yield "OpenShift", text(version, "status", "desired", "version") or _newest(version)
    if isinstance(facts.version, Unread):
        raise NotRead(facts.version)
    yield "Kubernetes", text(facts.version, "gitVersion")


def _newest(version: Object) -> str:
    done = [each for each in items(version, "status", "history") if text(each, "state") == "Completed"]
    return text(done[0], "version") if done else ""


def _operators(facts: Facts) -> Iterable[Row]:
    for csv in facts.all(kinds.CSV):
        if not label(csv, "olm.copiedFrom"):
            yield namespace(csv), name(csv), text(csv, "status", "phase")


def _gpus(facts: Facts) -> Iterable[Row]:
    """Those with GPUs; the others are counted in the last row."""
    nodes = facts.all(kinds.NODE)
    having = [node for node in nodes if _gpu_count(node) or label(node, "nvidia.com/gpu.present")]
    for node in having:
        product, present = (label(node, f"nvidia.com/gpu.{each}") for each in ("product", "present"))
        yield name(node), present or "-", product or "-", _gpu_count(node) or "0"
    if nodes and not having:
        yield f"({count(len(nodes), 'node')})", "-", "-", "0"


def _gpu_count(node: Object) -> str:
    counted = text(node, "status", "capacity", "nvidia.com/gpu")
    return "" if counted == "0" else counted


def _classes(facts: Facts) -> Iterable[Row]:
    for each in facts.all(kinds.STORAGE_CLASS):
        default = text(each, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") == "true"
        expands = "yes" if flag(each, "allowVolumeExpansion") else "no"
        shown = f"{name(each)} (default)" if default else name(each)
        yield shown, text(each, "provisioner"), text(each, "volumeBindingMode") or "Immediate", expands


def _ready(kind: Kind) -> Callable[[Facts], Iterable[Row]]:
    def rows(facts: Facts) -> Iterable[Row]:
        for each in facts.all(kind):
            said = condition(each, "Ready")
            yield place(each), text(said, "status") or "-", text(said, "reason") or text(each, "status", "phase") or "-"

    return rows


def _gateway_classes(facts: Facts) -> Iterable[Row]:
    for each in facts.all(kinds.GATEWAY_CLASS):
        accepted = "True" if is_true(each, "Accepted") else text(condition(each, "Accepted"), "status") or "Unknown"
        yield name(each), text(each, "spec", "controllerName"), accepted


_READY = ("NAME", "READY", "REASON")
_QUESTIONS = (
    _Question("version", "oc version", ("WHAT", "VERSION"), _versions, target=Target.openshift),
    _Question("version", "kubectl version", ("WHAT", "VERSION"), _versions, target=Target.kubernetes),
    _Question(
        "operators", "oc get csv -A", ("NAMESPACE", "NAME", "PHASE"), _operators, kinds.CSV, target=Target.openshift
    ),
    _Question(
        "GPUs",
        "kubectl get nodes -L nvidia.com/gpu.present,nvidia.com/gpu.product",
        ("NAME", "PRESENT", "PRODUCT", "GPU"),
        _gpus,
    ),
    _Question(
        "storage classes",
        "kubectl get storageclass",
        ("NAME", "PROVISIONER", "BINDING", "EXPANDS"),
        _classes,
    ),
    _Question("Service Mesh", "kubectl get smcp -A", _READY, _ready(kinds.SMCP), kinds.SMCP, target=Target.openshift),
    _Question(
        "Service Mesh members", "kubectl get smmr -A", _READY, _ready(kinds.SMMR), kinds.SMMR, target=Target.openshift
    ),
    _Question(
        "OpenShift AI",
        "kubectl get datasciencecluster",
        _READY,
        _ready(kinds.DATA_SCIENCE_CLUSTER),
        kinds.DATA_SCIENCE_CLUSTER,
        target=Target.openshift,
    ),
    _Question(
        "Gateway API",
        "kubectl get gatewayclasses",
        ("NAME", "CONTROLLER", "ACCEPTED"),
        _gateway_classes,
        kinds.GATEWAY_CLASS,
    ),
)
