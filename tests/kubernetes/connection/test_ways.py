"""The way to the server: trust, names, proxies, and what is said where it ends."""

import asyncio
import base64
import gc
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from maas.cluster.connection import connect
from maas.cluster.failures import BadKubeconfig, Unreachable, Untrusted
from maas.cluster.kubeconfig import Entry, Login
from maas.cluster.proxies import route
from tests.kubernetes.authority import Authority
from tests.kubernetes.connection.configs import write
from tests.kubernetes.played import Answer, Request, Server, playing


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path / "pki")


async def version(request: Request) -> Any:
    return {"gitVersion": "v1.34.4"} if request.method != "CONNECT" else "through"


def asked(
    tmp_path: Path, authority: Authority | None, cluster: dict[str, Any], *, url: str = "", proxy: str = ""
) -> tuple[Any, Server, Server]:
    """The answer, the server and a proxy. url: with {port}, if it is to be another than the server's own."""

    async def ask() -> tuple[Any, Server, Server]:
        tls = None
        if authority:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*authority.server())
        async with playing(version, tls=tls) as server, playing(version) as through:
            given = url.format(port=server.url.rpartition(":")[2]) if url else server.url
            way = {"proxy-url": proxy.format(port=through.url.rpartition(":")[2])} if proxy else {}
            async with connect(None, write(tmp_path / "c", given, cluster=way | cluster)) as api:
                return await api.get("/version"), server, through

    return asyncio.run(ask())


def test_authority_in_a_file_and_inline(tmp_path: Path, authority: Authority) -> None:
    inline = base64.b64encode(authority.certificate.read_bytes()).decode()
    for cluster in ({"certificate-authority": "pki/ca.crt"}, {"certificate-authority-data": inline}):
        assert asked(tmp_path, authority, cluster)[0] == {"gitVersion": "v1.34.4"}


def test_unknown_authority_is_not_trusted_unless_told_to(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(Untrusted, match=r"not trusted: .*certificate.*certificate-authority"):
        asked(tmp_path, authority, {})
    assert asked(tmp_path, authority, {"insecure-skip-tls-verify": True})[0]


def test_another_authority_is_not_trusted(tmp_path: Path, authority: Authority) -> None:
    other = Authority.new(tmp_path / "other")
    with pytest.raises(Untrusted, match="not trusted"):
        asked(tmp_path, authority, {"certificate-authority": str(other.certificate)})


def test_authority_that_is_none(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "ca").write_text("nothing")
    with pytest.raises(BadKubeconfig, match="no certificates in PEM"):
        asked(tmp_path, authority, {"certificate-authority": "ca"})


def test_certificate_of_another_name_needs_tls_server_name(tmp_path: Path, authority: Authority) -> None:
    trust = {"certificate-authority": str(authority.certificate)}
    other = "https://127.0.0.2:{port}"
    with pytest.raises((Untrusted, Unreachable)):
        asked(tmp_path, authority, trust, url=other)
    wrong = {**trust, "tls-server-name": "else.example"}
    with pytest.raises(Untrusted, match=r"else.example"):
        asked(tmp_path, authority, wrong)
    assert asked(tmp_path, authority, {**trust, "tls-server-name": "localhost"})[0]


def test_through_the_proxy_of_the_kubeconfig(tmp_path: Path, authority: Authority) -> None:
    trust = {"certificate-authority": str(authority.certificate), "tls-server-name": "localhost"}
    answer, server, proxy = asked(tmp_path, authority, trust, proxy="http://me:s3cret@127.0.0.1:{port}")
    assert answer == {"gitVersion": "v1.34.4"}
    assert proxy.tunnels == [server.url.removeprefix("https://")]
    assert proxy.asked[0].headers["proxy-authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode()


def test_through_the_proxy_of_the_environment(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a name that only the proxy knows."""

    async def ask() -> list[str]:
        async def refuse(request: Request) -> Any:
            return Answer(502, b"")

        async with playing(refuse) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://me:s3cret@"))
            monkeypatch.setenv("NO_PROXY", "other.example")
            async with connect(None, write(tmp_path / "c", "https://api.cluster.example:6443")) as api:
                with pytest.raises(Unreachable, match=f"proxy {proxy.url} refused the connection: 502") as caught:
                    await api.get("/version")
                assert "s3cret" not in str(caught.value) + repr(api)
            return proxy.tunnels

    assert asyncio.run(ask()) == ["api.cluster.example:6443"]


@pytest.mark.parametrize(
    ("server", "exceptions", "proxied"),
    [
        ("https://api.example:6443", "", True),
        ("https://api.example:6443", "*", False),
        ("https://api.example:6443", "example", False),
        ("https://api.example:6443", ".example", False),
        ("https://api.example:6443", "*.example", False),
        ("https://api.example:6443", "api.example:6443", False),
        ("https://api.example:6443", "api.example:443", True),
        ("https://api.example:6443", "ample", True),
        ("https://10.1.2.3:6443", "10.0.0.0/8", False),
        ("https://10.1.2.3:6443", "192.168.0.0/16, 10.1.2.3", False),
        ("https://10.1.2.3:6443", "11.0.0.0/8", True),
        ("https://127.0.0.1:6443", "", False),
        ("https://[::1]:6443", "", False),
        ("https://localhost:6443", "", False),
    ],
)
def test_what_is_not_proxied(server: str, exceptions: str, proxied: bool) -> None:
    login = Login("x", Entry({}), Entry({}), server)
    environment = {"https_proxy": "proxy.example:3128", "NO_PROXY": exceptions}
    assert route(login, environment).proxy == ("http://proxy.example:3128" if proxied else "")


def test_the_proxy_of_the_kubeconfig_comes_before_the_environment() -> None:
    login = Login("x", Entry({"proxy-url": "http://mine:1"}), Entry({}), "https://api.example")
    assert route(login, {"HTTPS_PROXY": "http://other:1", "NO_PROXY": "*"}).proxy == "http://mine:1"


def test_useless_proxy(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match="proxy must be"):
        connect(None, write(tmp_path / "c", cluster={"proxy-url": "ftp://s3cret@x"}))


def _failure(tmp_path: Path, server: str) -> str:
    async def ask() -> str:
        async with connect(None, write(tmp_path / "c", server)) as api:
            with pytest.raises(Unreachable) as caught:
                await api.get("/version")
            return str(caught.value)

    return asyncio.run(ask())


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        said = _failure(tmp_path, f"https://127.0.0.1:{held.getsockname()[1]}")
    assert "cannot be reached: Connection refused. Is the cluster running" in said


def test_name_that_does_not_resolve(tmp_path: Path) -> None:
    assert "api.cluster.invalid cannot be resolved" in _failure(tmp_path, "https://api.cluster.invalid:6443")


def test_name_server_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the call nor the end of the program, which waits for asyncio's own threads."""
    import threading
    import time

    hanging = threading.Event()
    monkeypatch.setattr("maas.cluster.names.socket.getaddrinfo", lambda *_, **__: list("" * hanging.wait(60)))
    monkeypatch.setattr("maas.cluster.session.CONNECT_TIMEOUT", 0.3)
    began = time.monotonic()
    assert "was not resolved within 0.3 seconds" in _failure(tmp_path, "https://api.example:6443")
    assert time.monotonic() - began < 5
    hanging.set()


def test_plain_http_where_tls_is_expected(tmp_path: Path) -> None:
    async def ask() -> None:
        async with playing(version) as server:
            url = server.url.replace("http://", "https://")
            async with connect(None, write(tmp_path / "c", url)) as api:
                with pytest.raises(Unreachable, match="cannot be reached"):
                    await api.get("/version")

    asyncio.run(ask())


def test_a_path_below_the_server_is_kept(tmp_path: Path) -> None:
    """Rancher and its like serve clusters below a path."""
    _, server, _ = asked(tmp_path, None, {}, url="http://127.0.0.1:{port}/k8s/clusters/c-1/")
    assert [request.path for request in server.asked] == ["/k8s/clusters/c-1/version"]
    assert server.asked[0].headers["host"] == server.url.removeprefix("http://")


def test_a_handshake_that_is_given_up_leaves_no_connection_open(tmp_path: Path) -> None:
    async def ask() -> bytes:
        greeted, closed = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            greeted.set()
            closed.set_result(await reader.read())
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(None, write(tmp_path / "c", f"https://127.0.0.1:{port}")) as api:
                asking = asyncio.create_task(api.get("/version"))
                await greeted.wait()
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
                return await asyncio.wait_for(closed, 10)

    gc.disable()  # it would close the connection in our stead
    try:
        assert len(asyncio.run(ask())) > 100  # the rest of a ClientHello, and the end
    finally:
        gc.enable()
