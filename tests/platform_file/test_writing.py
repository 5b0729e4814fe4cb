"""What is written reads back as the same platform, and equal platforms have no difference."""

from hypothesis import given, settings

from maas.domain.platform import Platform
from maas.domain.platform_file import default_text, diff, dump, load
from tests.platform_file.platforms import platforms


@settings(max_examples=100, deadline=None)
@given(platforms())
def test_what_is_written_reads_as_the_same_platform(platform: Platform) -> None:
    assert load(dump(platform)) == platform


@settings(max_examples=50, deadline=None)
@given(platforms(), platforms())
def test_only_equal_platforms_have_no_difference(one: Platform, other: Platform) -> None:
    assert diff(one, one) == []
    assert bool(diff(one, other)) == (one != other)
    assert len(diff(one, other)) == len(diff(other, one))


def test_a_person_would_have_written_it_so() -> None:
    text = "models:\n  m: {runtime: simulator, price: {input: '0.150', output: 10}}\ntiers:\n  free:\n    limits:\n"
    text += "      - {tokens: 1_000, per: 60s}\n      - {money: 2.50, per: 24h}\n"
    assert dump(load(text)) == (
        "models:\n  m:\n    runtime: simulator\n    price: {input: 0.15, output: 10}\n"
        "tiers:\n  free:\n    limits:\n    - {tokens: 1000, per: 1m}\n    - {money: 2.5, per: 1d}\n"
    )


def test_differences_read_as_lines() -> None:
    old = load(default_text())
    new = load(
        default_text()
        .replace("requests: 5,", "requests: 7,")
        .replace("context_length: 8192", "url:")
        .replace("{tokens: 200, per: 1m}", "{tokens: 200, per: 2m}")
        + "gateway: {http_port: 9000}\n"
    )
    assert [str(change) for change in diff(old, new)] == [
        "~ gateway.http_port: 8080 -> 9000",
        "- models.simulator.context_length: 8192",
        "~ tiers.free.limits.requests per 2m: 5 -> 7",
        "- tiers.free.limits.tokens per 1m: 200",
        "+ tiers.free.limits.tokens per 2m: 200",
    ]
