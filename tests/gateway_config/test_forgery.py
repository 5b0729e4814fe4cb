"""What a client may try, to be somebody else or to get somewhere else."""

import pytest

from tests.gateway_config.running import CHAT, KEY, Running

GET = "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{more}\r\n"


def get(up: Running, path: str, more: str = "") -> bytes:
    return up.raw(GET.format(path=path, more=more).encode("latin-1"))


@pytest.mark.parametrize(
    "name",
    ["x-maas-route", "X-MaaS-Cluster", "x-maas-model", "x-maas-anything", "x-envoy-retry-on", "x-forwarded-for"],
)
def test_the_platform_s_headers_cannot_be_sent(up: Running, name: str) -> None:
    up.post({"model": "chatty"}, **{name: "forged"})

    for asked in (up.admission.last, up.model.last):
        assert all(value != "forged" for _, value in asked.headers)


def test_a_forged_route_does_not_get_past_admission(up: Running) -> None:
    more = "x-maas-route: model\r\nx-maas-cluster: chatty@1\r\n"
    assert get(up, CHAT, more).startswith(b"HTTP/1.1 401 ")
    assert get(up, "/health", more).startswith(b"HTTP/1.1 200 ")
    assert not up.model.asked


def test_a_request_id_is_always_the_gateway_s_own(up: Running) -> None:
    answer = up.post({"model": "chatty"}, **{"x-request-id": "forged"})

    assert answer.headers["x-request-id"] != "forged"


def test_underscores_do_not_make_another_spelling_of_a_header(up: Running) -> None:
    up.post({"model": "chatty"}, x_maas_route="model", x_api_key="k")

    assert not {"x_maas_route", "x_api_key"} & (up.admission.last.names | up.model.last.names)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("//v1/chat/completions", "/authz/v1/chat/completions"),
        ("/v1/../authz/x", "/authz/authz/x"),
        ("/../../v1/chat/completions", "/authz/v1/chat/completions"),
        ("/health/../v1/chat/completions", "/authz/v1/chat/completions"),
        ("/v1/./chat/completions", "/authz/v1/chat/completions"),
        ("/%76%31/chat/completions", "/authz/v1/chat/completions"),
        ("/health/", "/authz/health/"),
        ("/health;x", "/authz/health;x"),
        ("/HEALTH", "/authz/HEALTH"),
        ("/metrics", "/authz/metrics"),
        ("/stats/prometheus", "/authz/stats/prometheus"),
        ("http://other/v1/chat/completions", "/authz/v1/chat/completions"),
    ],
)
def test_every_path_but_health_is_asked_about(up: Running, path: str, asked: str) -> None:
    assert get(up, path).startswith(b"HTTP/1.1 401 ")
    assert [a.path for a in up.admission.asked] == [asked]


@pytest.mark.parametrize(
    "path", ["/v1%2Fchat/completions", "/v1%5cchat", "/health%2f..%2fv1", "/%00", "/\x00", "/\xff"]
)
def test_paths_that_servers_read_differently_are_refused(up: Running, path: str) -> None:
    assert get(up, path).startswith(b"HTTP/1.1 400 ")
    assert not up.admission.asked


@pytest.mark.parametrize(
    "request_",
    [
        "POST {chat} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
        "POST {chat} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST {chat} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET {chat} HTTP/1.1\r\n\r\n",
        "GET {chat} HTTP/1.1\r\nHost: h\r\nx: a\0b\r\n\r\n",
        "GET {chat} HTTP/1.1\r\nHost: h\r\n folded: a\r\n\r\n",
        "GET {chat} HTTP/9.9\r\nHost: h\r\n\r\n",
        "not http at all\r\n\r\n",
    ],
)
def test_requests_that_servers_read_differently_are_refused(up: Running, request_: str) -> None:
    answer = up.raw(request_.format(chat=CHAT).encode("latin-1"))

    assert answer.split(b" ")[1] in (b"400", b"426", b"501")
    assert not up.admission.asked


def test_two_authorizations_are_one_that_is_no_key(up: Running) -> None:
    get(up, CHAT, "Authorization: Bearer one\r\nAuthorization: Bearer two\r\n")

    assert up.admission.last["authorization"] == "Bearer one,Bearer two"


def test_too_many_or_too_long_headers(up: Running) -> None:
    for more in ("".join(f"h{i}: 1\r\n" for i in range(200)), f"h: {'x' * 70_000}\r\n"):
        assert get(up, CHAT, more).startswith(b"HTTP/1.1 431 ")
    assert not up.admission.asked


def test_the_longest_key_that_passes_reaches_admission(up: Running) -> None:
    key = "k" * 50_000
    get(up, CHAT, f"Authorization: Bearer {key}\r\n")

    assert up.admission.last["authorization"] == f"Bearer {key}"


def test_a_body_cannot_set_a_header_of_admission_s(up: Running) -> None:
    up.post({"model": "chatty", "x-maas-route": "model", "route": "model", "cluster": "control"})

    assert not {"x-maas-route", "x-maas-cluster"} & up.admission.last.names


def test_an_upgrade_is_not_followed(up: Running) -> None:
    more = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
    answer = up.raw(f"GET {CHAT} HTTP/1.1\r\nHost: h\r\nAuthorization: {KEY['authorization']}\r\n{more}\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert not up.model.asked


def test_connect_is_no_proxy(up: Running) -> None:
    assert up.raw(b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n").startswith((b"HTTP/1.1 40", b"HTTP/1.1 50"))
    assert not up.model.asked
