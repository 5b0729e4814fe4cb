"""The auth-provider `oidc` of old kubeconfigs, with a played issuer."""

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from maas.cluster.connection import connect
from maas.cluster.failures import LoginFailed
from tests.kubernetes.connection.configs import write
from tests.kubernetes.played import Answer, Request, Server, playing


def jwt(expires: float) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'exp': int(expires)})}.sig"


OLD, NEW = jwt(time.time() - 60), jwt(time.time() + 3600)


def authorized(tmp_path: Path, answer: Any, **config: str) -> tuple[str, Server]:
    """What the API server is sent as Authorization, and the issuer."""

    async def ask() -> tuple[str, Server]:
        async def issue(request: Request) -> Any:
            if request.path == "/.well-known/openid-configuration":
                return {"token_endpoint": f"{issuer.url}/token"}
            return answer

        async def version(request: Request) -> Any:
            return {}

        async with playing(issue) as issuer, playing(version) as server:
            known = {"idp-issuer-url": issuer.url, "client-id": "kubernetes", **config}
            user = {"auth-provider": {"name": "oidc", "config": known}}
            async with connect(None, write(tmp_path / "c", server.url, user=user)) as api:
                await api.get("/version")
            return server.asked[0].headers["authorization"], issuer

    return asyncio.run(ask())


def test_token_that_is_still_good_is_used(tmp_path: Path) -> None:
    authorization, issuer = authorized(tmp_path, {}, **{"id-token": NEW, "refresh-token": "r"})
    assert authorization == f"Bearer {NEW}"
    assert issuer.asked == []


def test_expired_token_is_renewed_at_the_issuer(tmp_path: Path) -> None:
    config = {"id-token": OLD, "refresh-token": "r", "client-secret": "cs"}
    authorization, issuer = authorized(tmp_path, {"id_token": NEW}, **config)
    assert authorization == f"Bearer {NEW}"
    assert parse_qs(issuer.asked[1].body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r"],
        "client_id": ["kubernetes"],
    }
    assert issuer.asked[1].headers["authorization"] == "Basic " + base64.b64encode(b"kubernetes:cs").decode()
    assert NEW not in (tmp_path / "c").read_text()


@pytest.mark.parametrize(
    "answer", [{"error": "s3cret"}, Answer(400, b'{"error":"invalid_grant"}'), Answer(200, b"<p>")]
)
def test_issuer_that_does_not_renew(tmp_path: Path, answer: Any) -> None:
    with pytest.raises(LoginFailed, match=r"could not be renewed at http://127.*Log in again") as caught:
        authorized(tmp_path, answer, **{"id-token": OLD, "refresh-token": "s3cret"})
    assert "s3cret" not in str(caught.value)


def test_expired_token_without_a_refresh_token(tmp_path: Path) -> None:
    with pytest.raises(LoginFailed, match="has expired, with no refresh token: log in again"):
        authorized(tmp_path, {}, **{"id-token": OLD})
