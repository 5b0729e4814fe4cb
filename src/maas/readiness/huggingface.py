"""A model that vLLM fetches from Hugging Face by itself, in place of KServe's storage initializer."""

from typing import Any

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_SERVING_RUNTIME, INFERENCE_SERVICE
from maas.cluster.objects import Object, items, name, namespace, text
from maas.readiness.findings import Remedy
from maas.readiness.predictors import SERVER, server, storage_uri, uses_gpu, volumes_with_empty

_VLLM = "vllm/vllm-openai:v0.10.2"  # the first that runs Qwen3 on every supported GPU, the T4 included
_CACHE = "/cache"  # writable under the random user of OpenShift
_HOME = {"HF_HOME": _CACHE, "HOME": _CACHE, "XDG_CACHE_HOME": _CACHE, "TRITON_CACHE_DIR": f"{_CACHE}/triton"}
_KEPT = ("env", "resources", "readinessProbe", "livenessProbe", "startupProbe", "securityContext", "volumeMounts")


def direct(facts: Facts, model: Object) -> Remedy:
    """The model's container with --model, on GPUs; on CPUs the image is for somebody to choose."""
    if not uses_gpu(model) and not _runtime_image(facts, model):
        return Remedy(
            "Give the model a container with its own image and --model=<organisation/model> in place of "
            "spec.predictor.model. Which image serves it without a GPU is yours to choose.",
            (f"kubectl edit {INFERENCE_SERVICE.key}/{name(model)} -n {namespace(model)}",),
        )
    body = {"spec": {"predictor": {"model": None, "containers": [_container(facts, model)]}}}
    body["spec"]["predictor"]["volumes"] = volumes_with_empty(model, "model-cache")  # type: ignore[assignment]
    why = "vLLM fetches the model itself"
    return Remedy(
        "Replace storageUri by a container that fetches the model itself.",
        changes=(Change(Verb.patch, INFERENCE_SERVICE, name(model), namespace(model), body, why),),
    )


def _container(facts: Facts, model: Object) -> dict[str, Any]:
    section = server(model)
    kept = {key: section[key] for key in _KEPT if key in section}
    named = {text(each, "name") for each in items(section, "env")}
    env = [{"name": key, "value": value} for key, value in _HOME.items() if key not in named]
    return {
        **kept,
        "name": SERVER,
        "image": text(section, "image") or _runtime_image(facts, model) or _VLLM,
        "args": _arguments(model),
        "env": [*items(section, "env"), *env],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "volumeMounts": [*items(section, "volumeMounts"), {"name": "model-cache", "mountPath": _CACHE}],
    }


def _arguments(model: Object) -> list[str]:
    given = [str(each) for each in server(model).get("args") or [] if not str(each).startswith(("--model", "--port"))]
    if not any(each.startswith("--served-model-name") for each in given):
        given.insert(0, f"--served-model-name={name(model)}")
    return [f"--model={storage_uri(model).removeprefix('hf://')}", "--port=8080", *given]


def _runtime_image(facts: Facts, model: Object) -> str:
    """Of the runtime that the model names, if that is vLLM."""
    named = text(model, "spec", "predictor", "model", "runtime")
    runtimes = [each for each in facts.known(CLUSTER_SERVING_RUNTIME) if name(each) == named]
    images = [text(each, "image") for runtime in runtimes for each in items(runtime, "spec", "containers")]
    return next((image for image in images if "vllm" in image), "")
