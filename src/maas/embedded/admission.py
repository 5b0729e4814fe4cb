"""The endpoint that Envoy asks before it lets a request pass, on a unix socket that only the owner may open.

It answers 200 with where to send the request, or the very answer that the client will get. It lives on the
same event loop as everything that changes its mind (keys, limits, settlements), so a verdict and its
reservation can't be torn apart, and revoking a key is one assignment.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson
from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian.rsgi import Scope

from maas.domain import admission as policy
from maas.domain import keys
from maas.domain.admission import Admitted, Refused, Request, Status, Why
from maas.domain.keys import Key
from maas.domain.platform import Model, Platform
from maas.embedded import answering, asking
from maas.embedded.answering import Pairs
from maas.embedded.asking import Headers, Target
from maas.embedded.decisions import Admission
from maas.embedded.loading import Loading, NotReady
from maas.embedded.metering import Metering
from maas.embedded.metrics import Metrics

PREFIX = "/authz"
KNOCK_PREFIX = "/knock"
LOADING_PREFIX = "/loading/"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SETTLING_PATIENCE = 0.25  # how long a request may wait for those before it to settle
_NEEDS_USAGE_FRAMES = (policy.Dialect.CHAT, policy.Dialect.COMPLETIONS)


@dataclass(slots=True)
class View:
    """What admission decides by. Replaced or changed in place by the control plane, between two requests.

    keys: by hash. instances: model name to the gateway cluster that serves it.
    """

    platform: Platform
    keys: dict[bytes, Key]
    instances: Mapping[str, str]


@dataclass(slots=True)
class _Question:
    """What Envoy asked, and what has been found out about it so far."""

    protocol: HTTPProtocol
    method: str
    path: str
    headers: Headers
    target: Target | None
    key: Key | None = None
    model: str | None = None


class AdmissionEndpoint:
    def __init__(
        self,
        view: View,
        metering: Metering,
        pepper: bytes,
        metrics: Metrics,
        loading: Loading,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._view, self._metering, self._pepper, self._clock = view, metering, pepper, clock
        self._loading = loading
        self._metrics = metrics

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        path = scope.path
        decided = "x-maas-route" in scope.headers  # then a client chose the path, and this is not Envoy's question
        if path.startswith(PREFIX) and not decided:
            await self._authorize(scope, protocol, path[len(PREFIX) :])
        elif path.startswith(KNOCK_PREFIX) and not decided:
            self._knock(scope, protocol, path[len(KNOCK_PREFIX) :])
        elif scope.headers.get("x-maas-route") == "loading":
            self._loading_reply(protocol, self._loading.trouble(scope.headers.get("x-maas-model") or ""), path)
        elif path.startswith(LOADING_PREFIX) and not decided:
            await self._wait(scope, protocol, path[len(LOADING_PREFIX) :])
        elif path == "/health":
            _reply(protocol, 200, b'{"status":"healthy"}')
        elif path == "/metrics":
            protocol.response_bytes(200, [("content-type", METRICS_TYPE)], self._metrics.text())
        else:
            self._discover(scope, protocol, path)

    # --- the question

    def _knock(self, scope: Scope, protocol: HTTPProtocol, path: str) -> None:
        """Before a large body is read: whose is it? What it asks for is known later, and may be refused then."""
        asked = _Question(protocol, scope.method, path, scope.headers, asking.target(path))
        caller = self._caller(asked)
        if isinstance(caller, Refused):
            self._refuse(asked, caller)
        else:
            protocol.response_empty(200, [("x-maas-known", "1")])

    async def _authorize(self, scope: Scope, protocol: HTTPProtocol, path: str) -> None:
        asked = _Question(protocol, scope.method, path, scope.headers, asking.target(path))
        caller = self._caller(asked)
        if isinstance(caller, Refused):
            self._refuse(asked, caller)
            return
        if asked.target is None:
            message = f"There is nothing at {asked.method} {path[:200]}. The API is under /v1/."
            self._refuse(asked, Refused(Why.NO_ROUTE, message))
        elif asked.target.dialect is None:
            self._discovery(asked, caller)
        elif asked.method != "POST":
            self._refuse(asked, Refused(Why.METHOD, f"{asked.method} is not allowed here; send a POST."))
        else:
            await self._inference(asked, asked.target, caller)

    def _caller(self, asked: _Question) -> Key | Refused:
        value = asking.presented_key(asked.headers)
        if value is None:
            message = "No API key was sent. Send one as `Authorization: Bearer <key>`, `APIKEY <key>` or `x-api-key`."
            return Refused(Why.NO_KEY, message)
        asked.key = self._view.keys.get(keys.hash_of(value, self._pepper))
        identity = policy.identify(asked.key, self._view.platform, self._clock())
        return identity if isinstance(identity, Refused) else identity[0]

    async def _inference(self, asked: _Question, target: Target, key: Key) -> None:
        body = await asked.protocol() if target.dialect is policy.Dialect.COMPLETIONS else b""
        request = asking.inference(target, asked.headers, body, self._view.platform)
        if isinstance(request, Refused):
            self._refuse(asked, request)
            return
        asked.model = request.model
        deadline = self._clock() + SETTLING_PATIENCE
        while True:
            now = self._clock()
            live = self._view.keys.get(key.hash)
            verdict = policy.decide(request, live, self._view.platform, self._metering.counters, now)
            if isinstance(verdict, Admitted):
                if not verdict.model.wait and (trouble := self._loading.trouble(request.model)):
                    self._turn_away(asked, request.model, trouble)
                    return
                self._admit(asked, request, key, verdict, now)
                return
            if not verdict.settling or not await self._metering.settled(key.user, deadline - now):
                self._refuse(asked, verdict)
                return

    # --- the answer

    def _admit(self, asked: _Question, request: Request, key: Key, verdict: Admitted, now: float) -> None:
        instance = self._view.instances[request.model]
        admission = Admission(request, key.id, key.user, key.tier, instance, now, verdict.holds, verdict.model.price)
        try:
            self._metering.admit(admission, {"path": asked.path, "limits": _seen(verdict.statuses)})
        except OSError:
            # Envoy takes a 5xx for a failure of ours and answers 503 itself; see embedded/envoy/replies.py.
            asked.protocol.response_empty(503, [])
            return
        self._metrics.verdict(key.user, key.tier, request.model, True)
        pairs: Pairs = [("x-maas-route", "model"), ("x-maas-cluster", _way_in(instance, verdict.model))]
        if request.stream and request.dialect in _NEEDS_USAGE_FRAMES:
            pairs.append(("x-maas-force-usage", "1"))
            if asked.headers.get("x-maas-include-usage") != "true":
                pairs.append(("x-maas-strip-usage", "1"))
        served_name = verdict.model.served_name or verdict.model.name
        if asked.headers.get("x-maas-model") != served_name:
            pairs.append(("x-maas-write-model", served_name))
        if request.stream and _may_close_silently(verdict.model):
            pairs.append(("x-maas-connection", "close"))
        if verdict.model.wait and self._loading.trouble(request.model):
            pairs.append(("x-maas-wait", str(verdict.model.wait)))
        asked.protocol.response_empty(200, pairs + answering.limit_headers(verdict.statuses))

    # --- models that are not ready

    def _turn_away(self, asked: _Question, model: str, trouble: NotReady) -> None:
        """Not by a refusal: Envoy takes a 503 of ours for a failure, and would answer without our words."""
        self._note_refusal(asked, trouble.code, 503, trouble.message)
        asked.protocol.response_empty(200, [("x-maas-route", "loading"), ("x-maas-model", model)])

    async def _wait(self, scope: Scope, protocol: HTTPProtocol, instance: str) -> None:
        """Envoy asks on behalf of a request that it holds back."""
        model = instance.partition("@")[0]
        seconds = scope.headers.get("x-maas-wait") or "0"
        trouble = await self._loading.wait(model, float(seconds))
        if trouble is None:
            protocol.response_empty(204, [])
        else:
            self._loading_reply(protocol, trouble, scope.headers.get("x-maas-asked") or "")

    def _loading_reply(self, protocol: HTTPProtocol, trouble: NotReady | None, asked: str) -> None:
        """It may have become ready since: then the next try will be let in. asked: the client's path."""
        told = trouble or NotReady("This model has just loaded.", "model_loading", 1)
        message = f"{told.message} Try again in {told.retry_after}s."
        target = asking.target(asked)
        body = answering.failure_body(told.code, message, target.dialect if target else None)
        pairs = [("content-type", "application/json"), ("retry-after", str(told.retry_after))]
        protocol.response_bytes(503, pairs, body)

    def _refuse(self, asked: _Question, refused: Refused) -> None:
        self._note_refusal(asked, refused.why, refused.status, refused.message, refused.statuses)
        if asked.key is not None and asked.model is not None and refused.why is Why.LIMIT:
            self._metrics.verdict(asked.key.user, asked.key.tier, asked.model, False)
        body = answering.refusal_body(refused, asked.target.dialect if asked.target else None)
        asked.protocol.response_bytes(refused.status, answering.refusal_headers(refused), body)

    def _note_refusal(
        self, asked: _Question, code: str, status: int, message: str, statuses: Iterable[Status] = ()
    ) -> None:
        self._metering.refuse(
            {
                "t": self._clock(),
                "id": asked.headers.get("x-request-id"),
                "key": asked.key.id if asked.key else None,
                "user": asked.key.user if asked.key else None,
                "tier": asked.key.tier if asked.key else None,
                "model": asked.model,
                "path": asked.path[:200],
                "refused": code,
                "status": status,
                "message": message,
                "limits": _seen(statuses),
            }
        )

    # --- discovery: free, and open when a quota is spent

    def _discovery(self, asked: _Question, key: Key) -> None:
        if asked.method not in ("GET", "HEAD"):
            self._refuse(asked, Refused(Why.METHOD, f"{asked.method} is not allowed here; send a GET."))
            return
        tier = self._view.platform.tiers[key.tier]
        left = policy.statuses(key.user, tier, self._metering.counters, self._clock())
        pairs: Pairs = [("x-maas-route", "discovery"), ("x-maas-key", key.hash.hex())]
        asked.protocol.response_empty(200, pairs + answering.limit_headers(left))

    def _discover(self, scope: Scope, protocol: HTTPProtocol, path: str) -> None:
        """Behind the gateway, which has been told by us whose key it is."""
        key = self._view.keys.get(bytes.fromhex(scope.headers.get("x-maas-key") or ""))
        target = asking.target(path)
        if key is None or target is None or target.dialect is not None:
            _reply(protocol, 404, answering.refusal_body(Refused(Why.NO_ROUTE, f"There is nothing at {path}."), None))
            return
        names = self._usable(key, target.model and self._view.platform.name_of(target.model))
        wanted = path.partition("/v1/models/")[2]
        if not wanted:
            _reply(protocol, 200, orjson.dumps(answering.model_list(names, int(key.created_at))))
        elif self._view.platform.name_of(wanted) in names:
            _reply(protocol, 200, orjson.dumps(answering.model_entry(wanted, int(key.created_at))))
        else:
            unknown = Refused(Why.NO_MODEL, f"The model {wanted!r} does not exist here, or is not open to this key.")
            _reply(protocol, 404, answering.refusal_body(unknown, None))

    def _usable(self, key: Key, only: str | None) -> list[str]:
        platform = self._view.platform
        tier = platform.tiers.get(key.tier)
        if tier is None:
            return []
        return [
            name
            for name, model in sorted(platform.models.items())
            if policy.may_use(model, key, tier) and only in (None, name)
        ]


def _may_close_silently(model: Model) -> bool:
    """Some servers (llama.cpp's) close a connection after a stream without announcing it, and a request that meets the
    closing would fail. Asked to close it, they announce it. Behind TLS there is mostly a proxy that knows better, and
    there a connection for each stream would cost more."""
    return any(endpoint.url.startswith("http://") for endpoint in model.endpoints)


def _way_in(instance: str, model: Model) -> str:
    """Of several endpoints, the one that comes first is drawn by weight; the others stand in for it."""
    if len(model.endpoints) < 2:
        return instance
    weights = [endpoint.weight for endpoint in model.endpoints]
    (first,) = random.choices(range(len(weights)), weights)  # shares, not secrets
    return f"{instance}#{first}"


def _seen(statuses: Iterable[Status]) -> list[tuple[str, int, int, int, float]]:
    """Limits as the journal has them: unit, window, amount, what remained, seconds to its end."""
    return [(s.limit.unit, s.limit.seconds, s.limit.amount, s.remaining, round(s.resets_in, 3)) for s in statuses]


def _reply(protocol: HTTPProtocol, status: int, body: bytes) -> None:
    protocol.response_bytes(status, [("content-type", "application/json")], body)
