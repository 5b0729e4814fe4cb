"""Settings of models that nobody reads: they circulate in guides, and hide that what they promise is not there."""

from collections.abc import Iterator

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, items, name, text
from maas.cluster.stack import ours
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped
from maas.readiness.predictors import is_vllm, server

_DEAD = frozenset({"VLLM_USE_TRITON_ATTENTION", "VLLM_USE_TRITON_FLASH_ATTN"})
_EXAMPLES = 5


@check(
    "MAAS-344",
    "models have no settings that nobody reads",
    Category.models,
    phases=AFTER,
    severity=Severity.warning,
    wanted=f"none of {' and '.join(sorted(_DEAD))}",
    looks="The environment of the containers of InferenceServices that run vLLM.",
    why="vLLM on NVIDIA's GPUs reads neither: what they are to turn off stays on, and a T4 fails all the same.",
    mend="Remove them; on T4 use vLLM 0.10.2 or newer, --dtype=float16 and --enforce-eager.",
    covers=("Issue 2: Triton Compilation on Tesla T4 GPUs", "Model Deployment Failures"),
)
def no_dead_settings(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = [model for model in facts.all(kinds.INFERENCE_SERVICE) if is_vllm(model)]
    bad = [(model, dead) for model in found if (dead := _dead(model))]
    for model, dead in bad[:_EXAMPLES]:
        about = ours.shown(kinds.INFERENCE_SERVICE, model)
        more = f" (and {len(bad) - _EXAMPLES} more models)" if len(bad) > _EXAMPLES else ""
        seen = [Seen(about, "env", each) for each in dead]
        remedy = Remedy(f"Remove {names(dead)} from its environment: it changes nothing.")
        yield failed(f"sets {names(dead)}, which vLLM does not read{more}", *seen, remedy=remedy, about=about)
    if not found:
        yield skipped("no InferenceService runs vLLM")
    elif not bad:
        yield passed(f"{names(map(name, found))}")


def _dead(model: Object) -> list[str]:
    return sorted({text(each, "name") for each in items(server(model), "env")} & _DEAD)
