"""A model is reported as failed while it still loads: its Deployment's deadline is shorter than the download."""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, INFERENCE_SERVICE, POD
from maas.cluster.objects import Object, condition, items, mapping, name, namespace, number, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, is_ready, pods_of, restarts, waiting_reasons

_LONG = 3600  # seconds; a download of 60 GB at 20 MB/s
_LOADING = frozenset({"ContainerCreating", "PodInitializing"})


@known_issue(
    "MAAS-416",
    "models have the time to load",
    sign="Deployment of a model with ProgressDeadlineExceeded while its pod still pulls its image, fetches or loads "
    "its weights, and never restarted.",
    cause="A Deployment gives its pods ten minutes. Big images and weights take longer; then KServe calls the model "
    "failed, though nothing is wrong and it becomes ready by itself.",
    mend="Wait, or raise progressDeadlineSeconds of the Deployment. KServe may set it back: keep weights on a volume, "
    "or pull the image beforehand, so that starting is quick.",
    needs=(INFERENCE_SERVICE,),
    covers=("Model Deployment Failures",),
    explains=("MAAS-342",),
)
def still_loading(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    deployments = {(namespace(each), name(each)): each for each in facts.all(DEPLOYMENT)}
    for model in facts.all(INFERENCE_SERVICE):
        deployment = deployments.get((namespace(model), f"{name(model)}-predictor"))
        if deployment is None or not _is_over(deployment):
            continue
        if loading := [pod for pod in pods_of(facts, model) if not is_ready(pod) and _loads(pod)]:
            about = called(INFERENCE_SERVICE, model)
            yield failed(
                f"it is called failed, but is still {_loads(loading[0])}",
                Seen(called(DEPLOYMENT, deployment), "status.conditions[Progressing]", "ProgressDeadlineExceeded"),
                *few([Seen(called(POD, pod), "status", _loads(pod)) for pod in loading]),
                remedy=_remedy(deployment),
                about=about,
            )


def _is_over(deployment: Object) -> bool:
    """With an hour given already, time is not what it lacks."""
    allowed = number(deployment, "spec", "progressDeadlineSeconds") or 600
    return text(condition(deployment, "Progressing"), "reason") == "ProgressDeadlineExceeded" and allowed < _LONG


def _loads(pod: Object) -> str:
    """What it is at; "" if it is at nothing that only takes time."""
    if restarts(pod) or text(condition(pod, "PodScheduled"), "status") == "False":
        return ""
    waiting = waiting_reasons(pod)
    if any(reason not in _LOADING for reason in waiting):
        return ""
    if any(mapping(each, "state", "running") for each in items(pod, "status", "initContainerStatuses")):
        return "fetching its weights"
    if waiting:
        return "pulling its image"
    running = any(mapping(each, "state", "running") for each in items(pod, "status", "containerStatuses"))
    return "loading its weights" if running else ""


def _remedy(deployment: Object) -> Remedy:
    body = {"spec": {"progressDeadlineSeconds": _LONG}}
    change = Change(Verb.patch, DEPLOYMENT, name(deployment), namespace(deployment), body, "an hour, not ten minutes")
    whose = f"{word(name(deployment))} -n {word(namespace(deployment))}"
    return Remedy(
        "Wait: it becomes ready by itself. Give it more time to do so; KServe may set this back.",
        (f"kubectl rollout status deployments.apps/{whose} --timeout=1h",),
        (change,),
    )
