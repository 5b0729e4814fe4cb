"""A model's new version waits for a GPU that its old version holds."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE, POD
from maas.cluster.objects import Object, condition, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed
from maas.readiness.issues import known_issue
from maas.readiness.predictors import patched
from maas.readiness.signs import called, is_ready, pods_of, quoted


@known_issue(
    "MAAS-417",
    "a model's update does not wait for its own GPU",
    sign="A pod of a model that is Pending for want of nvidia.com/gpu, beside an older one of the same model that "
    "runs, with the strategy RollingUpdate.",
    cause="A rolling update starts the new pod before it stops the old one, and so needs a second GPU. Where there is "
    "none, both wait for each other for ever.",
    mend="Set spec.predictor.deploymentStrategy.type: Recreate: the old pod stops first. The model is away meanwhile.",
    needs=(INFERENCE_SERVICE,),
    covers=("Model Deployment Failures",),
    explains=("MAAS-363",),
)
def deadlock(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for model in facts.all(INFERENCE_SERVICE):
        if text(model, "spec", "predictor", "deploymentStrategy", "type") == "Recreate":
            continue
        pods = pods_of(facts, model)
        old = [pod for pod in pods if is_ready(pod)]
        new = [pod for pod in pods if _wants_gpu(pod) and _template(pod) not in {_template(each) for each in old}]
        if not old or not new:
            continue
        about, scheduled = called(INFERENCE_SERVICE, model), condition(new[0], "PodScheduled")
        strategy = {"deploymentStrategy": {"type": "Recreate", "rollingUpdate": None}}
        yield failed(
            "its new pod waits for the GPU that its old one holds",
            Seen(called(POD, new[0]), "status.conditions[PodScheduled]", quoted(text(scheduled, "message"))),
            Seen(called(POD, old[0]), "status.phase", "Running"),
            remedy=Remedy(
                "Stop the old pod first. The model is away until the new one is ready.",
                changes=(patched(model, strategy, "one GPU is enough then"),),
            ),
            about=about,
        )


def _wants_gpu(pod: Object) -> bool:
    """Not one that lacks a toleration, though the taint is of nvidia.com/gpu."""
    scheduled = condition(pod, "PodScheduled")
    return text(scheduled, "status") == "False" and "nsufficient nvidia.com/" in text(scheduled, "message")


def _template(pod: Object) -> str:
    """Which version of the Deployment it is of; a replica more is no update."""
    return text(pod, "metadata", "labels", "pod-template-hash")
