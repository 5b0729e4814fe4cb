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
from maas.cluster.wanted import NOTHING, Wanted

NAME = "maas-auth"
JUDGED = "judged"  # the rule whose values say why
SELECTOR: Mapping[str, str] = {"app": "maas"}
CREDENTIALS: Mapping[str, Mapping[str, Any]] = {
    "api-key": {"authorizationHeader": {"prefix": "APIKEY"}},
    "bearer": {"authorizationHeader": {"prefix": "Bearer"}},
    "in-lower-case-api-key": {"authorizationHeader": {"prefix": "apikey"}},  # Authorino takes a prefix letter by letter
    "in-lower-case-bearer": {"authorizationHeader": {"prefix": "bearer"}},
    "x-api-key": {"customHeader": {"name": "x-api-key"}},
}


def policy(wanted: Wanted) -> Object:
    rules = {
        "authentication": {name: _way(where) for name, where in CREDENTIALS.items()},
        "authorization": {
            JUDGED: {"opa": {"rego": rego.rules(wanted), "allValues": True}},
            "allowed": {"patternMatching": {"patterns": [_ALLOWED]}, "priority": 1},
        },
        "response": {
            "success": {"filters": {"identity": {"json": {"properties": _IDENTITY}}}},
            "unauthenticated": _answer(401, {"value": _UNAUTHENTICATED}, {"www-authenticate": 'Bearer realm="maas"'}),
            "unauthorized": _answer(403, {"selector": f"auth.authorization.{JUDGED}.body"}),
        },
    }
    spec = {"targetRef": dict(TARGET), "rules": rules}
    return made("kuadrant.io/v1", "AuthPolicy", NAME, wanted.namespace, spec=spec)


_ALLOWED = {"selector": f"auth.authorization.{JUDGED}.why", "operator": "eq", "value": rego.ALLOWED}
_MESSAGE = (
    "No API key that is known here was sent. Send one as `Authorization: Bearer <key>`, `APIKEY <key>` or `x-api-key`."
)
_ERROR = {"message": _MESSAGE, "type": "authentication_error", "param": None, "code": "invalid_api_key"}
_UNAUTHENTICATED = json.dumps({"error": _ERROR})
# What limits and metrics can speak of, as auth.identity.…
_IDENTITY = {
    "userid": {"selector": r"auth.identity.metadata.annotations.secret\.kuadrant\.io/user-id"},
    "tier": {"selector": r"auth.identity.metadata.annotations.kuadrant\.io/groups"},
    "model": {"selector": f"auth.authorization.{JUDGED}.model"},
    "key": {"selector": r"auth.identity.metadata.labels.maas\.io/key-id"},
}


def _way(credentials: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiKey": {"selector": {"matchLabels": dict(SELECTOR)}}, "credentials": dict(credentials)}


def _answer(status: int, body: Mapping[str, str], headers: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """headers: in place of Authorino's own."""
    every = {"content-type": "application/json", **headers}
    return {"code": status, "headers": {name: {"value": each} for name, each in every.items()}, "body": dict(body)}
