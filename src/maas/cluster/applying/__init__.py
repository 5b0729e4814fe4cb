"""Carrying out what a plan says, or rehearsing it, or showing what it would change."""

from maas.cluster.applying.differing import Changed, differences
from maas.cluster.applying.failure import Report, StepFailed, written
from maas.cluster.applying.rehearsing import Outcome, Rehearsed, rehearse
from maas.cluster.applying.running import carry_out
from maas.cluster.applying.told import Ask, Clock, Told

__all__ = [
    "Ask", "Changed", "Clock", "Outcome", "Rehearsed", "Report", "StepFailed", "Told", "carry_out", "differences",
    "rehearse", "written",
]  # fmt: skip
