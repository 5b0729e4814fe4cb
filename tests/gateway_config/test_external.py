"""Models that somebody else serves: over TLS, under a path of their own, with a key of ours."""

import ssl
from collections.abc import Iterator

import pytest

from maas.embedded import envoy
from tests.gateway_config.running import Running, error_of, reply, to_model
from tests.gateway_config.server import Server
from tests.ports import free_port

ASK = {"model": "chatty"}
API_KEY = 'sk-100%"x'


@pytest.fixture(scope="module")
def provider(one_for_all: Running) -> Iterator[tuple[Server, int]]:
    home, port = one_for_all.home, free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home.server_certificate, home.server_key)
    server = Server(port, reply, context)
    yield server, port
    server.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_request_arrives_as_the_provider_expects_it(up: Running, provider: tuple[Server, int], host: str) -> None:
    server, port = provider
    address = envoy.HostPort(host, port)
    upstream = envoy.Upstream(f"{host}@1", address, True, "/openai/100%", API_KEY, up.home.ca_certificate)
    up.apply(up.configuration(upstream))
    up.admission.handler = lambda asked: to_model(asked, f"{host}@1")

    answer = up.post(ASK, path="/chatty/v1/chat/completions?a=b")

    assert answer.status_code == 200
    assert answer.headers["x-odhu-usage-total-tokens"] == "9"
    assert server.last.path == "/openai/100%/v1/chat/completions?a=b"
    assert server.last["authorization"] == f"Bearer {API_KEY}"
    assert server.last["host"] == host
    assert not [name for name in server.last.names if name.startswith(("x-maas-", "x-forwarded-", "x-envoy-"))]


def test_a_provider_that_cannot_prove_its_name_gets_nothing(up: Running, provider: tuple[Server, int]) -> None:
    server, port = provider
    server.asked.clear()
    upstream = envoy.Upstream("system@1", envoy.HostPort("localhost", port), tls=True)
    up.apply(up.configuration(upstream))
    up.admission.handler = lambda asked: to_model(asked, "system@1")

    answer = up.post(ASK)

    assert answer.status_code == 503
    assert error_of(answer)["code"] == "model_unavailable"
    assert not server.asked
