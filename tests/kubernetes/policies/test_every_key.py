"""Whatever a tier and a key allow: the compiled judgement is domain.admission's, down to the reason."""

import time

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.domain.admission import Dialect, Refused, Request, decide
from maas.domain.keys import Key
from maas.embedded.counters import Counters
from tests.kubernetes.policies.evaluating import Asked, Compiled
from tests.kubernetes.policies.platforms import MODELS, key, wanted

NAMES = ("simulator", "other", "third.model")
MORE = f"{MODELS}  third.model: {{runtime: simulator}}\n"
CALLED = ("simulator", "other", "another", "third.model")  # an alias among them
HOSTS = {"third.model": "third-model"}
VALUE = "sk-maas-a-value"

some_models = st.none() | st.frozensets(st.sampled_from(NAMES))


@given(
    tier=st.sampled_from(["free", "gold"]),
    of_tier=some_models,
    of_key=some_models,
    expires_in=st.none() | st.sampled_from([-5.0, 500.0]),
    called=st.sampled_from(CALLED),
    by_path=st.booleans(),
)
@settings(deadline=None)
def test_who_may_do_what(
    tier: str,
    of_tier: frozenset[str] | None,
    of_key: frozenset[str] | None,
    expires_in: float | None,
    called: str,
    by_path: bool,
) -> None:
    """tier: gold is none of the platform's."""
    models = {} if of_tier is None else {"models": sorted(of_tier)}
    described = wanted(yaml.safe_dump({"tiers": {"free": models, "premium": {}}}), models=MORE)
    policies, now = Compiled(described), time.time()
    policies.secrets = [key(VALUE, tier, models=of_key, expires_in=expires_in)]
    said = policies.admitted(_asked(called, by_path=by_path))

    ends = None if expires_in is None else now + expires_in
    known = Key("key_1", b"", "", "ann", tier, "", created_at=0.0, expires_at=ends, models=of_key)
    request = Request("id", Dialect.CHAT, called, stream=False, body_bytes=10)
    verdict = decide(request, known, described.platform, Counters(), now)
    assert said.code == (str(verdict.why) if isinstance(verdict, Refused) else "")
    assert said.status == (403 if isinstance(verdict, Refused) else 200)


def _asked(called: str, *, by_path: bool) -> Asked:
    sent = {"authorization": f"Bearer {VALUE}"}
    if by_path:
        return Asked(sent, "maas.maas.local", f"/{called}/v1/chat/completions")
    return Asked(sent, f"{HOSTS.get(called, called)}.maas.local")
