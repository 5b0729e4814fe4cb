"""vLLM ends before it serves, and says why: too old for the model, no room for its context, weights that it cannot get.

The lines are those that maas.models.troubles knows; here is what to do about them in a cluster. What is a matter of
compilers and GPUs is MAAS-402's.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE
from maas.cluster.objects import Object, annotation, is_true, items, name, namespace, place, text
from maas.cluster.shell import word
from maas.models import troubles
from maas.models.sizing import vllm
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, shown, warning
from maas.readiness.issues import known_issue
from maas.readiness.predictors import arguments, edited, is_vllm, server, storage_uri, with_flags
from maas.readiness.signs import called, image_version, logs_of, pods_of, quoted, unheard
from maas.readiness.vllm_images import IMAGE, capability_of, newer, starts_by_shell

_FAMILIES = (  # by the names of models and of architectures
    ("qwen3_moe", r"qwen3_?moe|qwen-?3-\d+b-a\d+b"),
    ("qwen3", r"qwen3forcausallm|qwen-?3-[\d.]+b"),
    ("gemma3", r"gemma-?3for|gemma-3-\d"),
    ("llama4", r"llama-?4"),
    ("gpt_oss", r"gpt-?oss"),
)
_ESTIMATE = re.compile(r"estimated maximum model length is (\d+)")


@known_issue(
    "MAAS-422",
    "models' servers can start",
    sign="What the server of a model that is not ready said last (its log, also of the run before, its last words, "
    'lastFailureInfo): "Model architectures [...] are not supported", "larger than the available KV cache memory", '
    '"Free memory on device ... is less than desired", "GatedRepoError", huggingface.co out of reach, "unrecognized '
    'arguments". A vLLM that is older than its model is suspected by its version.',
    cause="The server ends before it serves anything, and Kubernetes starts it for ever. vLLM before 0.8.4 does not "
    "know Qwen3, 0.6.2 of the well-known recipe included.",
    mend="A newer vLLM where it is too old. Otherwise somebody has to decide: a shorter context or a larger GPU, a "
    "token for Hugging Face, a way to reach it, another argument.",
    needs=(INFERENCE_SERVICE,),
    covers=("Model Deployment Failures", "Issue 2: Triton Compilation on Tesla T4 GPUs"),
    explains=("MAAS-341", "MAAS-342", "MAAS-351", "MAAS-361", "MAAS-364", "MAAS-365"),
)
def does_not_start(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    silent = []
    for model in facts.all(INFERENCE_SERVICE):
        if is_true(model, "Ready") or annotation(model, "serving.kserve.io/stop") == "true":
            continue
        outcome = _judged(facts, model)
        if outcome:
            yield outcome
        else:
            silent.append(model)
    yield from unheard(facts, filter(is_vllm, silent))


def _judged(facts: Facts, model: Object) -> Outcome | None:
    pods = pods_of(facts, model)
    for where, lines in _told(facts, model, pods):
        trouble = troubles.explain(lines, None)
        if trouble and trouble.cause in _REMEDIES:
            line = next(line for line in reversed(lines) if troubles.explain([line], None) == trouble)
            message, remedy = _REMEDIES[trouble.cause]
            capability = max((capability_of(facts, pod) for pod in pods), default=0)
            seen = (Seen(where, value=quoted(line)), Seen(called(INFERENCE_SERVICE, model), "image", _image(model)))
            return failed(
                message, *seen, remedy=remedy(model, line, capability), about=called(INFERENCE_SERVICE, model)
            )
        if trouble:
            return None  # another check's
    return _suspected(facts, model, pods)


def _told(facts: Facts, model: Object, pods: Sequence[Object]) -> Iterator[tuple[str, Sequence[str]]]:
    """Where something was said, and its lines; the run before last, for it has the end."""
    for log in sorted(logs_of(facts, pods), key=lambda log: not log.previous):
        yield f"log of {log.namespace}/{log.pod} ({log.container})", log.lines
    for pod in pods:
        for status in (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")):
            for state in ("lastState", "state"):
                if said := text(status, state, "terminated", "message"):
                    yield f"Pod {place(pod)} {text(status, 'name')}.{state}.terminated.message", said.splitlines()
    if said := text(model, "status", "modelStatus", "lastFailureInfo", "message"):
        yield f"{called(INFERENCE_SERVICE, model)} status.modelStatus.lastFailureInfo.message", said.splitlines()


def _image(model: Object) -> str:
    return text(server(model), "image") or "of its runtime"


def _suspected(facts: Facts, model: Object, pods: Sequence[Object]) -> Outcome | None:
    """Nothing was heard, but this version cannot know that model."""
    image, about = text(server(model), "image"), called(INFERENCE_SERVICE, model)
    version, family = image_version(image), _family(model)
    if not version or IMAGE not in image or not family:
        return None
    if not any(known.holds(version) for known in vllm.crashing(vllm.AMPERE, family)):
        return None
    capability = max((capability_of(facts, pod) for pod in pods), default=0)
    return warning(
        f"it is not ready, and its vLLM is older than {family} models",
        Seen(about, "image", image),
        Seen(about, "model", _model(model)),
        remedy=newer(model, capability, f"this vLLM does not know {family} models"),
        about=about,
    )


def _model(model: Object) -> str:
    """What it loads, as its arguments or its storageUri name it."""
    given = arguments(server(model))
    for arg, following in pairwise([*given, ""]):
        if arg in ("--model", "serve"):
            return following
        if arg.startswith("--model="):
            return arg.removeprefix("--model=")
    return storage_uri(model)


def _family(model: Object) -> str:
    return _family_of(_model(model))


def _family_of(words: str) -> str:
    return next((family for family, pattern in _FAMILIES if re.search(pattern, words, re.IGNORECASE)), "")


def _too_old(model: Object, line: str, capability: int) -> Remedy:
    """Only for what the newer one is known to load; and only if it is newer."""
    version = image_version(text(server(model), "image"))
    family = _family_of(line) or _family(model)
    if family and version and any(known.holds(version) for known in vllm.crashing(vllm.AMPERE, family)):
        return newer(model, capability, f"this vLLM does not know {family} models")
    return Remedy("Use a vLLM that knows the model's architecture: its release notes name them.", (_edit(model),))


def _no_room(model: Object, line: str, capability: int) -> Remedy:
    estimate = _ESTIMATE.search(line)
    advice = "Lower --max-model-len, which shortens what it can read and answer; or take a larger GPU."
    if not estimate or starts_by_shell(model):
        return Remedy(f"{advice} `maas size` counts.", (_edit(model),))
    longest = str(int(estimate[1]) // 256 * 256 or int(estimate[1]))
    change = edited(model, with_flags(max_model_len=longest), why="as much context as the GPU has room for")
    return Remedy(f"{advice} {longest} tokens would fit:", (shown(change.command),))


def _gpu_taken(model: Object, line: str, capability: int) -> Remedy:
    advice = (
        "Give it a GPU of its own: see what else runs on its node, also outside Kubernetes (nvidia-smi). Or lower "
        "--gpu-memory-utilization, or take a larger GPU or a smaller model; `maas size` counts."
    )
    return Remedy(advice, (f"kubectl get pods -A -o wide | grep {word(name(model))}", _edit(model)))


def _not_given(model: Object, line: str, capability: int) -> Remedy:
    where = word(namespace(model))
    advice = (
        f"See that {_model(model) or 'the model'} is its name at huggingface.co, and accept its licence there. Then "
        "give the server a token: HF_TOKEN, from a Secret."
    )
    secret = f"kubectl create secret generic hf-token -n {where} --from-literal=HF_TOKEN=..."
    return Remedy(advice, (secret, _edit(model)))


def _out_of_reach(model: Object, line: str, capability: int) -> Remedy:
    advice = (
        "Open the way from the model's namespace to huggingface.co (NetworkPolicy, firewall, DNS; HTTPS_PROXY in its "
        "env behind a proxy), or keep the weights on a volume: storageUri: pvc://..."
    )
    return Remedy(advice, (f"kubectl get networkpolicies -n {word(namespace(model))}",))


def _wrong_option(model: Object, line: str, capability: int) -> Remedy:
    return Remedy("Correct or remove the argument that the line names.", (_edit(model),))


def _edit(model: Object) -> str:
    return f"kubectl edit {INFERENCE_SERVICE.key}/{word(name(model))} -n {word(namespace(model))}"


_REMEDIES: dict[str, tuple[str, Callable[[Object, str, int], Remedy]]] = {
    troubles.TOO_OLD: ("this vLLM does not know the model's architecture", _too_old),
    troubles.NO_ROOM: ("the GPU has no room for the KV cache of so long a context", _no_room),
    troubles.GPU_TAKEN: ("something else uses the GPU's memory, or the model is too large for it", _gpu_taken),
    troubles.NOT_GIVEN: (
        "Hugging Face does not give it the model: it is gated or private, or has another name",
        _not_given,
    ),
    troubles.OUT_OF_REACH: ("it cannot reach Hugging Face for the weights", _out_of_reach),
    troubles.OPTION: ("its server does not know one of its arguments", _wrong_option),
}
