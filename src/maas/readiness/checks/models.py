"""Models: deployed, ready, and in the mode that the gateway's routes expect."""

from collections.abc import Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import Kind
from maas.cluster.objects import (
    Object,
    annotation,
    condition,
    is_current,
    items,
    label,
    mapping,
    name,
    namespace,
    number,
    text,
)
from maas.cluster.shell import word
from maas.cluster.stack import ours
from maas.readiness import conditions
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.checks.services import ready_endpoints
from maas.readiness.evidence import brief, names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, warning

_COVERS = ("Model Deployment Failures", "3. Red Hat OpenShift AI (RHOAI)")
_NONE = "no model is deployed: MAAS-340"
_STOP = "serving.kserve.io/stop"
_MODE = "serving.kserve.io/deploymentMode"


@check(
    "MAAS-340",
    "a model is deployed",
    Category.models,
    phases=AFTER,
    wanted="an InferenceService, an LLMInferenceService, or a route to something else that serves a model",
    looks="InferenceServices and LLMInferenceServices in all namespaces; else what the gateway's routes lead to.",
    why="Without a model the platform has nothing to offer.",
    mend="Install one: maas install --simulator needs no GPU.",
    covers=_COVERS,
)
def deployed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = [ours.shown(*each) for each in ours.models(facts)] or _by_others(facts, asked)
    if found:
        yield passed(names(found))
    else:
        remedy = Remedy(
            "Deploy one; the simulated one needs no GPU.", ("kubectl get inferenceservices -A",), step="models"
        )
        yield failed("there is no InferenceService and no LLMInferenceService", remedy=remedy)


def _by_others(facts: Facts, asked: Asked) -> list[str]:
    """What routes lead to that answers: a plain Deployment of vLLM serves models, too."""
    routes = ours.routes(facts, ours.gateways(facts, asked.namespace))
    backends = dict.fromkeys(backend for route in routes for backend in ours.backends(route))
    return [f"{b.kind} {b.namespace}/{b.name}" for b in backends if b.kind == "InferencePool" or _answers(facts, b)]


def _answers(facts: Facts, backend: ours.Target) -> bool:
    service = facts.one(kinds.SERVICE, backend.name, backend.namespace)
    return service is not None and ready_endpoints(facts, service) > 0


@check(
    "MAAS-341",
    "models are ready",
    Category.models,
    phases=AFTER,
    wanted="the condition Ready is True, for the newest spec",
    looks="status.conditions, status.modelStatus and lastFailureInfo of each.",
    why="A model that is not ready answers 503, or nothing.",
    mend="Look at the condition that is False, and at the pods: MAAS-36x; maas doctor model NAME.",
    covers=_COVERS,
    after=(
        "MAAS-360",
        "MAAS-361",
        "MAAS-362",
        "MAAS-363",
        "MAAS-364",
        "MAAS-402",
        "MAAS-405",
        "MAAS-411",
        "MAAS-415",
        "MAAS-416",
        "MAAS-420",
        "MAAS-421",
        "MAAS-422",
        "MAAS-424",
    ),
)
def ready(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = ours.models(facts)
    if not found:
        yield skipped(_NONE)
        return
    bad = [outcome for kind, model in found if (outcome := _not_ready(kind, model))]
    yield from bad
    if not bad:
        yield passed(f"{names(name(model) for _, model in found)}")


def _not_ready(kind: Kind, model: Object) -> Outcome | None:
    about, overall = ours.shown(kind, model), condition(model, "Ready")
    if annotation(model, _STOP) == "true":
        return warning(f"is stopped by its annotation {_STOP}", Seen(about, _STOP, "true"), about=about)
    if text(overall, "status") == "True":
        if is_current(model, overall):
            return None
        return warning("its status is of an older spec", remedy=conditions.describe(about), about=about)
    remedy = Remedy(
        "Look at what keeps it from being ready.",
        (
            f"maas doctor model {word(name(model))}",
            f"kubectl describe {kind.plural} {word(name(model))} -n {word(namespace(model))}",
        ),
    )
    if not mapping(model, "status"):
        said = "has no status: KServe has not taken it up"
        return failed(said, Seen(about, "status", "none"), remedy=remedy, about=about)
    said = f"is not ready: {'; '.join(_reasons(model, overall))}"
    return failed(said, *_evidence(about, model, overall), remedy=remedy, about=about)


def _false(model: Object) -> list[Object]:
    """Conditions that are not true, but for Ready, which only sums them up; Stopped is good when it is not true."""
    found = items(model, "status", "conditions")
    return [c for c in found if text(c, "status") == "False" and text(c, "type") not in ("Ready", "Stopped")]


def _reasons(model: Object, overall: Object) -> list[str]:
    said = [f"{text(each, 'type')}: {conditions.why(each)}" for each in _false(model)[:3]]
    if failure := mapping(model, "status", "modelStatus", "lastFailureInfo"):
        code = number(failure, "exitCode")
        told = f"last failure {text(failure, 'reason')}: {brief(text(failure, 'message'))}"
        said.append(told + (f" (exit code {code})" if code is not None else ""))
    return said or [conditions.why(overall)]


def _evidence(about: str, model: Object, overall: Object) -> Iterator[Seen]:
    for each in (overall, *_false(model)[:3]):
        type = text(each, "type") or "Ready"
        yield Seen(about, f"status.conditions[{type}]", f"{conditions.status(each)} {text(each, 'reason')}".strip())
    if state := text(model, "status", "modelStatus", "transitionStatus"):
        yield Seen(about, "status.modelStatus.transitionStatus", state)


@check(
    "MAAS-342",
    "models have the replicas that they want",
    Category.models,
    phases=AFTER,
    severity=Severity.warning,
    wanted="as many available replicas as are asked for",
    looks="Deployments of models: status.availableReplicas against spec.replicas.",
    why="A model may be ready with one of three replicas: slower, and without a spare.",
    mend="Look at the pods that are missing: MAAS-36x.",
    covers=("CPU Models",),
    after=("MAAS-341", "MAAS-360", "MAAS-361", "MAAS-363"),
)
def replicas(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = [each for each in facts.all(kinds.DEPLOYMENT) if _model_of(each)]
    if not found:
        yield skipped("no model has a Deployment" if facts.known(kinds.INFERENCE_SERVICE) else _NONE)
        return
    short = [(each, *counts) for each in found if (counts := _counts(each))[1] < counts[0]]
    for each, wanted, available in short:
        about = ours.shown(kinds.DEPLOYMENT, each)
        said = f"{available} of {wanted} replicas are available{_progress(each)}"
        seen = Seen(about, "status.availableReplicas", str(available))
        yield failed(said, seen, remedy=conditions.describe(about), about=about)
    if not short:
        yield passed(f"{sum(_counts(each)[1] for each in found)} replicas of {len(found)} Deployments are available")


def _model_of(deployment: Object) -> str:
    labels = mapping(deployment, "spec", "template", "metadata", "labels")
    return label(deployment, "serving.kserve.io/inferenceservice") or text(labels, "serving.kserve.io/inferenceservice")


def _counts(deployment: Object) -> tuple[int, int]:
    """Wanted and available."""
    wanted = number(deployment, "spec", "replicas")
    return (1 if wanted is None else wanted), number(deployment, "status", "availableReplicas") or 0


def _progress(deployment: Object) -> str:
    found = condition(deployment, "Progressing")
    return f" ({conditions.why(found)})" if text(found, "status") == "False" else ""


@check(
    "MAAS-343",
    "models are deployed in the mode that routes expect",
    Category.models,
    phases=AFTER,
    severity=Severity.warning,
    wanted="Standard (RawDeployment): a Service that an HTTPRoute can name",
    looks="The annotation serving.kserve.io/deploymentMode, status.deploymentMode, and whether Knative is there.",
    why="In Serverless mode Knative's gateway serves the model, past the platform's gateway, its keys and its limits.",
    mend="Annotate the InferenceService with serving.kserve.io/deploymentMode: Standard, and create it anew.",
    covers=("2. OpenShift Serverless (OpenShift Only)", *_COVERS),
    after=("MAAS-341",),
)
def mode(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = facts.all(kinds.INFERENCE_SERVICE)
    if not found:
        yield skipped("there is no InferenceService")
        return
    serverless = [model for model in found if _mode(model) in ("Serverless", "Knative")]
    for model in serverless[:5]:
        about = ours.shown(kinds.INFERENCE_SERVICE, model)
        whose = f"{word(name(model))} -n {word(namespace(model))}"
        command = f"kubectl annotate inferenceservice {whose} --overwrite {_MODE}=Standard"
        remedy = Remedy("Use Standard mode; KServe takes it up when the object is created anew.", (command,))
        said = "is served by Knative, past the gateway's policies"
        yield failed(said, Seen(about, "deploymentMode", _mode(model)), remedy=remedy, about=about)
    if not serverless:
        yield passed(_modes(found))


def _modes(found: Sequence[Object]) -> str:
    known = sorted({_mode(model) or "the cluster's default" for model in found})
    return f"{len(found)} InferenceServices: {names(known)}"


def _mode(model: Object) -> str:
    return text(model, "status", "deploymentMode") or annotation(model, _MODE)
