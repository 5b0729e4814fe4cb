"""hf:// as storageUri, which KServe before 0.15 refuses, and some builds of ODH do."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, INFERENCE_SERVICE
from maas.cluster.objects import Object, is_true, items, name, namespace, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Seen, failed
from maas.readiness.huggingface import direct
from maas.readiness.issues import known_issue
from maas.readiness.predictors import storage_uri
from maas.readiness.signs import called, events, few, image_version, said

CONTROLLER = "kserve-controller-manager"
_FIRST = (0, 15, 0)


@known_issue(
    "MAAS-405",
    "KServe knows hf:// as a place of models",
    sign='A model with storageUri hf://…, and: KServe older than 0.15.0, its log line "StorageUri [hf://…] is not '
    'supported", or an event that says so.',
    cause="KServe fetches from hf:// since 0.15.0; older ones, and builds without that change, refuse the model, and "
    "say so only in the controller's log.",
    mend="Let vLLM fetch the model itself: a container with --model=<organisation/model> in place of storageUri. Or "
    "update KServe to 0.15.0 or newer.",
    needs=(INFERENCE_SERVICE,),
    covers=("Issue 5: HuggingFace StorageUri Not Supported", "Model Deployment Failures"),
    explains=("MAAS-341",),
)
def unsupported(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    controllers = [each for each in facts.all(DEPLOYMENT) if name(each) == CONTROLLER]
    too_old = [seen for each in controllers if (seen := _too_old(each))]
    for model in facts.all(INFERENCE_SERVICE):
        uri = storage_uri(model)
        if not uri.startswith("hf://") or is_true(model, "Ready"):
            continue
        if signs := (*refusals(facts, model), *too_old):
            about = called(INFERENCE_SERVICE, model)
            yield failed(
                f"it is fetched from {uri}, which this KServe does not support",
                Seen(about, "spec.predictor.model.storageUri", uri),
                *few(signs),
                remedy=direct(facts, model),
                about=about,
            )


def refusals(facts: Facts, model: Object) -> tuple[Seen, ...]:
    """What the controller said of the model's storageUri."""
    logs = [log for log in facts.logs if log.pod.startswith(CONTROLLER)]
    told = said(logs, f"storageuri [{storage_uri(model)}", f"storageuri {storage_uri(model)}")
    return (*told, *events(facts, namespace(model), name(model), "storageuri"))


def _too_old(controller: Object) -> Seen | None:
    for container in items(controller, "spec", "template", "spec", "containers"):
        version = image_version(text(container, "image"))
        if text(container, "name") in ("manager", CONTROLLER) and version and version < _FIRST:
            return Seen(called(DEPLOYMENT, controller), "image", text(container, "image"))
    return None
