"""A stand-in for Istio, Authorino and Limitador in front of a test cluster: it reads keys from the API server.

Only what a client sees of them is imitated: 401, 403 and 429. The keys are the Secrets that the real API server holds,
found by the label and the annotations that Authorino reads; the limits stand in this file, as in the RateLimitPolicy.
"""

import base64
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx

from tests.traffic.fake import Fake, Wire

LIMITS = {"free": 5, "premium": 20}


class StandIn(Fake):
    """Serves only the host that the HTTPRoute names."""

    def __init__(self, api: httpx.Client, *faults: str, host: str) -> None:
        super().__init__(*faults)
        self._api, self._host = api, host
        self._calls: Counter[tuple[str, str]] = Counter()
        self.secrets_seen: dict[str, Mapping[str, Any]] = {}

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Wire:
        self.asked[f"{method} {path}"] += 1
        if headers.get("host", "").partition(":")[0] != self._host:
            return 404, {}, [b""]
        who = self._secret(headers.get("authorization", ""))
        if who is None:
            return self._json(401, {"error": {"message": "API key required"}})
        tier, user = who
        if tier not in LIMITS:
            return self._json(403, {"error": {"message": "not your tier"}})
        if self._calls[tier, user] >= LIMITS[tier] and "never limits" not in self.faults:
            return 429, {}, [b"Too Many Requests\n"]
        self._calls[tier, user] += method == "POST"
        if path == "/v1/models":
            return self._json(200, {"object": "list", "data": [{"id": "small"}]})
        if body.get("model") != "small":
            return self._json(404, {"error": {"message": "no such model"}})
        return self._streamed() if body.get("stream") else self._answered()

    def _secret(self, sent: str) -> tuple[str, str] | None:
        selector = {"labelSelector": "authorino.kuadrant.io/managed-by=authorino,app=maas"}
        found: httpx.Response = self._api.get("/api/v1/secrets", params=selector)
        for secret in found.raise_for_status().json()["items"]:
            value = base64.b64decode(secret.get("data", {}).get("api_key", "")).decode()
            self.secrets_seen[secret["metadata"]["name"]] = secret
            if value and sent == f"APIKEY {value}":
                said = secret["metadata"]["annotations"]
                return said.get("kuadrant.io/groups", ""), said.get("secret.kuadrant.io/user-id", "")
        return None
