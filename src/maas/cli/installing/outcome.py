"""How an installation ends: nothing to do, a dry run, or a platform that is read again, judged, and sent requests."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from maas.cli import judged
from maas.cli.installing import arrival, forwarding, keeping_keys, plan_text, previews
from maas.cli.installing.judging import is_obstacle, say
from maas.cli.installing.options import Options
from maas.cli.output import Shape, notes, show_json
from maas.cli.validate import Judged, Where, of_cluster
from maas.cli.validate import Options as Validation
from maas.cluster.applying import Outcome, Rehearsed
from maas.cluster.connection import connect
from maas.cluster.facts.model import Facts
from maas.cluster.plan.model import Plan
from maas.cluster.wanted import Wanted
from maas.domain.errors import MaasError, Unavailable
from maas.readiness.findings import Category, Finding, Status
from maas.readiness.reports import Format, render

_READING, _TRAFFIC, _REQUESTS = 60.0, 180.0, 200
_NO_KEYS = "MAAS-330"  # the first one is made when everything is well


@dataclass(frozen=True)
class Proof:
    """tried: whether requests went through the gateway. why_not: where none could be sent from here.

    by_forwarding: its own address could not be reached from here.
    """

    judged: Judged
    tried: bool
    by_forwarding: bool = True
    why_not: str = ""

    @property
    def obstacles(self) -> list[Finding]:
        found = [finding for finding in self.judged.findings if is_obstacle(finding)]
        return found if self.tried else [finding for finding in found if finding.category is not Category.traffic]


def nothing_to_do(options: Options, wanted: Wanted, facts: Facts, plan: Plan) -> None:
    """With the way in: the run that installed it may have been interrupted before it told anybody."""
    trust, forward = asyncio.run(_trusted(options, wanted)), _forward(options, wanted)
    place, has_key = arrival.expected(wanted, facts, trust, forward), keeping_keys.known(facts)
    if options.manner.output is Shape.json:
        way = {"endpoint": place.endpoint, "address": place.address, "has_key": has_key}
        show_json({"outcome": "nothing to do", "steps": [], "notes": list(plan.notes), **way})
        return
    for note in plan.notes:
        say(f"note: {note}")
    look = judged.look_for(sys.stdout)
    done = f"Nothing to do: {facts.source.described} is as it is to be. `maas validate` proves that it works."
    said = "\n".join([*look.fold(done), "", arrival.reminder(place, has_key)])
    judged.write(look.finished(said) + "\n")


def dry_run(plan: Plan, found: Sequence[Rehearsed], output: Shape) -> None:
    """Ends with exit code 7 where the server refuses something."""
    if output is Shape.json:
        show_json({"outcome": "dry run", "steps": plan_text.document(plan), "tried": previews.document(found)})
    else:
        previews.told(found)
        print("Nothing was changed (--dry-run).")
    if any(each.outcome is Outcome.refused for each in found):
        raise typer.Exit(Unavailable.exit_code)


def proven(options: Options, wanted: Wanted, plan: Plan) -> None:
    """Ends with preflight's exit code where what was installed does not work."""
    proof = proved(options, wanted)
    if proof.obstacles:
        found = proof.judged
        sys.stderr.write(render(Format.short, found.findings, found.facts, found.asked, judged.look_for(sys.stderr)))
        notes().print("\nerror: everything is installed, but it does not work yet: `maas doctor` says why")
        judged.end(proof.obstacles, strict=False)
    key = asyncio.run(_first_key(options, wanted))
    place = asyncio.run(_arrived(options, wanted, proof))
    if options.manner.output is Shape.json:
        show_json(_document(plan, proof, place, key))
        return
    print(f"\n{arrival.told(wanted, place, key, proof.judged.facts.source.described, proof.why_not)}")


def proved(options: Options, wanted: Wanted) -> Proof:
    """Statuses, then requests: through the gateway's address, or a way that is opened to it for the moment."""
    found = of_cluster(_validation(options, wanted))
    if found.way.by_forwarding or found.way.why_not:
        return Proof(found, found.way.by_forwarding, why_not=found.way.why_not)
    tried = _was_tried(found)
    return Proof(found, tried, by_forwarding=not tried, why_not="" if tried else "its address does not answer")


def _validation(options: Options, wanted: Wanted) -> Validation:
    cluster = options.cluster
    target = Where(wanted.site.target.value)
    where, skip = wanted.namespace, (*options.manner.ignore, _NO_KEYS)
    return Validation(
        None, target, cluster.context, cluster.kubeconfig, "", "", where, _READING, _TRAFFIC, _REQUESTS, (), skip
    )


def _was_tried(found: Judged) -> bool:
    """MAAS-500: the gateway answers."""
    live = [finding for finding in found.findings if finding.category is Category.traffic]
    return any(finding.status in (Status.passed, Status.warning) for finding in live if finding.code == "MAAS-500")


async def _first_key(options: Options, wanted: Wanted) -> str | None:
    async with connect(options.cluster.context, options.cluster.kubeconfig) as api:
        return await keeping_keys.first(api, wanted)


async def _arrived(options: Options, wanted: Wanted, proof: Proof) -> arrival.Place:
    forward = _forward(options, wanted) if proof.by_forwarding else ""
    return arrival.place(wanted, proof.judged.facts, await _trusted(options, wanted), forward)


def _forward(options: Options, wanted: Wanted) -> str:
    return forwarding.command(options.cluster, forwarding.entry(wanted))


async def _trusted(options: Options, wanted: Wanted) -> Path | None:
    async with connect(options.cluster.context, options.cluster.kubeconfig) as api:
        try:
            return await arrival.trusted(api, wanted)
        except MaasError as error:
            notes().print(f"The gateway's certificate could not be fetched: {error}")
            return None


def _document(plan: Plan, proof: Proof, place: arrival.Place, key: str | None) -> dict[str, Any]:
    return {
        "outcome": "installed",
        "steps": plan_text.document(plan),
        "proven": proof.tried,
        "endpoint": place.endpoint,
        "address": place.address,
        "key": key,
    }
