"""Which of a cluster's GPUs a model gets, with which version of vLLM and which arguments.

The smallest card on which it fits: larger ones are left to models that need them. Nothing is asked of a network here:
a model whose shape is not known beforehand is served with what is safe on the card, and vLLM tells if it does not fit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from maas.cluster.components.pins import pins
from maas.cluster.resources import weights
from maas.cluster.wanted import GpuKind, Wanted
from maas.domain.errors import InvalidInput, Unavailable
from maas.domain.platform import Model
from maas.models import gpus
from maas.models.sizing import fit, qwen3, vllm
from maas.models.sizing.architecture import Architecture
from maas.models.sizing.fit import Device, Fit, Wish
from maas.models.vllm import unsized
from maas.models.vllm_options import gpus_at_once

_TAGS: dict[vllm.Version, str] = {(0, 8, 5): "0.8.5.post1"}  # the last that was built of it


@dataclass(frozen=True)
class Placing:
    """gpu: None where nobody knows which there are. weights: bytes of one GPU, 0 if not known."""

    gpu: GpuKind | None
    gpus: int
    version: vllm.Version
    options: dict[str, str]
    environment: dict[str, str]
    weights: int

    @property
    def tag(self) -> str:
        return f"v{_TAGS.get(self.version) or '.'.join(map(str, self.version))}"


def place(wanted: Wanted, model: Model) -> Placing:
    """After those before it in maas.yaml: what is added at its end moves none of them. Raises MaasError.

    The error says the reason, and what would help.
    """
    taken: dict[Device, list[int]] = defaultdict(list)
    for each in wanted.platform.models.values():
        if each.runtime == "vllm":
            placed = _place(wanted, each, taken)
            if each.name == model.name:
                return placed
            if placed.gpu:
                taken[placed.gpu.device].append(placed.gpus)
    return _place(wanted, model, taken)


def _place(wanted: Wanted, model: Model, taken: Mapping[Device, Sequence[int]]) -> Placing:
    many, shape = _many(model), weights.of(model).shape
    known = qwen3.find(shape)
    if not wanted.site.gpus:
        return _anywhere(model, known, many)
    found = [(kind, _placed(kind, model, known, many)) for kind in _in_order(wanted.site.gpus, many, taken)]
    for _, placed in found:
        if isinstance(placed, Placing):
            return placed
    said = "; ".join(f"{kind.device.name}: {why}" for kind, why in found)
    raise Unavailable(f"models.{model.name}: {shape} fits on no GPU of this cluster. {said}")


def _many(model: Model) -> int:
    try:
        return gpus_at_once(model.options)
    except InvalidInput as error:
        raise InvalidInput(f"models.{model.name}: {error}") from None


def _in_order(kinds: Sequence[GpuKind], many: int, taken: Mapping[Device, Sequence[int]]) -> list[GpuKind]:
    """Those that are free go first, then small ones."""

    def order(kind: GpuKind) -> tuple[bool, int, str]:
        return not _has_room(kind, taken.get(kind.device, ()), many), kind.device.total, kind.device.name

    return sorted(kinds, key=order)


def _has_room(kind: GpuKind, taken: Sequence[int], many: int) -> bool:
    """Whether a node has so many left, once these models have each gone to the fullest node that takes it."""
    nodes = list(kind.by_node or (kind.free,))
    for amount in taken:
        if fitting := [free for free in nodes if free >= amount]:
            nodes[nodes.index(min(fitting))] -= amount
    return max(nodes) >= many


def _placed(kind: GpuKind, model: Model, known: Architecture | None, many: int) -> Placing | str:
    """Or why not."""
    device, family = kind.device, known.family if known else ""
    version = _version(device.capability, family)
    if version is None:
        return f"no version of vLLM runs on compute capability {device.capability / 10}; T4 (7.5) or newer do"
    if known is None:
        return Placing(kind, many, version, unsized(device.capability, model.context_length), {}, 0)
    sized = fit.fit(known, device, Wish(many, model.context_length, version=version))
    if not sized.fits:
        return _why_not(sized)
    return Placing(kind, many, version, _options(sized), fit.environment(sized), sized.weights)


def _version(capability: int, family: str) -> vllm.Version | None:
    """The pinned one, where it works; else the newest that does."""
    pinned = vllm.parse(pins()["vllm"].version)
    works = vllm.working(capability, family)
    if not works:
        return None
    if any(each.holds(pinned) for each in works):
        return pinned
    return works[-1].last or works[-1].first


def _why_not(sized: Fit) -> str:
    advice = fit.advice(sized, tuple(Device(each.name, each.total, each.capability) for each in gpus.ALL))
    said = "; ".join(sized.problems)
    return f"{said}. With `maas size` it fits with {' or '.join(advice)}" if advice else said


def _options(sized: Fit) -> dict[str, str]:
    found = dict(_flag(argument) for argument in sized.args)
    del found["model"]
    return found


def _flag(argument: str) -> tuple[str, str]:
    flag, _, value = argument.removeprefix("--").partition("=")
    return flag, value


def _anywhere(model: Model, known: Architecture | None, many: int) -> Placing:
    """Nobody knows the cards: what runs on the oldest that vLLM runs on, a T4, runs on all."""
    oldest = min((gpu for gpu in gpus.ALL if gpu.capability >= vllm.TURING), key=lambda gpu: gpu.total)
    device = Device(oldest.name, oldest.total, oldest.capability)
    placed = _placed(GpuKind(device, many), model, known, many)
    if isinstance(placed, Placing):
        return replace(placed, gpu=None)
    version = vllm.parse(pins()["vllm"].version)
    return Placing(None, many, version, unsized(vllm.AMPERE, model.context_length), {}, 0)
