"""A model that vLLM fetches from Hugging Face by itself, in place of KServe's storage initializer."""

from collections.abc import Mapping
from typing import Any

from maas.cluster.changes import Change, edit
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_SERVING_RUNTIME, INFERENCE_SERVICE
from maas.cluster.objects import Object, items, name, namespace, text, texts
from maas.cluster.shell import word
from maas.readiness.findings import Remedy
from maas.readiness.predictors import (
    REPORTS_USAGE,
    SERVER,
    USAGE,
    server,
    storage_uri,
    uses_gpu,
    with_empty_volume,
    with_env,
    with_mount,
)
from maas.readiness.signs import image_version

_VLLM = "vllm/vllm-openai:v0.10.2"  # the first that runs Qwen3 on every supported GPU, the T4 included
_CACHE = "/cache"  # writable under the random user of OpenShift
_HOME = {"HF_HOME": _CACHE, "HOME": _CACHE, "XDG_CACHE_HOME": _CACHE, "TRITON_CACHE_DIR": f"{_CACHE}/triton"}
_MOVED = (
    "env",
    "envFrom",
    "resources",
    "readinessProbe",
    "livenessProbe",
    "startupProbe",
    "securityContext",
    "volumeMounts",
)
_OLD, _NEW = "/spec/predictor/model", "/spec/predictor/containers/0"


def direct(facts: Facts, model: Object) -> Remedy:
    """The model's container with --model, on GPUs; on CPUs the image is for somebody to choose."""
    image = text(server(model), "image") or _runtime_image(facts, model) or (_VLLM if uses_gpu(model) else "")
    if not image:
        return Remedy(
            "Give the model a container with its own image and --model=<organisation/model> in place of "
            "spec.predictor.model. Which image serves it without a GPU is yours to choose.",
            (f"kubectl edit {INFERENCE_SERVICE.key}/{word(name(model))} -n {word(namespace(model))}",),
        )
    return Remedy(
        "Replace storageUri by a container that fetches the model itself.",
        changes=(_container_for_model(model, image),),
    )


def _container_for_model(model: Object, image: str) -> Change:
    """What the section says of the container moves within the server: its variables may hold secrets."""
    section = server(model)
    ports = [{"containerPort": 8080, "protocol": "TCP"}]
    container: dict[str, Any] = {"name": SERVER, "image": image, "args": _arguments(model, image), "ports": ports}
    operations: list[Mapping[str, Any]] = [
        {"op": "test", "path": f"{_OLD}/storageUri", "value": storage_uri(model)},
        {"op": "add", "path": "/spec/predictor/containers", "value": [container]},
        *({"op": "move", "from": f"{_OLD}/{key}", "path": f"{_NEW}/{key}"} for key in _MOVED if key in section),
        *with_env(_HOME)(section, _NEW),
        *with_mount("model-cache", _CACHE)(section, _NEW),
        *with_empty_volume(model, "model-cache")(section, _NEW),
        {"op": "remove", "path": _OLD},
    ]
    return edit(INFERENCE_SERVICE, name(model), namespace(model), operations, "vLLM fetches the model itself")


def _arguments(model: Object, image: str) -> list[str]:
    """Also that streams end with their usage, where the version is known to be able to: see MAAS-419."""
    given = [each for each in texts(server(model), "args") if not each.startswith(("--model", "--port"))]
    if not any(each.startswith("--served-model-name") for each in given):
        given.insert(0, f"--served-model-name={name(model)}")
    if "vllm" in image and (image_version(image) or (0, 0, 0)) >= REPORTS_USAGE and USAGE not in given:
        given.append(USAGE)
    return [f"--model={storage_uri(model).removeprefix('hf://')}", "--port=8080", *given]


def _runtime_image(facts: Facts, model: Object) -> str:
    """Of the runtime that the model names, if that is vLLM."""
    named = text(model, "spec", "predictor", "model", "runtime")
    runtimes = [each for each in facts.known(CLUSTER_SERVING_RUNTIME) if name(each) == named]
    images = [text(each, "image") for runtime in runtimes for each in items(runtime, "spec", "containers")]
    return next((image for image in images if "vllm" in image), "")
