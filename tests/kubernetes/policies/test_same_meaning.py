"""One table of cases, told to the embedded platform for real and to the policies that a cluster gets of the same file.

A case is a number of requests of one user, one after another. Where the targets cannot mean the same, the case says
what the cluster says instead, and why: a difference that goes away, or a new one, fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from maas.cluster.wanted import Wanted
from tests.kubernetes.policies.evaluating import Asked, Compiled
from tests.kubernetes.policies.platforms import MODELS, key, wanted
from tests.running import PATIENCE, Running, running

TIERS = """
tiers:
  free: {limits: [{requests: 5, per: 2m}]}
  several: {limits: [{requests: 2, per: 1h}, {requests: 4, per: 1d}]}
  shut: {limits: [{requests: 0, per: 1h}]}
  no_tokens: {limits: [{tokens: 0, per: 1h}]}
  both: {limits: [{requests: 3, per: 2m}, {tokens: 100000, per: 1m}]}
  spent: {limits: [{requests: 4, per: 2m}, {tokens: 10, per: 1h}]}
  narrow: {models: [other]}
  open: {}
"""
CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Case:
    """says: the status of each request. cluster: where it is another there, with the reason.

    sent: how the key is presented, "{}" being its value; None sends none. max_tokens: which the simulator uses up.
    """

    name: str
    tier: str
    says: list[int]
    cluster: tuple[list[int], str] | None = None
    model: str = "simulator"
    models: frozenset[str] | None = None
    sent: tuple[str, str] | None = ("authorization", "Bearer {}")
    path: str = CHAT
    method: str = "POST"
    expires: bool = False
    max_tokens: int = 5
    shared: bool = False  # the model is named by the path, at the host of all models
    further: list[str] = field(default_factory=list)  # models of the requests after the first

    def model_of(self, request: int) -> str:
        return self.further[request - 1] if request and self.further else self.model

    def path_of(self, request: int) -> str:
        return f"/{self.model_of(request)}{self.path}" if self.shared else self.path

    def host_of(self, request: int) -> str:
        return "maas.maas.local" if self.shared else f"{self.model_of(request)}.maas.local"


ONE = [200]
CASES = [
    Case("five of seven", "free", [200] * 5 + [429] * 2),
    Case("the strictest of several limits", "several", [200, 200, 429, 429]),
    Case("no requests at all", "shut", [429, 429]),
    Case("no tokens at all", "no_tokens", [429]),
    Case("requests run out before tokens", "both", [200] * 3 + [429]),
    Case("tokens run out before requests: the answer that crosses the limit passes", "spent", [200, 429]),
    Case("a tier without limits", "open", [200] * 8),
    Case("a model that is not the tier's", "narrow", [403]),
    Case("a model that is the tier's", "narrow", ONE, model="other"),
    Case("an alias of a model that is the tier's", "narrow", ONE, model="another"),
    Case("a model that is not the key's", "open", [403], models=frozenset({"other"})),
    Case("a model that is the key's", "open", ONE, model="other", models=frozenset({"other"})),
    Case("an alias of a model that is the key's", "open", ONE, model="another", models=frozenset({"other"})),
    Case("a model that the key has and the tier has not", "narrow", [403], models=frozenset({"simulator"})),
    Case(
        "a refusal burns nothing",
        "several",
        [403, 403, 403, 200, 200, 429],
        models=frozenset({"simulator"}),
        model="other",
        further=["other", "other", "simulator", "simulator", "simulator"],
    ),
    Case("discovery where no request is left", "shut", [200] * 3, path="/v1/models", method="GET"),
    Case("discovery where no token is left", "no_tokens", ONE, path="/v1/models", method="GET"),
    Case("APIKEY", "open", ONE, sent=("authorization", "APIKEY {}")),
    Case("bearer", "open", ONE, sent=("authorization", "bearer {}")),
    Case("apikey", "open", ONE, sent=("authorization", "apikey {}")),
    Case("x-api-key", "open", ONE, sent=("x-api-key", "{}")),
    Case("no key", "open", [401], sent=None),
    Case("an unknown key", "open", [401], sent=("authorization", "Bearer {}x")),
    Case("a key beside another scheme", "open", [401], sent=("authorization", "Basic {}")),
    Case("a path that leads nowhere", "open", [404], path="/v1/nothing"),
    Case(
        "a dialect that Kuadrant cannot count",
        "open",
        ONE,
        ([404], "its usage is not where Kuadrant looks for it, and nothing is to be free: no route leads there"),
        path="/v1/messages",
    ),
    Case(
        "a dialect that Kuadrant cannot count, at the host of all models",
        "open",
        ONE,
        ([403], "as before; here the route takes every path of a model, so Authorino refuses"),
        path="/v1/messages",
        shared=True,
    ),
    Case("an expired key", "open", [401], ([403], "Authorino has one status for all that it denies"), expires=True),
    Case(
        "one budget for all models, at the host of all models",
        "several",
        [200, 200, 429, 429],
        shared=True,
        further=["other", "simulator", "another"],
    ),
    Case("a model that is not the tier's, at the host of all models", "narrow", [403], shared=True),
    Case("an alias of the tier's, at the host of all models", "narrow", ONE, model="another", shared=True),
    Case(
        "one budget for all models, at their own hosts",
        "several",
        [200, 200, 429],
        ([200, 200, 200], "Kuadrant counts at each HTTPRoute for itself: a model's own host has a budget of its own"),
        further=["simulator", "other"],
    ),
]


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    """What running() writes, but for an alias."""
    with running(tiers=TIERS) as platform:
        document = platform.api.get("/v1/platform").raise_for_status().json()["text"]
        aliased = document.replace("other: {runtime: simulator}", "other: {runtime: simulator, aliases: [another]}")
        assert aliased != document
        platform.api.post("/v1/platform/apply", json={"text": aliased}, timeout=90).raise_for_status()
        yield platform


@pytest.fixture(scope="module")
def described() -> Wanted:
    return wanted(TIERS, models=MODELS)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_both_targets_say_the_same(up: Running, described: Wanted, case: Case) -> None:
    assert _embedded(up, case) == case.says
    said = _compiled(described, case)
    if case.cluster is None:
        assert said == case.says
    else:
        assert said == case.cluster[0], case.cluster[1]
        assert said != case.says, "the difference has gone: say so"


def _embedded(up: Running, case: Case) -> list[int]:
    made = up.made_key(f"user of {case.name}", case.tier, **_restricted(case))
    if case.expires:
        _expire(up, made["id"])
    return [_sent(up, case, made["key"], request) for request in range(len(case.says))]


def _restricted(case: Case) -> dict[str, object]:
    return {"models": sorted(case.models)} if case.models is not None else {}


def _expire(up: Running, id: str) -> None:
    """A rotated key without grace ends at once."""
    up.api.post(f"/v1/api-keys/{id}/rotate", json={"grace": "0s"}).raise_for_status()


def _sent(up: Running, case: Case, value: str, request: int) -> int:
    headers = {case.sent[0]: case.sent[1].format(value)} if case.sent else {}
    url = f"{up.url}{case.path_of(request)}"
    if case.method == "GET":
        return httpx.get(url, headers=headers, timeout=PATIENCE).status_code
    messages = [{"role": "user", "content": "Hello there, how are you today?"}]
    body = {"model": case.model_of(request), "messages": messages, "max_tokens": case.max_tokens}
    return httpx.post(url, headers=headers, json=body, timeout=PATIENCE).status_code


def _compiled(described: Wanted, case: Case) -> list[int]:
    policies, value = Compiled(described), "sk-maas-a-value"
    policies.secrets = [key(value, case.tier, models=case.models, expires_in=-1.0 if case.expires else None)]
    headers = {case.sent[0]: case.sent[1].format(value)} if case.sent else {}
    found = []
    for request in range(len(case.says)):
        asked = Asked(headers, case.host_of(request), case.path_of(request), case.method)
        found.append(policies.ask(asked, now=1000.0 + request, tokens=10 + case.max_tokens).status)
    return found
