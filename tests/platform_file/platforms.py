"""Any platform that maas.yaml can describe."""

from hypothesis import strategies as st

from maas.domain import money
from maas.domain.limits import Limit, Unit
from maas.domain.money import Price
from maas.domain.platform import Gateway, Model, Platform, Tier

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name not in ("v1", "llm", "health", "authz", "metrics")
)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=40)
_LINE = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=20)
_PRICE = st.integers(0, 9_000_000 * 10**6)
_COUNTED = st.builds(
    Limit, st.sampled_from([Unit.REQUESTS, Unit.TOKENS]), st.integers(0, 10**15), st.integers(1, 366 * 86400)
)
_MONEY = st.builds(
    lambda micros, seconds: Limit(Unit.MONEY, micros * money.PICO // 10**6, seconds),
    st.integers(0, 9_000_000 * 10**6),
    st.integers(1, 366 * 86400),
)


@st.composite
def models(draw: st.DrawFn, name: str) -> Model:
    external = draw(st.booleans())
    return Model(
        name,
        "external" if external else "simulator",
        draw(st.sampled_from(["http://127.0.0.1:8000", "https://[::1]/base", "http://x.y"])) if external else None,
        {}
        if external
        else draw(st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), _LINE, max_size=3)),
        draw(st.none() | st.integers(1, 10**9)),
        Price(draw(_PRICE), draw(_PRICE)),
        draw(TEXTS),
    )


@st.composite
def tiers(draw: st.DrawFn, name: str, known: list[str]) -> Tier:
    limits = draw(st.lists(_COUNTED | _MONEY, max_size=4, unique_by=lambda limit: (limit.unit, limit.seconds)))
    may = draw(st.none() | st.frozensets(st.sampled_from(known))) if known else None
    return Tier(name, tuple(limits), may, draw(TEXTS))


@st.composite
def gateways(draw: st.DrawFn) -> Gateway:
    http, https, metrics = draw(st.lists(st.integers(1, 65535), min_size=3, max_size=3, unique=True))
    bind, remote = draw(st.sampled_from([("127.0.0.1", False), ("::1", True), ("10.0.0.1", True)]))
    hosts = draw(st.lists(st.sampled_from(["a", "models.example.com", "no"]), max_size=2))
    certificate, key = draw(st.sampled_from([(None, None), ("/a b/c: d", "#k")]))
    return Gateway(bind, http, https, metrics, remote, tuple(hosts), certificate, key)


@st.composite
def platforms(draw: st.DrawFn) -> Platform:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    described = draw(st.lists(NAMES, max_size=3, unique=True))
    return Platform(
        {name: draw(models(name)) for name in names},
        {name: draw(tiers(name, names)) for name in described},
        draw(gateways()),
        draw(st.integers(1, 36500)),
    )
