"""`maas status` beyond processes: what the control plane, which a test can choose, says of its parts."""

import json
import sys
from collections.abc import Callable

import pytest

from maas.embedded.home import Home
from maas.embedded.supervisor import client
from maas.embedded.supervisor.spec import Spec
from tests.cli.terminal import Maas

DEADLINE = 10.0
SCRIPT = """
import http.server, socketserver, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        assert self.path == "/health"
        if sys.argv[2] == "silence":
            time.sleep(1000)
        self.send_response(503)
        self.end_headers()
        self.wfile.write(sys.argv[2].encode())
    def address_string(self):
        return ""
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
Server(sys.argv[1], Handler).serve_forever()
"""

Answering = Callable[[str], None]


@pytest.fixture
def answering(maas_home: Home) -> Answering:
    """A control plane that says this."""

    def start(answer: str) -> None:
        maas_home.prepare()
        socket = str(maas_home.api_socket)
        argv = (sys.executable, "-c", SCRIPT, socket, answer)
        generation = client.want(maas_home, [Spec("control", argv, "control.log", ready=socket, stop_grace=1)])
        client.launch(maas_home)
        client.wait_ready(maas_home, generation, timeout=DEADLINE)

    return start


def test_all_parts_are_well(run: Maas, answering: Answering) -> None:
    answering('{"parts": {"journal": "ok", "ledger": "ok"}}')
    asked = run("status")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "failing" not in asked.stdout
    document = json.loads(run("status", "-o", "json").stdout)
    assert (document["ready"], document["parts"]) == (True, {"journal": "ok", "ledger": "ok"})


def test_a_part_that_fails_is_named_with_its_reason(run: Maas, answering: Answering) -> None:
    answering('{"parts": {"journal": "ok", "ledger": "the database is away"}}')
    asked = run("status")
    assert asked.returncode == 7
    assert asked.stdout.endswith("\nledger: failing: the database is away\n")
    as_json = run("status", "-o", "json")
    assert as_json.returncode == 7
    document = json.loads(as_json.stdout)
    assert (document["ready"], document["parts"]["ledger"]) == (False, "the database is away")


@pytest.mark.parametrize(
    ("answer", "said"),
    [("silence", "does not answer within 2 s"), ("nonsense", "gives no good answer"), ("[]", "gives no good answer")],
)
def test_a_control_plane_without_a_good_answer(run: Maas, answering: Answering, answer: str, said: str) -> None:
    answering(answer)
    asked = run("status")
    assert asked.returncode == 7
    assert f"\ncontrol: failing: its process runs, but {said}" in asked.stdout
    assert said in json.loads(run("status", "-o", "json").stdout)["parts"]["control"]
