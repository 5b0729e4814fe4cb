"""A key is judged by each form in which a request can name its model; and keys that are not as they should be."""

from typing import Any

import pytest

from maas.cluster.wanted import Wanted
from tests.kubernetes.policies.evaluating import Asked, Compiled, Said
from tests.kubernetes.policies.platforms import key, wanted

TIERS = """
tiers:
  open: {}
  narrow: {models: [other]}
  none: {models: []}
  shut: {limits: [{requests: 3, per: 1h}]}
"""
CHAT, SHARED = "/v1/chat/completions", "maas.maas.local"
VALUE = "sk-maas-a-value"
SENT = {"authorization": f"Bearer {VALUE}"}


@pytest.fixture(scope="module")
def described() -> Wanted:
    return wanted(TIERS)


def asked(described: Wanted, host: str, path: str = CHAT, tier: str = "open", **of_key: Any) -> Said:
    policies = Compiled(described)
    policies.secrets = [key(VALUE, tier, **of_key)]
    return policies.admitted(Asked(SENT, host, path, "GET" if "/v1/models" in path else "POST"))


@pytest.mark.parametrize(
    ("host", "path", "model"),
    [
        ("simulator.maas.local", CHAT, "simulator"),
        ("SIMULATOR.maas.local:8443", f"{CHAT}?a=/b", "simulator"),
        ("another.maas.local", "/v1/models/other", "other"),
        (SHARED, f"/other{CHAT}", "other"),
        (f"{SHARED}:443", "/another/v1/embeddings", "other"),
        (SHARED, "/simulator/v1/models?x", "simulator"),
    ],
)
def test_the_model_of_a_request(described: Wanted, host: str, path: str, model: str) -> None:
    said = asked(described, host, path)
    assert (said.status, said.identity.get("model")) == (200, model)
    restricted = asked(described, host, path, tier="narrow")
    assert restricted.status == (200 if model == "other" else 403)
    mine = asked(described, host, path, models=frozenset({"other"}))
    assert mine.status == (200 if model == "other" else 403)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("10.0.0.1", CHAT),
        ("elsewhere.example.com", CHAT),
        (SHARED, CHAT),
        (SHARED, f"/nothing{CHAT}"),
        (SHARED, f"//other{CHAT}"),
        ("maas.local", CHAT),
    ],
)
def test_who_is_restricted_gets_no_model_that_nobody_knows(described: Wanted, host: str, path: str) -> None:
    assert asked(described, host, path, tier="narrow").status == 403
    assert asked(described, host, path, models=frozenset({"other"})).status == 403


@pytest.mark.parametrize(
    "path",
    ["/v1/messages", "/v1/responses", "/v1/modelsx", "/v1", "/", "/metrics", "/v1/load_lora_adapter", "/tokenize"],
)
def test_what_nobody_could_count(described: Wanted, path: str) -> None:
    assert asked(described, "simulator.maas.local", path) == Said(403, "unknown_url")
    assert asked(described, SHARED, f"/simulator{path}") == Said(403, "unknown_url")


def test_refusals_say_why(described: Wanted) -> None:
    host = "simulator.maas.local"
    assert asked(described, host, tier="gold") == Said(403, "tier_not_allowed")
    assert asked(described, host, expires_in=-1.0) == Said(403, "expired_api_key")
    assert asked(described, host, tier="gold", expires_in=-1.0) == Said(403, "expired_api_key")
    assert asked(described, host, tier="narrow") == Said(403, "model_not_allowed")
    assert asked(described, host, expires_in=3600.0).status == 200


def test_a_tier_or_a_key_without_models_may_use_none(described: Wanted) -> None:
    assert asked(described, "simulator.maas.local", tier="none").status == 403
    assert asked(described, "simulator.maas.local", models=frozenset()).status == 403


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"kuadrant.io/groups": None}, "tier_not_allowed"),
        ({"kuadrant.io/groups": "open,narrow"}, "tier_not_allowed"),
        ({"secret.kuadrant.io/user-id": None}, "tier_not_allowed"),
        ({"maas.io/expires": "soon"}, "expired_api_key"),
        ({"maas.io/expires": "2099"}, "expired_api_key"),
        ({"maas.io/models": "-"}, "model_not_allowed"),
    ],
)
def test_what_is_missing_or_absurd_is_refused(described: Wanted, changed: dict[str, str | None], code: str) -> None:
    """A key without a user would be counted by no limit."""
    policies = Compiled(described)
    secret: Any = key(VALUE, "open")
    noted = secret["metadata"]["annotations"] | changed
    secret["metadata"]["annotations"] = {name: value for name, value in noted.items() if value is not None}
    policies.secrets = [secret]
    assert policies.admitted(Asked(SENT, "simulator.maas.local")) == Said(403, code)


def test_a_secret_without_annotations_is_no_key(described: Wanted) -> None:
    policies = Compiled(described)
    secret: Any = key(VALUE, "open")
    del secret["metadata"]["annotations"]
    policies.secrets = [secret]
    assert policies.admitted(Asked(SENT, "simulator.maas.local")).status == 403


@pytest.mark.parametrize("identity", [{"tier": "gold", "userid": "ann"}, {"tier": "", "userid": "ann"}])
def test_a_tier_that_no_limit_names_gets_nothing(described: Wanted, identity: dict[str, str]) -> None:
    """Should an AuthPolicy of somebody else's let it in."""
    said = Compiled(described).limited(Said(200, identity=identity), Asked({}, "simulator.maas.local"), 0.0, 1)
    assert (said.status, said.code) == (429, "requests")


def test_another_user_has_a_budget_of_his_own(described: Wanted) -> None:
    policies, request = Compiled(described), Asked({}, "simulator.maas.local")
    said = [
        policies.limited(Said(200, identity={"tier": "shut", "userid": user}), request, 0.0, 1).status
        for user in ("ann", "ann", "ann", "ann", "bob")
    ]
    assert said == [200, 200, 200, 429, 200]
