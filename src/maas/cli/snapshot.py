"""maas snapshot: what the checks read of a cluster, in a file that can be carried elsewhere."""

import time
from pathlib import Path
from typing import Annotated

import typer

from maas.cli import cluster_options as options
from maas.cli.facts import gather
from maas.cli.frame import noun
from maas.cli.output import console, notes
from maas.cluster.facts.model import Facts, Unread
from maas.cluster.facts.snapshot_writing import ARCHIVES, refuse, write
from maas.cluster.kinds import BY_KEY
from maas.domain.errors import Unavailable

app = noun("Save what the checks read of a cluster, without its secrets.")

_SHOWN = 8  # kinds that were not read
Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE", help=f"Ends in {', '.join(ARCHIVES[:-1])} or {ARCHIVES[-1]}; else a folder."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]


@app.command()
def snapshot(
    output: Out = None,
    source: options.From = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    timeout: options.Timeout = 60.0,
    force: Force = False,
) -> None:
    """Save what the checks read of a cluster: objects, events and the ends of logs.

    Values of Secrets, passwords, tokens and private keys are taken out before anything is written. preflight, validate
    and doctor read the file with --from, on any machine. With --from, an export or a must-gather is condensed.

    Example: maas snapshot -o cluster.tar.gz
    """
    path = output or Path(f"maas-snapshot-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")
    refuse(path, overwrite=force)
    facts = gather(source, context=context, kubeconfig=kubeconfig, deadline=timeout, logs=True)
    _refuse_empty(facts)
    size = write(facts, path, overwrite=force)
    for line in _missing(facts):
        notes().print(line)
    console().print(f"{path} ({_human(size)}): {_held(facts)} of {facts.source.described}")
    notes().print(f"To judge it, here or elsewhere: maas preflight --from {path}")


def _refuse_empty(facts: Facts) -> None:
    """A file that holds nothing helps nobody, and looks as if it did. Raises Unavailable."""
    unread = [found for found in facts.lists.values() if isinstance(found, Unread)]
    if facts.source.live and unread and len(unread) == len(facts.lists):
        raise Unavailable(f"nothing was read of {facts.source.described}, so nothing is saved: {unread[0].reason}")


def _held(facts: Facts) -> str:
    objects = sum(len(found) for found in facts.lists.values() if not isinstance(found, Unread))
    return f"{objects:,} objects and {len(facts.logs):,} logs"


def _missing(facts: Facts) -> list[str]:
    """By reason, as one reason is mostly that of many kinds."""
    unread = [(_named(key), why) for key, why in facts.lists.items() if isinstance(why, Unread)]
    unread += [
        (what, why) for what, why in (("version", facts.version), ("APIs", facts.apis)) if isinstance(why, Unread)
    ]
    lines = [f"not read: {what}: {why.reason}" for what, why in unread[:_SHOWN]]
    lines += [f"not read: {len(unread) - _SHOWN} more kinds; the snapshot tells"] if len(unread) > _SHOWN else []
    return lines + [f"not readable: {file}: {why}" for file, why in list(facts.unreadable.items())[:_SHOWN]]


def _named(key: str) -> str:
    return BY_KEY[key].plural if key in BY_KEY else key


def _human(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
