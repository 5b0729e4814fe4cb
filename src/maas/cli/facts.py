"""Facts for preflight, validate and doctor: of a cluster or a snapshot, with something to look at meanwhile."""

import asyncio
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from maas.cli.output import notes
from maas.cli.target import configured_cluster
from maas.cluster.facts.model import Cause, Facts, Step, Unread, Watch
from maas.cluster.failures import ServerFailed
from maas.cluster.kinds import CLUSTER_VERSION
from maas.domain.errors import InvalidInput
from maas.models.sizing import qwen3
from maas.readiness.catalogue import Asked, Phase, Target

_CONFIG = "config.openshift.io/"
_WITHOUT_CLUSTER = """\
Without a cluster: --from SNAPSHOT reads objects that somebody exported, and
`./install.sh --simulator` sets the platform up on this machine."""


_INSTALLING_WITHOUT = """\
Without a cluster: --target local installs on this machine, and
`maas install --render DIR --target openshift` writes files for one."""


def gather(
    source: Path | None = None,
    *,
    context: str | None = None,
    kubeconfig: Path | None = None,
    deadline: float = 60.0,
    logs: bool = False,
    ours: bool = False,
    gpu_operator: bool = False,
    upgrade: bool = False,
) -> Facts:
    """Of the snapshot `source`, else of the cluster that the kubeconfig names. deadline: seconds from now.

    ours: also what an installation is compared with, and no check asks for. gpu_operator: that is to be brought, too.
    upgrade: what is installed may be had in newer versions.
    Raises MaasError where nothing could be read at all; what is merely missing is a fact.
    """
    if source is not None and (context or kubeconfig):
        raise InvalidInput("--from reads a snapshot: --context and --kubeconfig make no sense with it")
    with _shown("reading the snapshot" if source else "connecting") as watch:
        if source is not None:
            from maas.cluster.facts import snapshot

            return snapshot.read(source, watch=watch)
        asked = {"logs": logs, "ours": ours, "gpu_operator": gpu_operator, "upgrade": upgrade}
        return asyncio.run(_live(context, kubeconfig, deadline, watch, asked))


async def _live(
    context: str | None, kubeconfig: Path | None, deadline: float, watch: Watch, asked: Mapping[str, bool]
) -> Facts:
    from maas.cluster.connection import connect
    from maas.cluster.facts import live

    try:
        api = connect(context, kubeconfig)
    except InvalidInput as error:
        if context or kubeconfig or configured_cluster():
            raise
        raise InvalidInput(f"{error}.\n{_INSTALLING_WITHOUT if asked['ours'] else _WITHOUT_CLUSTER}") from None
    async with api:
        facts = await live.read(api, deadline=deadline, watch=watch, **asked)
    if why := silent(facts):
        raise ServerFailed(f"{facts.source.described} is out of reach: it answers, but nothing usable: {why}")
    return facts


def silent(facts: Facts) -> str:
    """Why, where nothing at all was read though nobody was refused; else "". Nothing can be judged or saved then."""
    parts = [facts.version, facts.apis, *facts.lists.values()]
    unread = [part for part in parts if isinstance(part, Unread)]
    if len(unread) < len(parts) or any(part.cause is Cause.denied for part in unread):
        return ""
    return unread[0].reason


def asked(
    facts: Facts,
    target: str = "auto",
    *,
    phase: Phase = Phase.before,
    gpu: bool = False,
    models: Collection[str] = ("simulator",),
    namespace: str = "llm",
) -> Asked:
    """models may be comma lists, as options have them."""
    names = wanted(models)
    chosen = target_of(facts) if target == "auto" else Target(target)
    return Asked(chosen, phase, gpu, names or frozenset({"simulator"}), namespace)


def wanted(models: Collection[str]) -> frozenset[str]:
    return frozenset(name.strip() for each in models for name in each.split(",") if name.strip())


def refuse_unknown(models: Collection[str]) -> None:
    """A slip of the pen must not turn off what GPUs are asked for. Raises InvalidInput."""
    known = ["simulator", "qwen3", *qwen3.names()]
    for name in sorted(wanted(models)):
        if name in known or qwen3.find(name) is not None:
            continue
        close = get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise InvalidInput(
            f"--for {name}: the checks know no such model{meant}\n"
            f"They know {', '.join(known)}. For others that need GPUs, --gpu alone will do."
        )


def target_of(facts: Facts) -> Target:
    """OpenShift is what serves its configuration; where discovery was not read, what holds a ClusterVersion."""
    if isinstance(facts.apis, Unread):
        openshift = bool(facts.known(CLUSTER_VERSION))
    else:
        openshift = any(version.startswith(_CONFIG) for version in facts.apis)
    return Target.openshift if openshift else Target.kubernetes


@contextmanager
def _shown(first: str) -> Iterator[Watch]:
    """Yields what to call at every step: a live line on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # a tenth of a second

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=16),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=notes(), transient=True) as progress:
        task = progress.add_task(first, total=None)
        yield lambda step: progress.update(task, description=_said(step), completed=step.done, total=step.of or None)


def _said(step: Step) -> str:
    """ "12 of 63: pods, 3,500 objects"."""
    part = f"{step.done} of {step.of}: {step.what}" if step.of else step.what
    return f"{part}, {step.objects:,} objects" if step.objects else part
