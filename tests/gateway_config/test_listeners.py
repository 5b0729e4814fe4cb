"""Where the gateway listens, and what it shows there."""

import socket
import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.gateway_config.running import KEY, PATIENCE, Running, error_of, running

ASK = {"model": "chatty"}


def handshake(up: Running, context: ssl.SSLContext, name: str = "localhost") -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(("127.0.0.1", up.gateway.https_port)), server_hostname=name)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "maas.local", "chatty.maas.local", socket.gethostname()])
def test_https_by_every_name(up: Running, name: str) -> None:
    with handshake(up, up.trust(), name) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_both_protocols_are_offered(up: Running, protocol: str) -> None:
    context = up.trust()
    context.set_alpn_protocols([protocol])
    with handshake(up, context) as connection:
        assert connection.selected_alpn_protocol() == protocol


def test_old_tls_is_refused(up: Running) -> None:
    context = up.trust()
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)protocol|ssl|closed"):
        handshake(up, context)


def test_a_request_over_https(up: Running) -> None:
    with httpx.Client(base_url=up.tls_url, verify=up.trust(), timeout=PATIENCE, trust_env=False) as client:
        answer = client.post("/v1/chat/completions", json=ASK, headers=KEY)

    assert answer.status_code == 200
    assert up.log_line(answer.headers["x-request-id"])["status"] == 200


def test_metrics_of_both_halves_and_nothing_else_of_the_administration(up: Running) -> None:
    lines = len(up.home.access_log.read_text().splitlines())
    with httpx.Client(base_url=f"http://127.0.0.1:{up.gateway.metrics_port}", trust_env=False) as client:
        assert "envoy_http_downstream_rq_total" in client.get("/stats/prometheus").text
        assert client.get("/metrics").json() == {"control": "/metrics"}
        for path in ("/", "/stats", "/config_dump", "/stats/prometheus/../../quitquitquit", "/v1/models", "/health"):
            assert client.get(path).status_code == 404
        assert client.post("/stats/prometheus").status_code == 404
        assert client.post("/quitquitquit").status_code == 404
    assert len(up.home.access_log.read_text().splitlines()) == lines


def test_the_administration_is_for_its_owner(up: Running) -> None:
    assert up.home.admin_socket.stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def remote() -> Iterator[Running]:
    with running(remote=True, bind="0.0.0.0", hosts=("maas.example.com",)) as gateway:  # noqa: S104
        yield gateway


def test_beyond_loopback_models_are_served_over_tls_only(remote: Running) -> None:
    answer = remote.post(ASK)

    assert answer.status_code == 426
    error = error_of(answer)
    assert error["code"] == "tls_required"
    assert f"https://maas.example.com:{remote.gateway.https_port}" in error["message"]
    assert not remote.admission.asked
    with remote.client() as client:
        assert client.get("/health").status_code == 200


def test_beyond_loopback_https_listens_where_it_was_told_to(remote: Running) -> None:
    with handshake(remote, remote.trust(), "maas.example.com"):
        pass
    listeners = remote.admin("/listeners")
    assert f"0.0.0.0:{remote.gateway.https_port}" in listeners
    assert f"127.0.0.1:{remote.gateway.http_port}" in listeners
    assert f"127.0.0.1:{remote.gateway.metrics_port}" in listeners
    with httpx.Client(base_url=remote.tls_url, verify=remote.trust(), trust_env=False) as client:
        assert client.post("/v1/chat/completions", json=ASK, headers=KEY).status_code == 200
