"""A Service named `vllm` gives every pod beside it a variable VLLM_PORT, which vLLM takes for its own."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE, SERVICE
from maas.cluster.objects import Object, at, is_true, items, name, namespace, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.predictors import is_vllm, patched, server
from maas.readiness.signs import called, few, last_words, logs_of, pods_of, said, unheard

_LINE = "VLLM_PORT appears to be a URI"


@known_issue(
    "MAAS-415",
    "no Service's name collides with vLLM's variables",
    sign='The log line "VLLM_PORT appears to be a URI", or a Service named vllm beside a model on vLLM whose pods get '
    "variables of Services.",
    cause="For a Service named vllm Kubernetes sets VLLM_PORT=tcp://… in every pod of its namespace that starts later. "
    "vLLM reads that variable as its own port, and exits.",
    mend="Set enableServiceLinks: false in the model's predictor, or give the Service another name.",
    needs=(INFERENCE_SERVICE,),
    explains=("MAAS-341", "MAAS-342", "MAAS-361"),
    covers=("Model Deployment Failures",),
)
def collision(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    services = {namespace(each): each for each in facts.all(SERVICE) if name(each) == "vllm"}
    silent = []
    for model in facts.all(INFERENCE_SERVICE):
        if at(model, "spec", "predictor", "enableServiceLinks") is False:
            continue
        outcome = _judged(facts, model, services.get(namespace(model)))
        if outcome:
            yield outcome
        else:
            silent.append(model)
    yield from unheard(facts, filter(is_vllm, silent))


def _judged(facts: Facts, model: Object, service: Object | None) -> Outcome | None:
    pods, about = pods_of(facts, model), called(INFERENCE_SERVICE, model)
    told = [*said(logs_of(facts, pods), _LINE), *last_words(pods, _LINE)]
    seen = (*few(told), *([Seen(called(SERVICE, service))] if service else []))
    if told and not is_true(model, "Ready"):
        message = "vLLM took the variable VLLM_PORT, which a Service gave it, for its own port"
        return failed(message, *seen, remedy=_remedy(model), about=about)
    if service and _is_exposed(model):
        effect = (
            "its next pod will likely not start" if is_true(model, "Ready") else "likely that is why it does not start"
        )
        return warning(f"a Service named vllm is beside it: {effect}", *seen, remedy=_remedy(model), about=about)
    return None


def _is_exposed(model: Object) -> bool:
    return is_vllm(model) and "VLLM_PORT" not in {text(each, "name") for each in items(server(model), "env")}


def _remedy(model: Object) -> Remedy:
    change = patched(model, {"enableServiceLinks": False}, "its pods get no variables of Services")
    return Remedy("Keep the variables of Services away from the model.", changes=(change,))
