"""Who we are: tokens, files, certificates, impersonation; real requests to a played server."""

import asyncio
import base64
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from maas.cluster.connection import connect
from maas.cluster.failures import BadKubeconfig, LoginFailed
from tests.kubernetes.authority import Authority
from tests.kubernetes.connection.configs import write
from tests.kubernetes.played import Answer, Play, Request, playing, status


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path / "pki")


def server_side(authority: Authority, *, ask: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server())
    if ask:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(authority.certificate))
    return context


async def _who(request: Request) -> Any:
    return {
        "authorization": request.headers.get("authorization", ""),
        "as": {name: value for name, value in request.headers.items() if name.startswith("impersonate")},
    }


def told(tmp_path: Path, user: dict[str, Any], play: Play = _who) -> Any:
    """What the server is told of the user."""

    async def ask() -> Any:
        async with playing(play) as server, connect(None, write(tmp_path / "c", server.url, user=user)) as api:
            return await api.get("/version")

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("user", "authorization"),
    [
        ({}, ""),
        ({"token": "abc"}, "Bearer abc"),
        ({"username": "me", "password": "pass"}, "Basic " + base64.b64encode(b"me:pass").decode()),
        ({"token": "abc", "username": "me", "password": "pass"}, "Bearer abc"),
    ],
)
def test_authorization(tmp_path: Path, user: dict[str, Any], authorization: str) -> None:
    assert told(tmp_path, user)["authorization"] == authorization


def test_impersonation(tmp_path: Path) -> None:
    user = {"token": "t", "as": "jane", "as-groups": ["dev"], "as-user-extra": {"why": ["test"]}, "as-uid": "7"}
    assert told(tmp_path, user)["as"] == {
        "impersonate-user": "jane",
        "impersonate-group": "dev",
        "impersonate-extra-why": "test",
        "impersonate-uid": "7",
    }


def test_token_file_comes_before_the_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert told(tmp_path, {"token": "inline", "tokenFile": "token"})["authorization"] == "Bearer from-file"


def test_token_file_is_read_again_when_the_server_refuses_the_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")

    async def rotate(request: Request) -> Any:
        if request.headers["authorization"] == "Bearer old":
            file.write_text("new")
            return status(401, "Unauthorized")
        return await _who(request)

    assert told(tmp_path, {"tokenFile": str(file)}, rotate)["authorization"] == "Bearer new"


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read: No such file"), ("", "is empty"), ("s3cret\x00x", "no token has")]
)
def test_useless_token_file(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
    with pytest.raises(LoginFailed, match=said) as caught:
        told(tmp_path, {"tokenFile": "token"})
    assert "s3cret" not in str(caught.value)


def test_refused_token_is_told_without_it(tmp_path: Path) -> None:
    async def refuse(request: Request) -> Any:
        return status(401, "Unauthorized")

    with pytest.raises(LoginFailed, match=r"context 'here' \(401\).*Log in again") as caught:
        told(tmp_path, {"token": "s3cret"}, refuse)
    assert "s3cret" not in str(caught.value)


def _certificate_of_peer(authority: Authority, user: dict[str, Any], tmp_path: Path) -> str:
    """The common name that the server sees."""

    async def ask() -> Any:
        async def version(request: Request) -> Any:
            return {"gitVersion": "v1"}

        subjects: list[Any] = []
        context = server_side(authority, ask=True)
        async with playing(version, tls=context, peers=subjects) as server:
            cluster = {"certificate-authority": str(authority.certificate)}
            async with connect(None, write(tmp_path / "c", server.url, user=user, cluster=cluster)) as api:
                await api.get("/version")
        return subjects[0]

    peer = asyncio.run(ask())
    return next(str(value) for part in peer["subject"] for key, value in part if key == "commonName")


def test_client_certificate_in_files(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.client("jane")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    assert _certificate_of_peer(authority, user, tmp_path) == "jane"


def test_client_certificate_inline_leaves_no_file(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = authority.client("jane")
    user = {
        "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(key.read_bytes()).decode(),
    }
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # a count, no paths
    assert _certificate_of_peer(authority, user, tmp_path) == "jane"
    monkeypatch.delattr("os.memfd_create")
    assert _certificate_of_peer(authority, user, tmp_path) == "jane"
    assert list(scratch.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208


def test_key_that_does_not_belong_to_its_certificate(tmp_path: Path, authority: Authority) -> None:
    certificate, _ = authority.client("jane")
    _, key = authority.client("joe")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    with pytest.raises(BadKubeconfig, match="don't belong together"):
        _certificate_of_peer(authority, user, tmp_path)


def test_key_with_a_passphrase_does_not_ask_for_it(tmp_path: Path, authority: Authority) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    certificate, key = authority.client("jane")
    private = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")))
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    with pytest.raises(BadKubeconfig, match="passphrase"):
        _certificate_of_peer(authority, user, tmp_path)


def test_answer_without_a_status_object(tmp_path: Path) -> None:
    async def page(request: Request) -> Any:
        return Answer(403, b"<html>log in here</html>")

    with pytest.raises(Exception, match="403: '<html>log in here"):
        told(tmp_path, {}, page)
