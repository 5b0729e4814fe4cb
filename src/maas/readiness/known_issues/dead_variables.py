"""Variables that are to mend vLLM, and that vLLM does not read: whoever set them believes that they help."""

import re
from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE
from maas.cluster.objects import Object, items, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, Severity, failed, shown
from maas.readiness.issues import known_issue
from maas.readiness.predictors import edited, is_vllm, server, without_env
from maas.readiness.signs import called, few, listed, logs_of, pods_of, quoted

_NEVER_READ = frozenset({"VLLM_USE_TRITON_ATTENTION", "VLLM_USE_TRITON_FLASH_ATTN"})
_UNKNOWN = re.compile(r"Unknown vLLM environment variable detected: (VLLM_\w+)")


@known_issue(
    "MAAS-423",
    "the variables of models are read by vLLM",
    sign="VLLM_USE_TRITON_ATTENTION or VLLM_USE_TRITON_FLASH_ATTN in a model's env; the log line "
    '"Unknown vLLM environment variable detected".',
    cause="Recipes for the T4 name variables that vLLM never read, or only on AMD's GPUs and not any more. They do "
    "nothing, and the fault that they were to mend is still there.",
    mend="Remove them; what mends the fault on a T4 is vLLM 0.10.2 or newer with --dtype=float16 --enforce-eager.",
    needs=(INFERENCE_SERVICE,),
    severity=Severity.warning,
    covers=("Issue 2: Triton Compilation on Tesla T4 GPUs",),
)
def unread(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for model in filter(is_vllm, facts.all(INFERENCE_SERVICE)):
        about, given = called(INFERENCE_SERVICE, model), _given(model)
        heard = _heard(facts, model)
        dead = sorted((_NEVER_READ & given) | set(heard))
        if dead:
            seen = [heard.get(each) or Seen(about, "env", each) for each in dead]
            message = f"vLLM does not read {listed(dead)}"
            yield failed(message, *few(seen), remedy=_remedy(model, given & set(dead)), about=about)


def _given(model: Object) -> set[str]:
    if "rocm" in text(server(model), "image").lower():  # where the second one was read once
        return set()
    return {text(each, "name") for each in items(server(model), "env")}


def _heard(facts: Facts, model: Object) -> dict[str, Seen]:
    """By what vLLM itself calls unknown. VLLM_SERVICE_HOST and its like are Kubernetes', for a Service named vllm."""
    found: dict[str, Seen] = {}
    for log in logs_of(facts, pods_of(facts, model)):
        for line in log.lines:
            match = _UNKNOWN.search(line)
            if match and not re.match(r"VLLM_(SERVICE|PORT)", match[1]):
                found.setdefault(match[1], Seen(f"log of {log.namespace}/{log.pod}", value=quoted(line)))
    return found


def _remedy(model: Object, names: set[str]) -> Remedy:
    """Shown only: it restarts the model, to change nothing."""
    advice = "Remove them, when the model may start anew."
    if not names:
        return Remedy(f"{advice} They are not in its env: look at envFrom, the runtime and the image.")
    change = edited(model, without_env(names), why="vLLM does not read them")
    return Remedy(advice, (shown(change.command),))
