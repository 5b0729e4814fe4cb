"""Any platform that maas.yaml can describe."""

from hypothesis import strategies as st

from maas.domain import money
from maas.domain.limits import Limit, Unit
from maas.domain.money import Price
from maas.domain.platform import Endpoint, Gateway, Model, Platform, Tier

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


_ENDPOINTS = st.builds(
    Endpoint,
    st.sampled_from(["http://127.0.0.1:8000", "https://[::1]/base", "http://x.y"]),
    st.integers(1, 1000),
    st.none() | st.sampled_from(["/etc/a key", "/run/secrets/openai: #1"]),
)
_WEIGHTS = st.sampled_from(["/models/a b.gguf", "Qwen/Qwen3-0.6B-GGUF", "~", "no", "smollm2"])


@st.composite
def models(draw: st.DrawFn, name: str) -> Model:
    runtime = draw(st.sampled_from(["simulator", "llama-cpp", "vllm", "external"]))
    external = runtime == "external"
    options = st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), _LINE, max_size=3)
    return Model(
        name,
        runtime,
        tuple(draw(st.lists(_ENDPOINTS, min_size=1, max_size=3))) if external else (),
        {} if external else draw(options),
        draw(st.none() | st.integers(1, 10**9)),
        Price(draw(_PRICE), draw(_PRICE)),
        draw(TEXTS),
        draw(_WEIGHTS) if runtime in ("llama-cpp", "vllm") else None,
        draw(st.none() | st.sampled_from(["gpt-4o", "Qwen/Qwen3: 8B", "no"])) if external else None,
        (f"{name[:50]}-too", f"{name[:50]}.2") if draw(st.booleans()) else (),
        0 if external else draw(st.sampled_from([0, 1, 90, 540])),
        external and draw(st.booleans()),
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
