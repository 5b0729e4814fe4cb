"""The model in the body, the path or the host; HTTP/1.1 and HTTP/2; in the clear and over TLS that can be verified."""

import ssl
from typing import Any

import httpx
import httpx2
import pytest

from tests.embedded.sdk import HELLO, SIMULATOR, openai_client
from tests.running import PATIENCE, Running, bearer, eventually

BODY = {"messages": HELLO, "max_tokens": 5}


@pytest.fixture(scope="module")
def key(up: Running) -> str:
    return up.key("wayfarer", "open")


@pytest.mark.parametrize("path", ["/v1", "/simulator/v1", "/llm/simulator/v1"])
def test_the_model_in_the_path(up: Running, key: str, path: str) -> None:
    with openai_client(up, key, path) as client:
        assert client.chat.completions.create(model=SIMULATOR, messages=HELLO).model == SIMULATOR
        with client.chat.completions.create(model=SIMULATOR, messages=HELLO, stream=True) as stream:
            assert all(chunk.choices for chunk in stream)
        assert SIMULATOR in [model.id for model in client.models.list()]


WHERE = ["/simulator/v1", "/llm/simulator/v1", "simulator.maas.local", "SIMULATOR.maas.local:8080"]


@pytest.mark.parametrize("where", WHERE)
def test_the_model_in_the_path_or_the_host_only(up: Running, key: str, where: str) -> None:
    """The body need not name it then, if the model's server does not insist, as vLLM's and ours don't."""
    path, host = (where, up.url[7:]) if where.startswith("/") else ("/v1", where)
    headers = {**bearer(key), "host": host}
    answer = httpx.post(f"{up.url}{path}/chat/completions", json=BODY, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == SIMULATOR
    body = {**BODY, "stream": True}
    streamed = httpx.post(f"{up.url}{path}/chat/completions", json=body, headers=headers, timeout=PATIENCE)
    assert streamed.status_code == 200, streamed.text
    assert '"usage"' not in streamed.text
    row = eventually(lambda: up.usage("model").get(SIMULATOR))
    assert row["failed"] == 0


def test_the_model_in_the_host_that_the_client_was_given(up: Running, key: str) -> None:
    with openai_client(up, key, default_headers={"host": "simulator.maas.local"}) as client:
        assert client.chat.completions.create(model=SIMULATOR, messages=HELLO).choices
        assert [model.id for model in client.models.list()] == ["other", SIMULATOR]


@pytest.fixture(scope="module")
def trust(up: Running) -> ssl.SSLContext:
    """The platform's own CA, and no other."""
    return ssl.create_default_context(cafile=up.home.ca_certificate)


@pytest.mark.parametrize("versions", ["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_protocols(up: Running, trust: ssl.SSLContext, key: str, scheme: str, versions: str) -> None:
    """Over TLS by ALPN; in the clear by prior knowledge."""
    port = {"http": up.http_port, "https": up.https_port}[scheme]
    second = versions == "HTTP/2"
    offered: Any = {"http1": not second or scheme == "https", "http2": second}
    with httpx.Client(verify=trust, base_url=f"{scheme}://localhost:{port}", **offered) as client:
        for fields in ({}, {"stream": True}):
            body = {**BODY, "model": SIMULATOR, **fields}
            answer = client.post("/v1/chat/completions", json=body, headers=bearer(key), timeout=PATIENCE)
            assert (answer.status_code, answer.http_version) == (200, versions)
        refused = client.post("/v1/chat/completions", json=body, headers=bearer("sk-unknown"), timeout=PATIENCE)
        assert (refused.status_code, refused.http_version) == (401, versions)
        assert refused.json()["error"]["code"] == "invalid_api_key"


def test_the_openai_client_over_tls_and_http_2(up: Running, trust: ssl.SSLContext, key: str) -> None:
    with httpx2.Client(verify=trust, http2=True) as http:
        url = f"https://127.0.0.1:{up.https_port}/v1"
        with openai_client(up, key, base_url=url, http_client=http) as client:
            answer = client.chat.completions.with_raw_response.create(model=SIMULATOR, messages=HELLO)
            assert answer.http_response.http_version == "HTTP/2"
            assert answer.parse().choices


def test_the_model_in_the_name_that_tls_asks_for(up: Running, trust: ssl.SSLContext, key: str) -> None:
    """The certificate holds for every model's host."""
    extensions = {"sni_hostname": "simulator.maas.local"}
    headers = {**bearer(key), "host": "simulator.maas.local"}
    with httpx.Client(verify=trust, timeout=PATIENCE) as client:
        url = f"https://127.0.0.1:{up.https_port}/v1/chat/completions"
        assert client.post(url, json=BODY, headers=headers, extensions=extensions).status_code == 200


def test_who_does_not_trust_the_ca_is_not_served(up: Running) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(f"https://127.0.0.1:{up.https_port}/health")


def test_no_tls_before_1_2(up: Running) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://127.0.0.1:{up.https_port}/health", verify=old)
