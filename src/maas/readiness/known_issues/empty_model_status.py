"""A model about which KServe says nothing at all: its status stays empty."""

from collections.abc import Iterator
from datetime import datetime

from maas.cluster.changes import restart
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, INFERENCE_SERVICE
from maas.cluster.objects import Object, mapping, name, namespace, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed
from maas.readiness.huggingface import direct
from maas.readiness.issues import known_issue
from maas.readiness.known_issues.hf_storage_uri import CONTROLLER, refusals
from maas.readiness.predictors import storage_uri
from maas.readiness.signs import available, called, few

_LONG_ENOUGH = 120  # seconds in which a controller that works has said something


@known_issue(
    "MAAS-411",
    "KServe says something about every model",
    sign="An InferenceService older than two minutes with an empty status.",
    cause="KServe writes its reasons to its own log only, where it refuses a model's storageUri (hf:// above all); and "
    "says nothing where its controller does not run.",
    mend="With hf://, let vLLM fetch the model itself. Otherwise bring the controller up and look into its log.",
    needs=(INFERENCE_SERVICE,),
    after=("MAAS-405",),
    covers=("Model Deployment Failures", "Issue 5: HuggingFace StorageUri Not Supported"),
    explains=("MAAS-341",),
)
def nothing_said(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    controllers = [each for each in facts.all(DEPLOYMENT) if name(each) == CONTROLLER]
    for model in facts.all(INFERENCE_SERVICE):
        if mapping(model, "status") or _age(model, facts.taken_at) < _LONG_ENOUGH:
            continue
        about, uri = called(INFERENCE_SERVICE, model), storage_uri(model)
        seen = Seen(about, "status", "empty")
        if uri.startswith("hf://"):
            source = Seen(about, "spec.predictor.model.storageUri", uri)
            message = f"KServe says nothing of it: likely it refuses {uri}"
            yield failed(message, seen, source, *few(refusals(facts, model)), remedy=direct(facts, model), about=about)
        else:
            states = [Seen(called(DEPLOYMENT, c), "status.availableReplicas", str(available(c))) for c in controllers]
            message = "KServe says nothing of it: its controller does not look at it"
            yield failed(message, seen, *few(states), remedy=_remedy(controllers), about=about)


def _age(object: Object, now: float) -> float:
    """In seconds; very old if nobody knows."""
    try:
        return now - datetime.fromisoformat(text(object, "metadata", "creationTimestamp")).timestamp()
    except ValueError:
        return float("inf")


def _remedy(controllers: list[Object]) -> Remedy:
    if not controllers:
        return Remedy("Install KServe's controller: `maas install` does it.", step="kserve")
    homes = sorted({namespace(each) for each in controllers})
    return Remedy(
        "Restart KServe's controller, and look into its log.",
        tuple(f"kubectl logs -n {word(home)} deployment/{CONTROLLER} --tail=50" for home in homes),
        tuple(restart(DEPLOYMENT, CONTROLLER, home, why="it looks at every model as it starts") for home in homes),
    )
