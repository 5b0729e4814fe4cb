"""What is left of a quota: Limitador's counters, asked through the API server, so that nobody has to forward a port.

A counter ends with its window, and there is none before the first hit.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from maas.cluster.api import Api
from maas.cluster.failures import Denied, Missing, ServerFailed
from maas.cluster.objects import items, mapping, number, text, texts
from maas.cluster.wanted import KUADRANT
from maas.domain.admission import Status
from maas.domain.errors import Unavailable
from maas.domain.limits import Limit, Unit
from maas.domain.platform import Tier

_TOKENS = "tokenlimit."
_SERVICE = f"/api/v1/namespaces/{KUADRANT}/services/limitador-limitador:8080/proxy"


async def statuses(api: Api, user: str, tier: Tier, routes: Sequence[str]) -> list[Status]:
    """What the user has left of each limit, at the route where it is least. routes: "llm/maas". Raises MaasError."""
    counted = [each for route in routes for each in items({"all": await _counters(api, route)}, "all")]
    return [_left(limit, _of(counted, user, tier.name, limit)) for limit in tier.limits]


async def _counters(api: Api, route: str) -> Any:
    try:
        return orjson.loads(await _asked(api, f"/counters/{quote(route, safe='')}"))
    except orjson.JSONDecodeError:
        raise Unavailable(f"Limitador, which counts, does not answer with counters: {api.described}") from None


async def _asked(api: Api, path: str) -> str:
    """A 404 of Limitador's own means that nobody was counted there yet."""
    try:
        return await api.text(f"{_SERVICE}{path}")
    except (Missing, ServerFailed) as error:
        if isinstance(error, Missing) and not error.object_named:
            return "[]"
        raise Unavailable(f"Limitador, which counts, does not answer: {error}") from None
    except Denied as error:
        raise Unavailable(
            f"Limitador is asked through the API server (get services/proxy in {KUADRANT}): {error}"
        ) from None


def _of(counters: Sequence[Mapping[str, Any]], user: str, tier: str, limit: Limit) -> list[Mapping[str, Any]]:
    """Kuadrant names Limitador's limits as the policy does, by tier, and tells tokens from requests in a condition."""
    return [
        counter
        for counter in counters
        if text(counter, "limit", "name") == tier
        and number(counter, "limit", "max_value") == limit.amount
        and number(counter, "limit", "seconds") == limit.seconds
        and user in mapping(counter, "set_variables").values()
        and any(_TOKENS in each for each in texts(counter, "limit", "conditions")) is (limit.unit is Unit.TOKENS)
    ]


def _left(limit: Limit, counters: Sequence[Mapping[str, Any]]) -> Status:
    if not counters:
        return Status(limit, limit.amount, limit.seconds)
    worst = min(counters, key=lambda each: number(each, "remaining") or 0)
    return Status(limit, max(0, number(worst, "remaining") or 0), number(worst, "expires_in_seconds") or 0)
