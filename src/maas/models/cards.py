"""Which of this machine's GPUs a server gets: those with the most free memory, of one kind where several work together.

What is free now only decides the order, never whether a server is started: what takes the memory may be about to end.
"""

import os
import re
from collections.abc import Mapping, Sequence

from maas.domain.errors import Unavailable
from maas.models.machine import LocalGpu
from maas.models.sizing.fit import Device
from maas.models.sizing.vllm import TURING

_VISIBLE, _ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"

Group = tuple[LocalGpu, ...]


def groups(cards: Sequence[LocalGpu], many: int, asked: str) -> list[Group]:
    """Each of so many, the best first; never empty. asked: what the user wrote to get them. Raises Unavailable."""
    allowed = _allowed(cards)
    whole = sorted((card for card in allowed if not card.slice), key=_order)
    slices = [card for card in allowed if card.slice][:1]  # CUDA shows a process the first one, and no other
    if many == 1:
        return [(card,) for card in (*whole, *slices)]
    if len(whole) < many:
        raise Unavailable(f"{asked} needs {many} GPUs, and {_there(whole, slices)}. Write fewer, or leave it out")
    kinds = dict.fromkeys((card.name, card.device) for card in whole)
    alike = [[card for card in whole if (card.name, card.device) == kind] for kind in kinds]
    found = [tuple(each[:many]) for each in alike if len(each) >= many]
    return found or [tuple(whole[:many])]


def device(group: Group) -> Device:
    """What the weakest has: each has to carry the same."""
    least = min((card.device for card in group), key=lambda each: each.total)
    return Device(least.name, least.total, min(card.capability for card in group))


def named(group: Group) -> str:
    kinds = dict.fromkeys(card.name for card in group)
    return f"{len(group)} x {' and '.join(kinds)}" if len(group) > 1 else group[0].name


def variables(cards: Sequence[LocalGpu], group: Group) -> Mapping[str, str]:
    """What makes CUDA take these and no others, where there is a choice. A choice of the user's is only narrowed."""
    told = os.environ.get(_VISIBLE)
    if len(cards) == len(group) or any(card.slice or card.index is None for card in group) or _unread(told):
        return {}
    order = {} if told else {_ORDER: "PCI_BUS_ID"}  # else the fastest is 0, and not the one nvidia-smi calls so
    return {_VISIBLE: ",".join(str(card.index) for card in group), **order}


def _allowed(cards: Sequence[LocalGpu]) -> Sequence[LocalGpu]:
    told = os.environ.get(_VISIBLE)
    if not told or _unread(told):
        return cards
    numbers = {int(number) for number in told.split(",")}
    return [card for card in cards if card.index in numbers] or cards


def _unread(told: str | None) -> bool:
    """By their UUIDs, say."""
    return bool(told) and not re.fullmatch(r"\s*\d{1,4}\s*(,\s*\d{1,4}\s*)*", told or "")


def _order(card: LocalGpu) -> tuple[bool, int]:
    """Those that newer vLLMs run on go first."""
    return card.capability < TURING, -(card.memory if card.free is None else card.free)


def _there(whole: Sequence[LocalGpu], slices: Sequence[LocalGpu]) -> str:
    if slices and not whole:
        return f"slices of one ({slices[0].name}) can't work together"
    names = ", ".join(dict.fromkeys(card.name for card in whole))
    return f"{len(whole)} {'is' if len(whole) == 1 else 'are'} to be had here ({names})"
