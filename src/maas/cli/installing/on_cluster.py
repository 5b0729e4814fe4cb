"""maas install on a cluster: one reading, judged; a plan, shown and agreed; carried out, and proven.

    facts ─ judged ─ planned ─ shown ─ agreed ─ carried out ─ read again ─ judged ─ real requests

Nothing is written before the answer to "go on?", and nothing at all where nothing is left to do.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maas.cli import judged
from maas.cli.facts import gather, target_of
from maas.cli.frame import home
from maas.cli.installing import agreement, carrying, gpus, judging, outcome, plan_text, previews, remembered, wanting
from maas.cli.installing.options import Options
from maas.cli.output import Shape
from maas.cli.target import Target
from maas.cluster import document, mirror, sites
from maas.cluster.components import steps as components
from maas.cluster.connection import find
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.kinds import INFERENCE_SERVICE
from maas.cluster.objects import namespace
from maas.cluster.plan import planning
from maas.cluster.plan.model import Plan
from maas.cluster.wanted import Wanted
from maas.domain.errors import InvalidInput, NotFound, Unavailable

_READING = 60.0  # seconds


def install(options: Options) -> None:
    with _told_what_was_not_read():
        facts, wanted = looked(options)
        if options.check_gpu:
            gpus.require(wanted)
        plan = _planned(options, wanted, facts, planning.plan)
    finish(options, wanted, facts, plan, f"To install MaaS on {facts.source.described}")


def upgrade(options: Options) -> None:
    with _told_what_was_not_read():
        facts = read(options, upgrade=True)
        stored = document.in_facts(facts, options.cluster.namespace)
        if stored is None:
            raise NotFound(
                f"no platform that `maas install` installed is in the namespace {options.cluster.namespace} of"
                f" {facts.source.described}; -n names another namespace, --context another cluster"
            )
        site = sites.of(facts, options.cluster.namespace, upgrade=True)
        wanted = wanting.wanted(options, site, stored)
        plan = _planned(options, wanted, facts, planning.upgrade)
    finish(options, wanted, facts, plan, f"To upgrade MaaS on {facts.source.described}")


def _planned(options: Options, wanted: Wanted, facts: Facts, planned: Callable[[Wanted, Facts], Plan]) -> Plan:
    """What is left to do, if the cluster is ready for it. What an interrupted installation left half-way is."""
    equipped = _equipped(options, wanted)
    rest = planned(equipped, facts) if judging.has_begun(facts) else None
    judging.require_ready(options, wanted, facts, rest)
    return planned(equipped, facts) if rest is None else rest


def _equipped(options: Options, wanted: Wanted) -> Wanted:
    """With everything at hand that its steps need from this machine. Raises InvalidInput.

    Files are read for a maas.yaml that is given, not for the one that stands on the cluster: somebody who may change a
    ConfigMap there could name any file of this machine. What was read of them before is there as Secrets, and stays.
    """
    if options.manner.mirror:
        mirror.require(options.manner.mirror, components.steps(wanted))
    return wanted if options.models.file is None else wanting.with_credentials(wanted)


@contextmanager
def _told_what_was_not_read() -> Iterator[None]:
    try:
        yield
    except NotRead as missing:
        raise Unavailable(f"what has to be known first was not read: {missing}") from None


def looked(options: Options) -> tuple[Facts, Wanted]:
    """One reading of the cluster, and what is wanted of it. Raises MaasError."""
    facts = read(options)
    stored = document.in_facts(facts, options.cluster.namespace)
    return facts, wanting.wanted(options, sites.of(facts, options.cluster.namespace), stored)


def read(options: Options, *, upgrade: bool = False) -> Facts:
    cluster = options.cluster
    facts = gather(
        context=cluster.context,
        kubeconfig=cluster.kubeconfig,
        deadline=_READING,
        ours=True,
        gpu_operator=bool(options.choices.gpu_operator),
        upgrade=upgrade,
    )
    found = target_of(facts)
    if cluster.target not in (Target.auto, found.value):
        raise InvalidInput(
            f"{facts.source.described} is {_TITLES[found.value]}, not {_TITLES[cluster.target]}:"
            f" --target {found.value} or auto is what it takes; --context names another cluster"
        )
    return facts


_TITLES = {"kubernetes": "Kubernetes", "openshift": "OpenShift", "local": "this machine"}


def finish(options: Options, wanted: Wanted, facts: Facts, plan: Plan, heading: str) -> None:
    """Shown, agreed, carried out and proven, as far as is asked for."""
    manner = options.manner
    if plan.is_empty:
        _remember(options, wanted)
        outcome.nothing_to_do(options, wanted, facts, plan)
        return
    _show(
        plan,
        heading,
        manner.output,
        has_users=any(namespace(each) == wanted.namespace for each in facts.known(INFERENCE_SERVICE)),
    )
    if manner.diff:
        previews.differences(options, plan)
    if manner.dry_run:
        outcome.dry_run(plan, previews.rehearsed(options, plan), manner.output)
        return
    carrying.require_helm(plan)
    agreement.require("Go on?", yes=manner.yes)
    _remember(options, wanted)
    carrying.carried_out(options, wanted, plan)
    outcome.proven(options, wanted, plan)


def _show(plan: Plan, heading: str, output: Shape, *, has_users: bool) -> None:
    if output is Shape.table:
        judged.write(plan_text.told(plan, heading, judged.look_for(sys.stdout), has_users=has_users) + "\n")


def _remember(options: Options, wanted: Wanted) -> None:
    """For the commands that come next. From before the first change, for an installation may be interrupted."""
    cluster = options.cluster
    login = find(cluster.context, cluster.kubeconfig)
    kubeconfig = cluster.kubeconfig.absolute() if cluster.kubeconfig else None
    remembered.save(
        home(), remembered.Remembered(login.context, kubeconfig, wanted.namespace, wanted.site.target.value)
    )
