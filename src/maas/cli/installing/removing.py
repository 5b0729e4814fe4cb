"""maas uninstall: what is ours is found, what goes and what stays is shown, agreed, and taken away."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import typer

from maas.cli import judged
from maas.cli.frame import home
from maas.cli.installing import agreement, arrival, failing, plan_text, remembered, told
from maas.cli.installing.carrying import Clock, connected, helm_of, interruptible, require_helm
from maas.cli.installing.options import Cluster
from maas.cli.output import notes, show_json
from maas.cluster import uninstalling
from maas.cluster.api import Api
from maas.cluster.applying import StepFailed
from maas.cluster.connection import described, find
from maas.cluster.uninstalling import Removal, Stay
from maas.readiness.reports import Look


@dataclass(frozen=True)
class Options:
    cluster: Cluster
    keep_crds: bool
    keep_operators: bool
    dry_run: bool
    yes: bool
    timeout: float
    json: bool


def remove(options: Options) -> None:
    cluster = options.cluster
    removal = connected(cluster, lambda api: _found(options, api))
    where = described(find(cluster.context, cluster.kubeconfig))
    if removal.plan.is_empty:
        _end("nothing to do", removal, removal.stays, options, f"Nothing to do: {where} holds nothing of ours.")
        return
    if not options.json:
        look = judged.look_for(sys.stdout)
        judged.write(plan_text.told(removal.plan, f"To take MaaS away from {where}", look))
        _say(_stays(removal.stays, look), look)
    if options.dry_run:
        _end("dry run", removal, removal.stays, options, "Nothing was changed (--dry-run).")
        return
    require_helm(removal.plan)
    agreement.require("Keys go with it, and clients get no answers any more. Go on?", yes=options.yes)
    stays = _carried_out(options, removal)
    remembered.forget(home())
    arrival.ca_file(home()).unlink(missing_ok=True)
    _end("removed", removal, stays, options, f"MaaS is gone from {where}.")


async def _found(options: Options, api: Api) -> Removal:
    ours = await uninstalling.find(api, helm_of(options.cluster, api))
    return uninstalling.removal_of(
        ours, keep_crds=options.keep_crds, keep_operators=options.keep_operators, home=options.cluster.namespace
    )


def _carried_out(options: Options, removal: Removal) -> Sequence[Stay]:
    """Ends with exit code 7 where a step fails."""
    try:
        with interruptible(), told.shown(removal.plan) as lines:

            async def work(api: Api) -> Sequence[Stay]:
                helm = helm_of(options.cluster, api)
                return await uninstalling.carry_out(removal, api, helm, lines, Clock(), timeout=options.timeout)

            return connected(options.cluster, work)
    except StepFailed as failed:
        notes().print(f"\nerror: {failed}")
        for line in failing.more_time(failed, options.timeout, judged.look_for(sys.stderr)):
            notes().print(line)
        raise typer.Exit(failed.exit_code) from None


def _end(outcome: str, removal: Removal, stays: Sequence[Stay], options: Options, said: str) -> None:
    if options.json:
        listed = [{"what": stay.what, "why": stay.why} for stay in stays]
        show_json({"outcome": outcome, "steps": plan_text.document(removal.plan), "stays": listed})
        return
    look = judged.look_for(sys.stdout)
    if outcome != "dry run":
        _say(_stays(stays, look), look)
    print(said)


def _stays(stays: Sequence[Stay], look: Look) -> Iterator[str]:
    if not stays:
        return
    yield ""
    yield look.paint("what stays", "title")
    for stay in stays:
        yield from look.fold(f"{stay.what}: {stay.why}", "  ", "    ")
    yield ""


def _say(lines: Iterable[str], look: Look) -> None:
    for line in lines:
        judged.write(look.finished(line) + "\n")
