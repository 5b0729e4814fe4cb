"""Another version of vLLM for a model that is there: which one its GPU can run, and the change of the model."""

import re

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NODE
from maas.cluster.objects import Object, label, name, text
from maas.models.sizing import vllm
from maas.readiness.findings import Remedy
from maas.readiness.predictors import Edit, arguments, edited, server, with_env, with_flags, with_image

IMAGE = "vllm/vllm-openai"  # the images whose tags are vLLM's versions
NEW = "v0.10.2"  # Triton 3.4: the first that compiles for Turing again
LAST_FOR_VOLTA = "v0.8.5.post1"
ON_TURING = with_flags(dtype="float16", enforce_eager=True)
OLD_ENGINE = with_env({"VLLM_USE_V1": "0", "VLLM_ATTENTION_BACKEND": "XFORMERS"})


def reimaged(model: Object, tag: str, *edits: Edit, why: str) -> Remedy:
    """tag: "" if the version is right, and only the edits are wanted. Told, where the image is nobody's we know."""
    repository = re.sub(r":[^/]*$", "", text(server(model), "image"))
    knows_image = not tag or repository.endswith(IMAGE)
    if not knows_image or starts_by_shell(model):
        wanted = f"vLLM {tag}, or an image that is built from it" if tag else "--dtype=float16"
        return Remedy(f"Give the model's container {wanted}; on GPUs before Ampere with --dtype=float16.")
    image = (with_image(f"{repository}:{tag}"),) if tag else ()
    return Remedy(
        "Change the version and the flags of the model's server.", changes=(edited(model, *image, *edits, why=why),)
    )


def newer(model: Object, capability: int, why: str) -> Remedy:
    """One that loads what an old one does not know; capability: of its GPU, 0 if nobody says."""
    if vllm.VOLTA <= capability < vllm.TURING:
        return reimaged(model, LAST_FOR_VOLTA, OLD_ENGINE, with_flags(dtype="float16"), why=why)
    on_gpu = (ON_TURING,) if vllm.TURING <= capability < vllm.AMPERE else ()
    return reimaged(model, NEW, *on_gpu, why=why)


def starts_by_shell(model: Object) -> bool:
    """A script's flags are inside one string, which no rule here can edit safely."""
    return any(argument == "-c" for argument in arguments(server(model))[:3])


def capability_of(facts: Facts, pod: Object) -> int:
    """Of its node's GPU, times ten, as sizing has it; 0 if the labels do not say. Raises NotRead."""
    return facts.derived(_capabilities).get(text(pod, "spec", "nodeName"), 0)


def _capabilities(facts: Facts) -> dict[str, int]:
    return {name(node): _capability(node) for node in facts.all(NODE)}


def _capability(node: Object) -> int:
    digits = label(node, "nvidia.com/gpu.compute.major") + label(node, "nvidia.com/gpu.compute.minor")
    return int(digits) if digits.isdecimal() else 0
