"""maas validate: prove that an installation works. Statuses first, then requests through the gateway itself."""

import asyncio
import sys
import time
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from maas.cli import cluster_options as options
from maas.cli import judged, way_in
from maas.cli.cluster_options import TargetChoice
from maas.cli.ending import ended_by_signals
from maas.cli.facts import asked as asked_of
from maas.cli.facts import gather
from maas.cli.frame import home, noun
from maas.cli.installing.options import Cluster
from maas.cli.output import notes
from maas.cli.target import configured_cluster
from maas.cli.way_in import Way
from maas.cluster.facts.model import Facts, Source
from maas.domain.errors import InvalidInput, MaasError, NotRunning, Unavailable
from maas.embedded import platform as embedded
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Finding
from maas.readiness.judging import explained, judge
from maas.readiness.reports import Format

app = noun("Prove that an installation works, with live traffic.")

_PAUSE = 5.0  # seconds between two tries
_PHASES = (Phase.after, Phase.traffic, Phase.machine)


class Where(StrEnum):
    auto = "auto"
    local = "local"
    kubernetes = "kubernetes"
    openshift = "openshift"


TargetOption = Annotated[
    Where, typer.Option("--target", help="auto: this machine's platform if one runs, else the cluster.")
]
Url = Annotated[str, typer.Option("--url", help="Where clients reach the gateway, if that cannot be found out.")]
Model = Annotated[str, typer.Option("--model", help="The model to ask; default: the first that /v1/models names.")]
NoTraffic = Annotated[bool, typer.Option("--no-traffic", help="Read statuses only; send nothing, make no keys.")]
Wait = Annotated[
    float | None,
    typer.Option(
        "--wait", parser=options.seconds, metavar="DURATION", help="Try again until it is well, for so long at most."
    ),
]
TrafficTime = Annotated[
    float,
    typer.Option(
        "--traffic-timeout",
        parser=options.seconds,
        metavar="DURATION",
        show_default="3m",
        help="For all live requests.",
    ),
]
Requests = Annotated[
    int, typer.Option("--requests", min=1, help="How many may be spent to reach the smallest limit on requests.")
]


@dataclass(frozen=True)
class Options:
    source: Path | None
    target: Where
    context: str | None
    kubeconfig: Path | None
    url: str
    model: str
    namespace: str
    timeout: float
    traffic_time: float  # seconds; 0 for no live requests at all
    requests: int
    only: Collection[str]
    skip: Collection[str]


@dataclass(frozen=True)
class Judged:
    """way: by which live requests were sent, if any were."""

    facts: Facts
    asked: Asked
    findings: Sequence[Finding]
    way: Way = field(default_factory=Way)


@app.command()
def validate(
    source: options.From = None,
    target: TargetOption = Where.auto,
    url: Url = "",
    model: Model = "",
    namespace: options.Namespace = "llm",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    no_traffic: NoTraffic = False,
    wait: Wait = None,
    timeout: options.Timeout = 60.0,
    traffic_time: TrafficTime = 180.0,
    requests: Requests = 200,
    only: options.Only = [],  # noqa: B006  # Typer copies it
    skip: options.Skip = [],  # noqa: B006
    strict: options.Strict = False,
    output: options.FormatOption = Format.table,
) -> None:
    """Prove that an installation works: keys, limits, answers, streams, revoking.

    Live requests use keys that it makes for this, and removes whatever happens. Nothing else is changed.

    Exit code: 0 it works (warnings are no obstacle), 3 it does not, 4 warnings with --strict.

    Example: maas validate --target kubernetes --url https://models.example.com
    """
    chosen = judged.codes(only, "--only", _PHASES), judged.codes(skip, "--skip", _PHASES)
    if source and (wait or url):
        raise InvalidInput("--from reads a snapshot, which has no gateway to call: --wait and --url make no sense")
    for_traffic = 0.0 if no_traffic else traffic_time
    wanted = Options(
        source, target, context, kubeconfig, url, model, namespace, timeout, for_traffic, requests, *chosen
    )
    found = _repeated(wanted, wait, strict) if wait else _once(wanted)
    judged.show(output, found.findings, found.facts, found.asked)
    judged.end(found.findings, strict=strict)


def _repeated(wanted: Options, seconds: float, strict: bool) -> Judged:
    """The first that is well, or the last within the time."""
    end = time.monotonic() + seconds
    while True:
        last = _tried(wanted)
        well = isinstance(last, Judged) and judged.exit_code(last.findings, strict=strict) == 0
        if well or time.monotonic() + _PAUSE > end:
            break
        time.sleep(_PAUSE)
    if isinstance(last, Judged):
        return last
    raise last


def _tried(wanted: Options) -> Judged | MaasError:
    try:
        return _once(wanted)
    except (Unavailable, NotRunning) as error:
        return error


def _once(wanted: Options) -> Judged:
    return _local(wanted) if _is_local(wanted) else of_cluster(wanted)


def _is_local(wanted: Options) -> bool:
    if wanted.target is Where.auto and not (wanted.source or wanted.context or wanted.kubeconfig):
        return embedded.runs(home()) or configured_cluster() is None
    return wanted.target is Where.local


def _local(wanted: Options) -> Judged:
    from maas.readiness.traffic.checks import machine
    from maas.readiness.traffic.embedded_site import EmbeddedSite

    if wanted.source or wanted.context or wanted.kubeconfig:
        raise InvalidInput("--target local looks at this machine: --from, --context and --kubeconfig make no sense")
    here = home()
    findings = machine.examine(here, only=wanted.only, skip=wanted.skip)
    if wanted.traffic_time and embedded.runs(here):
        findings += _live(EmbeddedSite(here, wanted.url), wanted)
    source = Source(True, f"the platform on this machine ({here.root})")
    facts = Facts(source, time.time(), {}, {}, {})
    return Judged(facts, Asked(Target.local, Phase.after, namespace=wanted.namespace), explained(findings))


def of_cluster(wanted: Options) -> Judged:
    facts = gather(
        wanted.source, context=wanted.context, kubeconfig=wanted.kubeconfig, deadline=wanted.timeout, logs=False
    )
    target = TargetChoice(wanted.target.value)
    asked = asked_of(facts, target, phase=Phase.after, namespace=wanted.namespace)
    findings = judge(facts, asked, only=wanted.only, skip=wanted.skip)
    if wanted.source:
        findings += judge(facts, replace(asked, phase=Phase.traffic), only=wanted.only, skip=wanted.skip)
    elif wanted.traffic_time:
        return _through_the_gateway(Judged(facts, asked, findings), wanted)
    return Judged(facts, asked, explained(findings))


def _through_the_gateway(before: Judged, wanted: Options) -> Judged:
    cluster = Cluster(context=wanted.context, kubeconfig=wanted.kubeconfig, namespace=wanted.namespace)
    with way_in.found(cluster, before.facts, wanted.url, lambda line: notes().print(line, highlight=False)) as way:
        live = asyncio.run(_asked_through(way, before, wanted))
    return replace(before, findings=explained((*before.findings, *live)), way=way)


async def _asked_through(way: Way, before: Judged, wanted: Options) -> tuple[Finding, ...]:
    from maas.cluster.connection import connect
    from maas.readiness.traffic.cluster_site import ClusterSite

    async with connect(wanted.context, wanted.kubeconfig) as api:
        with way_in.believed(await way_in.ca_of(api, wanted.namespace)) as trust:
            return await _validated(ClusterSite(api, before.facts, before.asked, way.url, trust), wanted)


def _live(site: Any, wanted: Options) -> tuple[Finding, ...]:
    return asyncio.run(_validated(site, wanted))


async def _validated(site: Any, wanted: Options) -> tuple[Finding, ...]:
    from maas.readiness.traffic.validating import validate as through

    with notes().status("trying the gateway") if sys.stderr.isatty() else nullcontext() as line:

        def say(title: str) -> None:
            if line is not None:
                line.update(f"trying: {title}")

        return await ended_by_signals(
            through(
                site,
                deadline=wanted.traffic_time,
                model=wanted.model,
                most_requests=wanted.requests,
                only=wanted.only,
                skip=wanted.skip,
                say=say,
            )
        )
