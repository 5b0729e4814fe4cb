"""Whatever the tier and whatever came before: the compiled limits say what domain.admission.decide says.

Requests come one after another and each answer's tokens are known at once, since Kuadrant reserves nothing: of requests
side by side every one passes until the first has been reported. And a request that is refused for its tokens counts
against the limits of requests there; the comparison ends with the first of those.
"""

import re
from collections.abc import Sequence
from functools import cache

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.cluster.resources.windows import window
from maas.cluster.stack.rules import WINDOW, Rate
from maas.domain.admission import Admitted, Dialect, Refused, Request, decide
from maas.domain.keys import Key
from maas.domain.limits import Limit, Unit
from maas.domain.platform import Platform
from maas.embedded.counters import Counters
from tests.kubernetes.policies.evaluating import Asked, Compiled, Said
from tests.kubernetes.policies.platforms import wanted

USERS = ("ann", "bob")
ASKED = Asked({}, "simulator.maas.local")
Hit = tuple[str, float, int]
"""Who, how many seconds after the one before, and what it used."""

amounts = st.integers(0, 12)
seconds = st.sampled_from([1, 7, 60, 90, 3600, 86400, 31 * 86400])
hits = st.lists(
    st.tuples(st.sampled_from(USERS), st.sampled_from([0.0, 0.4, 1.0, 29.5, 60.0, 3599.0, 86400.0]), st.integers(1, 9)),
    max_size=25,
)


def limits_of(*units: Unit) -> st.SearchStrategy[list[Limit]]:
    one = st.builds(Limit, st.sampled_from(units), amounts, seconds)
    return st.lists(one, max_size=4, unique_by=lambda limit: (limit.unit, limit.seconds))


@settings(deadline=None)  # of which the first example compiles its expressions
@given(limits_of(Unit.REQUESTS), hits)
def test_requests(limits: list[Limit], history: list[Hit]) -> None:
    assert _compiled(limits, history) == _decided(limits, history)


@settings(deadline=None)  # of which the first example compiles its expressions
@given(limits_of(Unit.TOKENS), hits)
def test_tokens(limits: list[Limit], history: list[Hit]) -> None:
    assert _compiled(limits, history) == _decided(limits, history)


@settings(deadline=None)  # of which the first example compiles its expressions
@given(limits_of(Unit.REQUESTS, Unit.TOKENS), hits)
def test_both_until_tokens_run_out(limits: list[Limit], history: list[Hit]) -> None:
    found, decided = _compiled(limits, history), _decided(limits, history)
    ends = found.index("tokens") + 1 if "tokens" in found else len(found)
    assert [said != "" for said in found[:ends]] == [said != "" for said in decided[:ends]]


@given(st.integers(1, 366 * 86400))
@settings(max_examples=300, deadline=None)
def test_a_window_is_as_long_as_it_was(length: int) -> None:
    written = window(length)
    assert WINDOW.match(written), written
    assert Rate(1, written).seconds == length
    assert not re.search(r"(?<!\d)0[hms]", written)


def _decided(limits: Sequence[Limit], history: Sequence[Hit]) -> list[str]:
    """The unit of the limit that refused, or "" where the request passed."""
    platform, counters, now, said = _platform(tuple(limits)), Counters(), 0.0, []
    tier = platform.tiers["free"]
    for user, later, tokens in history:
        now += later
        key = Key("key_1", b"", "", user, "free", "", created_at=0.0)
        verdict = decide(Request("id", Dialect.CHAT, "simulator", False, 10, tokens), key, platform, counters, now)
        if isinstance(verdict, Admitted):
            counters.hold(user, "free", verdict.holds, now)
            counters.settle(user, "free", verdict.holds, tier.limits, tokens, 0, now)
        said.append(_unit(verdict))
    return said


def _unit(verdict: Admitted | Refused) -> str:
    return "" if isinstance(verdict, Admitted) or verdict.over is None else str(verdict.over.unit)


def _compiled(limits: Sequence[Limit], history: Sequence[Hit]) -> list[str]:
    policies, now, said = Compiled(wanted(_tiers(tuple(limits)))), 0.0, []
    for user, later, tokens in history:
        now += later
        admitted = Said(200, identity={"tier": "free", "userid": user})
        said.append(policies.limited(admitted, ASKED, now, tokens).code)
    return said


@cache
def _platform(limits: tuple[Limit, ...]) -> Platform:
    return wanted(_tiers(limits)).platform


def _tiers(limits: tuple[Limit, ...]) -> str:
    written = [{str(limit.unit): limit.amount, "per": limit.per} for limit in limits]
    return yaml.safe_dump({"tiers": {"free": {"limits": written}, "premium": {}}})
