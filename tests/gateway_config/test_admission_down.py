"""Without a decision nothing gets in: admission that is gone, that hangs, and that comes back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.gateway_config import server
from tests.gateway_config.running import MODEL, Running, error_of, running
from tests.running import eventually, stopped

ASK = {"model": "chatty"}


@pytest.fixture(scope="module")
def alone() -> Iterator[Running]:
    with running(decide=False) as gateway:
        yield gateway


@pytest.fixture
def admission(alone: Running) -> Iterator[subprocess.Popen[bytes]]:
    with start(alone) as process:
        yield process
        process.kill()


def start(up: Running) -> subprocess.Popen[bytes]:
    socket = up.home.admission_socket
    socket.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, server.__file__, str(socket), MODEL])
    eventually(lambda: socket.exists())
    return process


def test_killed(alone: Running, admission: subprocess.Popen[bytes]) -> None:
    assert alone.post(ASK).status_code == 200
    before = len(alone.model.asked)
    admission.kill()
    admission.wait()

    refused = alone.post(ASK)

    assert refused.status_code == 503
    error = error_of(refused)
    assert (error["code"], error["type"]) == ("admission_unavailable", "api_error")
    assert "nothing was let through" in error["message"]
    line = alone.log_line(refused.headers["x-request-id"])
    assert (line["details"], line["flags"]) == ("ext_authz_error", "UAEX")
    assert len(alone.model.asked) == before


def test_stopped(alone: Running, admission: subprocess.Popen[bytes]) -> None:
    assert alone.post(ASK).status_code == 200
    before = len(alone.model.asked)
    os.kill(admission.pid, signal.SIGSTOP)
    eventually(lambda: stopped(admission.pid))

    started = time.monotonic()
    refused = alone.post(ASK)

    assert time.monotonic() - started < 3.0
    assert refused.status_code == 503
    assert error_of(refused)["code"] == "admission_unavailable"
    os.kill(admission.pid, signal.SIGCONT)
    assert alone.post(ASK).status_code == 200
    assert len(alone.model.asked) == before + 1


def test_back_again(alone: Running, admission: subprocess.Popen[bytes]) -> None:
    assert alone.post(ASK).status_code == 200
    admission.kill()
    admission.wait()
    assert alone.post(ASK).status_code == 503
    with start(alone) as again:
        assert alone.post(ASK).status_code == 200
        again.kill()
