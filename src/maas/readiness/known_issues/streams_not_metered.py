"""Token limits count only what answers report, and a stream reports nothing unless it is told to."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE, TOKEN_RATE_LIMIT_POLICY
from maas.cluster.objects import Object, is_true, text
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, Severity, failed, skipped
from maas.readiness.issues import known_issue
from maas.readiness.predictors import REPORTS_USAGE, USAGE, arguments, edited, server, with_flags
from maas.readiness.signs import called, image_version


@known_issue(
    "MAAS-419",
    "streamed answers count against token limits",
    sign="A TokenRateLimitPolicy is enforced, and a model on vLLM runs without --enable-force-include-usage.",
    cause="Kuadrant reads usage.total_tokens from answers. vLLM puts it into a stream only if the client asks "
    "(stream_options.include_usage): who streams without asking is not counted.",
    mend="Start vLLM with --enable-force-include-usage.",
    needs=(INFERENCE_SERVICE, TOKEN_RATE_LIMIT_POLICY),
    severity=Severity.warning,
    covers=("Authentication/Rate Limiting Issues",),
)
def unmetered(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not any(is_true(policy, "Enforced") for policy in facts.all(TOKEN_RATE_LIMIT_POLICY)):
        yield skipped("does not apply: no TokenRateLimitPolicy is enforced")
        return
    for model in facts.all(INFERENCE_SERVICE):
        if _is_vllm(model) and USAGE not in arguments(server(model)):
            about = called(INFERENCE_SERVICE, model)
            yield failed(
                "its streams count against no token limit unless the client asks for usage",
                Seen(about, "args", f"without {USAGE}"),
                remedy=_remedy(model),
                about=about,
            )


def _is_vllm(model: Object) -> bool:
    """Only where it is sure: another server would not start with the flag."""
    return "vllm" in text(server(model), "image") and "-c" not in arguments(server(model))


def _remedy(model: Object) -> Remedy:
    version = image_version(text(server(model), "image"))
    if not version or version < REPORTS_USAGE:
        return Remedy(f"Start vLLM with {USAGE}; versions before 0.10 do not know it.")
    change = edited(model, with_flags(enable_force_include_usage=True), why="every stream ends with its usage")
    return Remedy("Let vLLM report what each stream used.", changes=(change,))
