"""Who gets in, and for how long."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maas.readiness.findings import Outcome, Remedy, Seen, failed, passed, skipped, warning
from maas.readiness.traffic.answers import CHAT, MODELS, Answer, CannotAsk
from maas.readiness.traffic.declaring import live
from maas.readiness.traffic.site import Endpoint, Key

if TYPE_CHECKING:
    from maas.readiness.traffic.visit import Visit

_GIVEN_UP_AFTER = 20.0  # seconds in which a revoked key must have stopped working
_PAUSE = 0.05
_SENT_ELSEWHERE = frozenset({301, 302, 307, 308})
_QUICK = 10.0  # for what never reaches a model
_POLICY = Remedy(
    "Look whether an AuthPolicy targets the gateway and is Enforced. If it says so and requests pass all the same, "
    "look whether RHCL 1.4.0 is installed, which lets them.",
    (
        "kubectl get authpolicies -A",
        "kubectl rollout restart deploy/kuadrant-operator-controller-manager -n kuadrant-system",
    ),
)
_CAPITALS = Remedy(
    "Kuadrant up to 1.5.2 at least looks hosts up letter by letter, and lets pass what it does not find. `maas "
    "install` has the gateway write them in lower case first: look for its EnvoyFilter, maas-host-case.",
    ("kubectl get envoyfilters -A",),
)


@live(
    "MAAS-502",
    "without a key nobody gets in",
    wanted="401 to requests without a key, at every address",
    looks="GET /v1/models and POST /v1/chat/completions without a key, and the first with the host in capitals. Plain "
    "http may answer by sending to https.",
    why="An AuthPolicy can be Enforced while the gateway lets everybody pass (RHCL 1.4.0 does so), or who writes the "
    "host in capitals (Kuadrant up to 1.5.2 at least).",
    mend="Make the AuthPolicy hold for the route; restart the Kuadrant operator if it started too early.",
    covers=("All models require API key authentication", "Authentication/Rate Limiting Issues"),
    after=("MAAS-320", "MAAS-321", "MAAS-408"),
)
async def no_key(visit: Visit) -> AsyncIterator[Outcome]:
    async for outcome in _all_refused(visit, "without a key", {}):
        yield outcome


@live(
    "MAAS-503",
    "a wrong key does not get in",
    wanted="401 to requests with a key that nobody made",
    looks="The same requests as MAAS-502, with a random key.",
    why="A gateway that looks only whether there is a key protects nothing.",
    mend="As for MAAS-502.",
    covers=("All models require API key authentication", "Authentication/Rate Limiting Issues"),
    after=("MAAS-320", "MAAS-321", "MAAS-502", "MAAS-408"),
)
async def wrong_key(visit: Visit) -> AsyncIterator[Outcome]:
    wrong = visit.site.credentials(f"maas-wrong-{secrets.token_hex(16)}")
    async for outcome in _all_refused(visit, "with a wrong key", wrong):
        yield outcome


async def _all_refused(visit: Visit, how: str, headers: Mapping[str, str]) -> AsyncIterator[Outcome]:
    if not visit.endpoints:
        raise CannotAsk("the gateway does not answer: MAAS-500")
    bad = [outcome for each in visit.endpoints for outcome in await _refused(visit, each, how, headers)]
    for outcome in bad:
        yield outcome
    if not bad:
        yield passed(f"{how}: 401" + (f", at {len(visit.endpoints)} addresses" if len(visit.endpoints) > 1 else ""))


async def _refused(visit: Visit, endpoint: Endpoint, how: str, headers: Mapping[str, str]) -> list[Outcome]:
    caller = visit.caller_of(endpoint)
    question = {"model": "maas-validate", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    answers = {
        f"GET {endpoint.base}{MODELS}": await caller.get(MODELS, headers),
        f"POST {endpoint.base}{CHAT}": await caller.post(CHAT, headers, question, within=_QUICK),
    }
    found = [_not_refused(what, how, answer) for what, answer in answers.items() if not _is_kept_out(answer)]
    return found if found or headers else await _in_capitals(visit, endpoint)


async def _in_capitals(visit: Visit, endpoint: Endpoint) -> list[Outcome]:
    host = endpoint.host or urlsplit(endpoint.base).netloc
    answer = await visit.caller_of(endpoint).get(MODELS, {"Host": host.upper()})
    if host == host.upper() or not 200 <= answer.status < 300:
        return []
    what = f"GET {endpoint.base}{MODELS}"
    said = f"{what} without a key got {answer.said}, not 401, for the host {host.upper()}"
    return [failed(said, Seen(what, f"Host: {host.upper()}", answer.said), remedy=_CAPITALS, about=what)]


def _is_kept_out(answer: Answer) -> bool:
    """Also who is only sent to https, where the next answer is 401."""
    sent = answer.status in _SENT_ELSEWHERE and answer.headers.get("location", "").startswith("https://")
    return sent or answer.status == 401


def _not_refused(what: str, how: str, answer: Answer) -> Outcome:
    seen = Seen(what, how, answer.said)
    if answer.status == 404:
        return warning(f"{what} {how} got {answer.said}: no route is there to be protected", seen, about=what)
    said = f"{what} {how} got {answer.said}, not 401"
    if not answer.status or answer.status >= 500:
        gateway = Remedy("Look at the gateway's and Authorino's logs.", ("kubectl get pods -n kuadrant-system",))
        return failed(said, seen, remedy=gateway, about=what)
    return failed(said, seen, remedy=_POLICY, about=what)


@live(
    "MAAS-511",
    "a revoked key stops working",
    wanted="401 within seconds of revoking",
    looks="A new key that works, is revoked, and is tried until it is refused.",
    why="A key that leaked has to be stopped at once; Authorino notices only Secrets that have its label.",
    mend="Label the keys' Secrets authorino.kuadrant.io/managed-by=authorino; look whether Authorino runs.",
    covers=("All models require API key authentication",),
    after=("MAAS-502", "MAAS-503", "MAAS-331"),
)
async def revoked(visit: Visit) -> AsyncIterator[Outcome]:
    key = await visit.key(visit.roomiest, "revoked")
    before = await visit.get(MODELS, key)
    if before.status != 200:
        yield skipped(f"a new key does not work to begin with ({before.said}): MAAS-504")
        return
    await visit.site.withdraw(key)
    yield await _stops(visit, key)


async def _stops(visit: Visit, key: Key) -> Outcome:
    began = time.monotonic()
    while True:
        answer = await visit.get(MODELS, key)
        taken = time.monotonic() - began
        if answer.status == 401:
            break
        if taken > _GIVEN_UP_AFTER:
            said = f"a revoked key still gets {answer.said} after {taken:.0f} s"
            return failed(said, Seen(f"GET {MODELS}", "with a revoked key", answer.said), remedy=_REVOKE)
        await asyncio.sleep(_PAUSE)
    if taken > visit.site.revokes_within:
        return warning(f"a revoked key went on working for {taken:.1f} s", remedy=_REVOKE)
    return passed(f"a revoked key gets 401 after {taken:.1f} s")


_REVOKE = Remedy(
    "Look whether Authorino runs and watches the Secrets of keys.",
    ("kubectl logs -n kuadrant-system deploy/authorino --tail=50",),
)
