"""Users and keys that `maas validate` makes for each run: real ones, and many, so lists for people sum them up.

They are new in each run, as limits count per user and for as long as a day: a run must not find its quota spent by the
one before. Nothing is hidden from programs: JSON has them one by one.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from maas.readiness.traffic.site import PREFIX

NAME = PREFIX.rstrip("-")
_NUMBERS = ("requests", "failed", "estimated", "prompt_tokens", "completion_tokens", "total_tokens")


def together(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Usage by user, with one line for all that were made for validations, in the place of the first."""
    made = [line for line in lines if _is_made(line["name"])]
    if not made:
        return list(lines)
    cost = sum((Decimal(str(line["cost"])) for line in made), Decimal())
    summed = {"name": NAME, **{name: sum(line[name] for line in made) for name in _NUMBERS}, "cost": f"{cost:f}"}
    return [summed if line is made[0] else line for line in lines if line is made[0] or not _is_made(line["name"])]


def without_spent(keys: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """The keys but for those of validations that no longer work, and how many these are."""
    kept = [key for key in keys if key["status"] == "active" or not _is_made(key["username"])]
    return kept, len(keys) - len(kept)


def _is_made(user: object) -> bool:
    return str(user).startswith(PREFIX)
