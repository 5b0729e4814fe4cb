"""vLLM dies while it compiles its kernels: Triton and older GPUs (T4, V100).

What the log says tells which of several faults it is, and that decides which version and flags work. The names of
variables that circulate (VLLM_USE_TRITON_ATTENTION, …) were never read by vLLM, or no longer are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE, POD
from maas.cluster.objects import Object, is_true, text
from maas.models.sizing import vllm
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.predictors import Edit, is_vllm, server, with_flags
from maas.readiness.signs import (
    called,
    few,
    image_version,
    last_words,
    logs_of,
    pods_of,
    quoted,
    restarts,
    said,
    unheard,
    waiting_reasons,
)
from maas.readiness.vllm_images import IMAGE, LAST_FOR_VOLTA, NEW, OLD_ENGINE, ON_TURING, capability_of, reimaged


@dataclass(frozen=True)
class Signature:
    lines: tuple[str, ...]  # of a log
    cause: str
    image: str = ""  # the tag that mends it; "" if the version matters not
    edits: tuple[Edit, ...] = ()
    advice: str = ""  # where there is no sure remedy


_TRITON_3_3 = Signature(
    ("Unsupported conversion from f16 to f16", "Unsupported rounding mode for conversion"),
    "Triton 3.3, which vLLM 0.9.0 to 0.10.1 ship, cannot compile for Turing GPUs such as the T4",
    NEW,
    (ON_TURING,),
)
_NO_VOLTA = Signature(
    ("no kernel image is available for execution on the device",),
    "vLLM's images hold no code for GPUs older than compute capability 7.5 (V100) since 0.9.0",
    LAST_FOR_VOLTA,
    (OLD_ENGINE, with_flags(dtype="float16")),
)
SIGNATURES = (
    Signature(
        ("mma -> mma layout conversion is only supported on Ampere",),
        "Triton of vLLM before 0.8 cannot compile prefix caching and chunked prefill for this GPU",
        NEW,
        (ON_TURING,),
    ),
    _TRITON_3_3,
    Signature(
        ("out of resource: shared memory",),
        "a kernel needs more shared memory than this GPU has (64 KB per block on a T4)",
        advice="Use a model with smaller attention heads, or a GPU of compute capability 8.0 or newer (A10, A100).",
    ),
    _NO_VOLTA,
    Signature(
        ("Bfloat16 is only supported on GPUs with compute capability of at least 8.0",),
        "the model is loaded as bfloat16, which GPUs before Ampere (T4, V100) do not have",
        edits=(with_flags(dtype="float16"),),
    ),
    Signature(("PassManager::run failed",), "Triton could not compile a kernel for this GPU", NEW, (ON_TURING,)),
)


@known_issue(
    "MAAS-402",
    "vLLM compiles its kernels on this GPU",
    sign="A model's log (also of the run before), or what its container last said: Triton's compile errors, "
    '"no kernel image is available", the refusal of bfloat16. A crashing vLLM 0.9.0 to 0.10.1 on a T4 is suspected.',
    cause="Older GPUs lack what newer kernels need. vLLM 0.9.0 to 0.10.1 cannot compile for the T4; images since "
    "0.9.0 hold no code for the V100; bfloat16 needs Ampere. The container exits and restarts for ever.",
    mend="On a T4 vLLM 0.10.2 or newer with --dtype=float16 --enforce-eager; on a V100 0.8.5.post1 with the old "
    "engine. vLLM 0.6.2, often advised, cannot load Qwen3. Where bfloat16 is refused, --dtype=float16.",
    needs=(INFERENCE_SERVICE,),
    covers=("Issue 2: Triton Compilation on Tesla T4 GPUs", "Model Deployment Failures"),
    explains=("MAAS-341", "MAAS-342", "MAAS-361"),
)
def kernels(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    silent = []
    for model in facts.all(INFERENCE_SERVICE):
        if is_true(model, "Ready"):
            continue
        outcome = _judged(facts, model)
        if outcome:
            yield outcome
        else:
            silent.append(model)
    yield from unheard(facts, filter(is_vllm, silent))


def _judged(facts: Facts, model: Object) -> Outcome | None:
    pods = pods_of(facts, model)
    for signature in SIGNATURES:
        if seen := _signs(facts, model, pods, signature):
            return _recognised(model, signature, seen)
    return _suspected(facts, model, pods)


def _signs(facts: Facts, model: Object, pods: list[Object], signature: Signature) -> list[Seen]:
    info = text(model, "status", "modelStatus", "lastFailureInfo", "message")
    told = [Seen(called(INFERENCE_SERVICE, model), "status.modelStatus.lastFailureInfo.message", quoted(info))]
    return [
        *said(logs_of(facts, pods), *signature.lines),
        *last_words(pods, *signature.lines),
        *(told if any(line.lower() in info.lower() for line in signature.lines) else []),
    ]


def _recognised(model: Object, signature: Signature, seen: list[Seen]) -> Outcome:
    about = called(INFERENCE_SERVICE, model)
    image = Seen(about, "image", text(server(model), "image") or "of its runtime")
    return failed(signature.cause, *few(seen), image, remedy=_remedy(model, signature), about=about)


def _remedy(model: Object, signature: Signature) -> Remedy:
    if signature.advice:
        return Remedy(signature.advice)
    return reimaged(model, signature.image, *signature.edits, why=signature.cause)


def _suspected(facts: Facts, model: Object, pods: list[Object]) -> Outcome | None:
    """Its log is not there, but it crashes with a version that is known to, on such a GPU."""
    image, about = text(server(model), "image"), called(INFERENCE_SERVICE, model)
    version = image_version(image)
    if not version or IMAGE not in image:
        return None
    crashing = [pod for pod in pods if restarts(pod) and "CrashLoopBackOff" in waiting_reasons(pod)]
    for pod in crashing:
        capability = capability_of(facts, pod)
        if not any(known.holds(version) for known in vllm.crashing(capability, "")):
            continue
        return warning(
            "it crashes with a version of vLLM that is known to crash on this GPU; its log was not there to tell",
            Seen(about, "image", image),
            Seen(called(POD, pod), "restarts", str(restarts(pod))),
            remedy=_remedy(model, _NO_VOLTA if capability < vllm.TURING else _TRITON_3_3),
            about=about,
        )
    return None
