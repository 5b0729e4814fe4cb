"""Who may call: the AuthPolicy of the gateway.

A key is sent as `Authorization: APIKEY k`, as `Authorization: Bearer k`, or as `x-api-key: k`. Only Secrets beside
Authorino are keys: with allNamespaces anybody who may make a Secret anywhere could make a key of any tier for himself.

What Authorino finds for a key is its Secret; tier, expiry and models are its annotations, judged by Rego that both
versions of the language read (Authorino's flag chooses one). It fails closed: what is missing or absurd is refused.
"""

import json
from collections.abc import Mapping
from typing import Any

from maas.cluster.objects import Object
from maas.cluster.resources import rego
from maas.cluster.resources.making import made
from maas.cluster.resources.rate_limits import TARGET
from maas.cluster.wanted import Wanted

NAME = "maas-auth"
SELECTOR: Mapping[str, str] = {"app": "maas"}
CREDENTIALS: Mapping[str, Mapping[str, Any]] = {
    "api-key": {"authorizationHeader": {"prefix": "APIKEY"}},
    "bearer": {"authorizationHeader": {"prefix": "Bearer"}},
    "x-api-key": {"customHeader": {"name": "x-api-key"}},
}
_JSON = {"content-type": {"value": "application/json"}}


def policy(wanted: Wanted) -> Object:
    rules = {
        "authentication": {name: _way(where) for name, where in CREDENTIALS.items()},
        "authorization": {"tiers": {"opa": {"rego": rego.rules(wanted)}}},
        "response": {
            "success": {"filters": {"identity": {"json": {"properties": _IDENTITY}}}},
            "unauthenticated": _answer(401, "authentication_error", "invalid_api_key", _UNAUTHENTICATED),
            "unauthorized": _answer(403, "permission_error", "not_allowed", _UNAUTHORIZED),
        },
    }
    spec = {"targetRef": dict(TARGET), "rules": rules}
    return made("kuadrant.io/v1", "AuthPolicy", NAME, wanted.namespace, spec=spec)


_UNAUTHENTICATED = (
    "No API key that is known here was sent. Send one as `Authorization: Bearer <key>`, `APIKEY <key>` or `x-api-key`."
)
_UNAUTHORIZED = "This API key has expired, or its tier or the key itself may not use this model."
_IDENTITY = {
    "userid": {"selector": r"auth.identity.metadata.annotations.secret\.kuadrant\.io/user-id"},
    "tier": {"selector": r"auth.identity.metadata.annotations.kuadrant\.io/groups"},
}


def _way(credentials: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiKey": {"selector": {"matchLabels": dict(SELECTOR)}}, "credentials": dict(credentials)}


def _answer(status: int, type: str, code: str, message: str) -> dict[str, Any]:
    """In OpenAI's shape."""
    body = json.dumps({"error": {"message": message, "type": type, "param": None, "code": code}})
    return {"code": status, "headers": dict(_JSON), "body": {"value": body}}
