"""What checks of components have in common: what to say of something absent, and of a workload that is not up."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from maas.cluster.changes import Change, Verb
from maas.cluster.components.olm import Operator
from maas.cluster.components.state import Installation, shortage
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, SUBSCRIPTION
from maas.cluster.objects import Object, name, namespace, number, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Phase
from maas.readiness.evidence import brief
from maas.readiness.findings import Outcome, Remedy, Seen, Status, failed, passed, skipped, to_install

# Why an operator of OLM is not installed; for `after` of the checks that miss it.
OLM_CODES = ("MAAS-200", "MAAS-201", "MAAS-202", "MAAS-203", "MAAS-204", "MAAS-205")


_ON_REQUEST = ("gpu-operator", "nfd")  # steps that nobody gets who does not ask for them


def absent(asked: Asked, message: str, *seen: Seen, step: str, about: str = "") -> Outcome:
    """Before an installation, what `maas install` brings is no fault; afterwards it is."""
    if asked.phase is Phase.before:
        return to_install(message, *seen, step=step)
    command = "maas install --gpu-operator" if step in _ON_REQUEST else "maas install"
    remedy = Remedy(f"Install it: `{command}` does, in its step {step}.", step=step)
    return failed(message, *seen, remedy=remedy, about=about)


def softened(outcomes: Iterable[Outcome], *, when: bool) -> Iterator[Outcome]:
    """Failures as warnings, where nothing that was asked for stands on what failed."""
    for each in outcomes:
        yield replace(each, status=Status.warning) if when and each.status is Status.failed else each


def told(installation: Installation) -> Seen:
    return Seen(*installation.told_by)


def described(installation: Installation) -> str:
    """ "1.30.3 (Helm)"."""
    return f"{installation.version or 'of unknown version'} ({installation.by})"


def workload(deployment: Object, what: str) -> Outcome:
    """Whether a Deployment serves."""
    about, why = f"Deployment {place(deployment)}", shortage(deployment)
    seen = Seen(about, "status.availableReplicas", str(number(deployment, "status", "availableReplicas") or 0))
    if not why:
        return passed(f"{what} is available", seen, about=about)
    return failed(f"not available: {brief(why)}", seen, remedy=_start(deployment, why), about=about)


def _start(deployment: Object, why: str) -> Remedy:
    if why.startswith("scaled to 0"):
        change = Change(Verb.patch, DEPLOYMENT, name(deployment), namespace(deployment), {"spec": {"replicas": 1}})
        return Remedy("Scale it up again.", changes=(change,))
    where = namespace(deployment)
    commands = (
        f"kubectl describe deployment -n {word(where)} {word(name(deployment))}",
        f"kubectl get pods -n {word(where)}",
    )
    return Remedy("Look at why its pods do not become ready.", commands)


def no_operators(facts: Facts) -> Outcome:
    """Why there is nothing of OLM to judge. Raises NotRead."""
    served = facts.serves(SUBSCRIPTION)
    return skipped(f"no operator of the stack is installed with OLM{' yet' if served else ': the cluster has none'}")


def operator(found: Operator, asked: Asked) -> Outcome:
    """Whether an operator of OLM is installed. Why it is not is for the checks of OLM (MAAS-20x) to say."""
    title, about = found.package.title, f"{found.package.name} in {found.namespace}"
    if found.ready:
        return passed(f"{title} {found.version} is installed by OLM", told(found.installation), about=about)
    phase = text(found.csv, "status", "phase") or "none yet"
    where = f"Subscription {place(found.subscription)}" if found.subscription else f"CSV {place(found.csv or {})}"
    return failed(
        f"{title} is asked for, but not installed: its CSV is {phase}",
        Seen(where, "status.installedCSV", text(found.subscription, "status", "installedCSV") or "none"),
        remedy=Remedy("See the findings about operators (MAAS-201 to MAAS-205).", (_describe(found),)),
        about=about,
    )


def _describe(found: Operator) -> str:
    kind = "subscriptions.operators.coreos.com" if found.subscription else "csv"
    return f"oc describe {kind} -n {word(found.namespace)} {word(name(found.subscription or found.csv or {}))}"
