"""The prerequisites, before anything is changed: what `maas preflight` says decides, unless somebody insists."""

import sys
from collections.abc import Iterable, Mapping, Sequence

import typer

from maas.cli import judged
from maas.cli.facts import asked as asked_of
from maas.cli.installing import wanting
from maas.cli.installing.options import Options
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NAMESPACE, OUR_CONFIG_MAP, SUBSCRIPTION
from maas.cluster.objects import label
from maas.cluster.plan.model import Plan
from maas.cluster.wanted import MANAGED_BY, Wanted
from maas.readiness.catalogue import Asked, Phase
from maas.readiness.findings import Category, Finding, Severity, Status
from maas.readiness.judging import judge
from maas.readiness.reports import Format, render


def asked(options: Options, wanted: Wanted, facts: Facts, phase: Phase = Phase.before) -> Asked:
    gpu = options.check_gpu or bool(wanting.on_gpus(wanted.platform))
    models = wanting.known_to_checks(wanted.platform)
    return asked_of(facts, wanted.site.target.value, phase=phase, gpu=gpu, models=models, namespace=wanted.namespace)


def require_ready(options: Options, wanted: Wanted, facts: Facts, plan: Plan | None = None) -> None:
    """Ends with the findings and preflight's exit code where one of them is an obstacle.

    plan: where an installation of ours has begun. What is half-way there is no obstacle if a step goes on with it.
    """
    what = asked(options, wanted, facts)
    findings = judge(facts, what, skip=options.manner.ignore)
    found = [finding for finding in findings if is_obstacle(finding)]
    taken_up = [finding for finding in found if plan is not None and is_taken_up(finding, plan)]
    obstacles = [finding for finding in found if finding not in taken_up]
    if not obstacles:
        _note(findings, taken_up)
        return
    sys.stderr.write(render(Format.short, findings, facts, what, judged.look_for(sys.stderr)) + "\n")
    codes = list(dict.fromkeys(finding.code for finding in obstacles))
    say(f"error: this cluster is not ready ({', '.join(codes)}), so nothing was changed.")
    say("Mend that first; `maas preflight` says it at length.")
    say(f"To insist all the same: `{' '.join(f'--ignore {code}' for code in codes)}`")
    raise typer.Exit(judged.NOT_READY)


def is_obstacle(finding: Finding) -> bool:
    """What nobody could judge, and what would be an error, is one as well."""
    unknown = finding.status is Status.unknown and finding.severity is Severity.error
    return finding.status is Status.failed or unknown


_STEPS: Mapping[Category, frozenset[str]] = {
    Category.olm: frozenset(
        (
            "cert-manager",
            "service-mesh",
            "kuadrant-operator",
            "rhoai-operator",
            "serverless",
            "nfd-operator",
            "gpu-operator",
        )
    ),
    Category.gateway_api: frozenset(("gateway-api", "gateway-class")),
    Category.cert_manager: frozenset(("cert-manager",)),
    Category.mesh: frozenset(("istio", "service-mesh", "gateway-class")),
    Category.serverless: frozenset(("serverless",)),
    Category.rhoai: frozenset(("rhoai", "rhoai-operator")),
    Category.gpu_operator: frozenset(("gpu-operator", "cluster-policy", "nfd", "nfd-operator")),
    Category.kuadrant: frozenset(("kuadrant", "kuadrant-operator")),
    Category.kserve: frozenset(("kserve", "kserve-crd", "rhoai", "rhoai-operator")),
}
_PLATFORM = frozenset(
    (
        *(Category.gateway, Category.certificates, Category.policies, Category.keys, Category.models),
        *(Category.security, Category.known_issues),
    )
)


def has_begun(facts: Facts) -> bool:
    """Whether an installation of ours has made something here."""
    kinds = (NAMESPACE, SUBSCRIPTION, OUR_CONFIG_MAP)
    return any(label(each, MANAGED_BY) == "maas" for kind in kinds for each in facts.known(kind))


def is_taken_up(finding: Finding, plan: Plan) -> bool:
    """By the rest of an installation: a component by its own steps, what is ours by any, for each may mend it."""
    keys = _STEPS.get(finding.category, frozenset())
    return finding.category in _PLATFORM or any(step.key in keys for step in plan.steps)


def _note(findings: Sequence[Finding], taken_up: Sequence[Finding]) -> None:
    if codes := _codes(finding for finding in findings if finding.status is Status.warning):
        say(f"The cluster is ready, with warnings: {codes}; `maas preflight` explains them.")
    if codes := _codes(taken_up):
        say(f"What an installation of ours has left half-way, and this one goes on with: {codes}.")


def _codes(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(finding.code for finding in findings))


def say(text: str) -> None:
    """To stderr, folded for a terminal."""
    look = judged.look_for(sys.stderr)
    for line in look.fold(text):
        sys.stderr.write(look.finished(line) + "\n")
