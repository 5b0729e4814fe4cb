"""maas install --check-gpu on a cluster: whether a GPU there can carry the models, before all else."""

from collections.abc import Iterator, Sequence

import typer

from maas.cli import judged
from maas.cli.installing import wanting
from maas.cli.output import notes
from maas.cluster.wanted import GpuKind, Wanted
from maas.models.sizing import qwen3
from maas.models.sizing.fit import GIB, Wish, fit

_INSTEAD = """\
What can be done instead:
  --simulator                   serves a model that only pretends to think; it needs no GPU
  add a node with a GPU         `maas size MODEL --gpu NAME` says which would do
  maas doctor gpu               says why GPUs that are there are not seen"""


def require(wanted: Wanted) -> None:
    """Ends with the exit code of preflight, and the reasons, unless each model fits on a GPU of the cluster."""
    models = wanting.on_gpus(wanted.platform) or [wanting.QWEN3]
    problems = [line for weights in models for line in _problems(weights, wanted.site.gpus)]
    if not problems:
        return
    notes().print("error: no GPU of this cluster can carry what is asked for; nothing was changed")
    for line in problems:
        notes().print(f"  {line}")
    notes().print(_INSTEAD)
    raise typer.Exit(judged.NOT_READY)


def _problems(weights: str, gpus: Sequence[GpuKind]) -> Iterator[str]:
    if not gpus:
        yield f"{weights}: no node has a GPU that pods can ask for"
        return
    reasons = [_why_not(weights, kind) for kind in gpus]
    if all(reasons):
        yield from (f"{weights} on {kind.device.name}: {why}" for kind, why in zip(gpus, reasons, strict=True))
    else:
        fitting = next(kind for kind, why in zip(gpus, reasons, strict=True) if not why)
        size = fitting.device.total / GIB
        notes().print(f"GPU for {weights}: {fitting.device.name}, {size:.1f} GiB, {fitting.free} free on a node")


def _why_not(weights: str, kind: GpuKind) -> str:
    """ "" if it fits. A model of unknown size fits wherever a GPU is free."""
    if not kind.free:
        return "none is free on a node that takes pods"
    model = qwen3.find(weights)
    if model is None:
        return ""
    tried = [fit(model, kind.device, Wish(gpus=count)) for count in (1, 2, 4, 8) if count <= kind.free]
    if any(found.fits for found in tried):
        return ""
    return "; ".join(tried[-1].problems)
