"""Under OpenShift's random user the model's server may not write where it caches."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE
from maas.cluster.objects import Object
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, failed
from maas.readiness.issues import known_issue
from maas.readiness.predictors import edited, is_vllm, with_empty_volume, with_env, with_mount
from maas.readiness.signs import called, few, last_words, logs_of, pods_of, said, unheard

_LINES = tuple(
    f"Permission denied: '{folder}" for folder in ("/.cache", "/.config", "/.triton", "/root/", "/home/", "/.local")
)
_CACHE = "/cache"
_HOMES = {
    "HOME": _CACHE,
    "HF_HOME": f"{_CACHE}/huggingface",
    "XDG_CACHE_HOME": f"{_CACHE}/xdg",
    "VLLM_CACHE_ROOT": f"{_CACHE}/vllm",
    "TRITON_CACHE_DIR": f"{_CACHE}/triton",
}


@known_issue(
    "MAAS-420",
    "models may write to their caches",
    sign="A model's log (also of the run before), or what its container last said: \"Permission denied: '/.cache\" and "
    "the like.",
    cause="OpenShift runs containers under a random user without a home. Hugging Face, Triton and vLLM then try to "
    "write to /, and the server exits.",
    mend="An emptyDir, and HOME, HF_HOME, XDG_CACHE_HOME, VLLM_CACHE_ROOT and TRITON_CACHE_DIR that point into it.",
    needs=(INFERENCE_SERVICE,),
    covers=("Model Deployment Failures",),
)
def denied(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for model in facts.all(INFERENCE_SERVICE):
        pods = pods_of(facts, model)
        if seen := [*said(logs_of(facts, pods), *_LINES), *last_words(pods, *_LINES)]:
            about = called(INFERENCE_SERVICE, model)
            yield failed("it may not write to its cache", *few(seen), remedy=_remedy(model), about=about)
    yield from unheard(facts, filter(is_vllm, facts.all(INFERENCE_SERVICE)))


def _remedy(model: Object) -> Remedy:
    change = edited(
        model,
        with_env(_HOMES),
        with_mount("model-cache", _CACHE),
        with_empty_volume(model, "model-cache"),
        why="caches go to a volume that its user may write to",
    )
    return Remedy("Give it a volume for its caches.", changes=(change,))
