"""The file that `maas init` writes: the default tiers of the issue, and comments that are true."""

import re

import pytest

from maas.domain.limits import Limit, Unit
from maas.domain.platform import Endpoint, Gateway
from maas.domain.platform_file import default_text, load


@pytest.mark.parametrize(
    ("tier", "requests", "tokens"), [("free", 5, 200), ("premium", 20, 1000), ("enterprise", 50, 5000)]
)
def test_tiers_are_those_of_the_issue(tier: str, requests: int, tokens: int) -> None:
    limits = load(default_text()).tiers[tier].limits
    assert limits == (Limit(Unit.REQUESTS, requests, 120), Limit(Unit.TOKENS, tokens, 60))


def test_it_serves_the_simulator_on_the_default_gateway() -> None:
    platform = load(default_text())
    assert list(platform.models) == ["simulator"]
    assert platform.gateway == Gateway()


def test_what_is_commented_out_is_valid_too() -> None:
    """Prose starts with a capital or follows a second #; all other comments are lines of the file."""
    text = re.sub(r"^( *)# (?=[-a-z_ ]+[:{])", r"\1", default_text(), flags=re.MULTILINE)
    platform = load(text)
    assert platform.gateway.remote
    assert platform.models["llama"].endpoints == (Endpoint("http://127.0.0.1:8000"),)
    assert [str(limit) for limit in platform.tiers["premium"].limits][2:] == [
        "500000 tokens per 1d",
        "10 money per 30d",
    ]
