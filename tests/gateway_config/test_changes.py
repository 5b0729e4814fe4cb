"""Changes in a running gateway: no restart, no failed request, and a rejected one leaves everything as it was."""

import asyncio
import contextlib
import dataclasses
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from maas.domain.errors import Unavailable
from maas.embedded import envoy, tls
from maas.embedded.envoy import admin, bootstrap
from tests.gateway_config.running import CHAT, KEY, Running, running, to_model
from tests.gateway_config.server import events
from tests.ports import free_port

ASK = {"model": "chatty"}


class Load:
    """Requests one after the other, as long as the block runs, over connections that are kept."""

    def __init__(self, up: Running) -> None:
        self._up = up
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(3)]
        self.statuses: list[int] = []

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with self._up.client(headers=KEY) as client:
            while not self._end.is_set():
                self.statuses.append(client.post(CHAT, json=ASK).status_code)


def test_models_come_and_go_under_load(up: Running) -> None:
    with Load(up) as load:
        for number in range(10):
            extra = [envoy.Upstream(f"m{i}@{number}", up.home.model_socket("m")) for i in range(number % 4)]
            up.apply(up.configuration(*extra))

    assert len(load.statuses) > 50
    assert set(load.statuses) == {200}


def test_a_model_can_be_called_as_soon_as_apply_returns(up: Running) -> None:
    for number in range(5):
        name = f"fresh@{number}"
        up.admission.handler = lambda asked, name=name: to_model(asked, name)  # type: ignore[misc]
        up.apply(up.configuration(envoy.Upstream(name, up.home.model_socket("m"))))
        assert up.post(ASK).status_code == 200


def test_a_model_by_name_and_port(up: Running) -> None:
    port = free_port()
    up.apply(up.configuration(envoy.Upstream("remote@1", envoy.HostPort("localhost", port))))
    up.admission.handler = lambda asked: to_model(asked, "remote@1")

    assert up.post(ASK).status_code == 503  # nobody listens there, but the cluster is known


def test_what_is_rejected_is_taken_back(up: Running) -> None:
    good = up.configuration()
    up.apply(good)
    with pytest.raises(envoy.Rejected, match="exceeds maximum UNIX domain socket path size"):
        up.apply(up.configuration(envoy.Upstream("far@1", up.home.root / ("x" * 120))))

    assert bootstrap.cds_file(up.home).read_bytes() == good.files[bootstrap.cds_file(up.home)]
    asyncio.run(envoy.in_force(up.home, good, rejected_before=10**6))
    assert up.post(ASK).status_code == 200


def test_a_port_that_is_taken_is_the_reason_that_is_given(up: Running) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(envoy.Rejected, match="Address already in use"):
            up.apply(up.configuration(http_port=other.getsockname()[1]))

    assert up.post(ASK).status_code == 200


def test_a_listener_moves_while_a_stream_goes_on(up: Running) -> None:
    up.model.handler = lambda asked: events(b"data: 1\n\n", b"data: 2\n\n")
    up.model.steps = threading.Semaphore(1)
    stream = json.dumps({**ASK, "stream": True})
    headers = {**KEY, "content-type": "application/json"}
    with up.client() as client, client.stream("POST", CHAT, content=stream, headers=headers) as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"data: 1\n\n"
        port = free_port()
        up.apply(up.configuration(http_port=port))
        moved = dataclasses.replace(up, gateway=dataclasses.replace(up.gateway, http_port=port))
        up.model.steps.release()
        assert next(parts) == b"data: 2\n\n"
        up.model.steps = None
        assert moved.post(ASK).status_code == 200
    up.apply(up.configuration())
    assert up.post(ASK).status_code == 200


def test_a_new_certificate_is_shown_without_a_restart(up: Running) -> None:
    before = shown_certificate(up)
    up.home.server_certificate.unlink()
    with Load(up) as load:
        up.apply(up.configuration())
        deadline = time.monotonic() + 5
        while shown_certificate(up) == before:
            assert time.monotonic() < deadline
    assert set(load.statuses) == {200}
    pair = tls.ensure(up.home, up.gateway, time.time())
    assert ssl.PEM_cert_to_DER_cert(pair.chain.decode().partition("-----END")[0] + "-----END CERTIFICATE-----\n") == (
        shown_certificate(up)
    )


def test_envoy_that_does_not_run(up: Running) -> None:
    missing = dataclasses.replace(up.home, root=up.home.root / "nowhere")
    with pytest.raises(FileNotFoundError):
        asyncio.run(envoy.apply(missing, up.configuration()))
    with pytest.raises(Unavailable, match=r"within 0\.1 s"):
        asyncio.run(envoy.in_force(missing, up.configuration(), within=0.1))


@pytest.fixture
def short_lived() -> Iterator[Running]:
    with running() as gateway:
        yield gateway


def test_stopping_lets_answers_end(short_lived: Running) -> None:
    up = short_lived
    up.model.handler = lambda asked: events(b"data: 1\n\n", b"data: 2\n\n")
    up.model.steps = threading.Semaphore(1)
    stopped = threading.Thread(target=lambda: asyncio.run(admin.stop(up.home)))
    with up.client() as client, client.stream("POST", CHAT, json={**ASK, "stream": True}, headers=KEY) as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"data: 1\n\n"
        stopped.start()
        _until_refused(up)
        up.model.steps.release()
        assert next(parts) == b"data: 2\n\n"
        with contextlib.suppress(StopIteration):
            next(parts)
    stopped.join()
    assert up.process.wait(10) == 0


def test_stopping_does_not_wait_for_ever(short_lived: Running) -> None:
    up = short_lived
    up.model.handler = lambda asked: events(*[b"data: 1\n\n"] * 1000, pause=0.05)
    with up.client() as client, client.stream("POST", CHAT, json={**ASK, "stream": True}, headers=KEY) as answer:
        next(answer.iter_raw())
        asyncio.run(admin.stop(up.home, within=0.2))
        assert up.process.wait(10) == 0


def shown_certificate(up: Running) -> bytes:
    raw = socket.create_connection(("127.0.0.1", up.gateway.https_port))
    with up.trust().wrap_socket(raw, server_hostname="localhost") as connection:
        shown = connection.getpeercert(binary_form=True)
    assert shown
    return shown


def _until_refused(up: Running) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with up.client() as client:
                client.get("/health")
        except httpx.TransportError:
            return
    raise AssertionError("new connections are still taken")
