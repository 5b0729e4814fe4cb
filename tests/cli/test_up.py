"""`maas up` of a platform that can't start, and of one that runs."""

import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from maas.domain import platform_file
from maas.domain.errors import Conflict, Unavailable
from maas.domain.platform import Gateway
from maas.embedded import instances, platform, ports, processes
from maas.embedded.envoy import bootstrap, files
from maas.embedded.gateway import certificate_trouble, described
from maas.embedded.home import Home
from maas.embedded.supervisor import client, paths
from tests.cli.certificates import self_signed
from tests.cli.terminal import Maas
from tests.ports import free_ports
from tests.running import bearer, config, eventually


@pytest.fixture
def configured(maas_home: Home) -> Home:
    maas_home.prepare()
    maas_home.config.write_text(config(free_ports()).replace("SEEN", str(maas_home.root / "seen.jsonl")))
    return maas_home


def test_a_running_platform_takes_changes_through_its_control_plane(run: Maas, configured: Home) -> None:
    assert run("up").returncode == 0
    before = _pids(configured)
    text = configured.config.read_text()
    configured.config.write_text(
        text.replace("requests: 5, per: 2m}, {tokens: 200, per: 1m}", "requests: 1, per: 2m}").replace(
            "  other: {runtime: simulator}", "  other: {runtime: simulator}\n  third: {runtime: simulator}"
        )
    )
    again = run("up")
    assert again.returncode == 0, again.stderr
    assert "~ tiers.free.limits.requests per 2m: 5 -> 1\n" in again.stdout
    assert "\n3 changes applied.\nThe platform listens at http://127.0.0.1:" in again.stdout
    assert {name: pid for name, pid in _pids(configured).items() if not name.startswith("third@")} == before
    key = run("keys", "create").stdout.strip()
    assert [_asked(configured, key, "third") for _ in range(2)] == [200, 429]  # the gateway and admission agree
    same = run("up")
    assert (same.returncode, same.stdout.splitlines()[0]) == (0, "No changes.")


def test_a_mistake_in_the_file_changes_nothing(run: Maas, configured: Home) -> None:
    assert run("up").returncode == 0
    configured.config.write_text(configured.config.read_text().replace("runtime: simulator}", "runtime: quantum}"))
    before = {path: path.read_bytes() for path in _owned_by_the_control_plane(configured)}
    asked = run("up")
    assert asked.returncode == 2
    assert "quantum" in asked.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_starting_keeps_its_hands_off_what_runs(run: Maas, configured: Home) -> None:
    assert run("up").returncode == 0
    text = configured.config.read_text()
    configured.config.write_text(text.replace("  other:", "  another: {runtime: simulator}\n  other:"))
    before = {path: path.read_bytes() for path in _owned_by_the_control_plane(configured)}
    with pytest.raises(Conflict, match="runs already"):
        platform.start(configured)
    assert {path: path.read_bytes() for path in before} == before


def test_a_start_that_fails_says_why_and_leaves_nothing_behind(run: Maas, configured: Home) -> None:
    assert run("up").returncode == 0
    assert run("keys", "create").returncode == 0
    assert run("down").returncode == 0
    pepper = configured.pepper.read_bytes()
    configured.pepper.unlink()
    asked = run("up")
    assert asked.returncode == 7
    reason, log, what_now = asked.stderr.splitlines()[-3:]
    assert reason.startswith(f"error: control keeps failing (exit 1): {configured.pepper} is missing: ")
    assert log == f"Its log is {configured.logs / 'control.log'}"
    assert what_now == "The platform has been stopped again"
    assert run("status").returncode == 6
    configured.pepper.write_bytes(pepper)
    assert run("up").returncode == 0


def test_a_listener_that_could_not_bind_is_no_success(configured: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody took the port after it had been found free: Envoy then runs on without this listener."""
    monkeypatch.setattr(ports, "require_free", lambda _: None)
    port = platform_file.load(configured.config.read_text()).gateway.https_port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(Unavailable, match=f"bind '127.0.0.1:{port}'"):
        platform.start(configured)
    assert not platform.runs(configured)


def test_what_a_killed_supervisor_left_holds_no_ports(run: Maas, configured: Home) -> None:
    """An Envoy that hangs does not end when the kernel tells it that its supervisor has."""
    assert run("up").returncode == 0
    status = client.status(configured)
    assert status
    hanging = next(process.identity for process in status.processes if process.name == processes.GATEWAY)
    assert hanging
    os.kill(hanging.pid, signal.SIGSTOP)
    os.kill(status.supervisor.pid, signal.SIGKILL)
    eventually(lambda: not platform.runs(configured))
    again = run("up")
    assert again.returncode == 0, again.stderr
    assert not hanging.alive


@pytest.mark.alone
def test_a_certificate_that_expires_stops_nothing(run: Maas, configured: Home) -> None:
    own = self_signed(configured.root / "own", ["localhost"], lasts=8)
    text = configured.config.read_text()
    pair = f"gateway: {{certificate: {own}.crt, private_key: {own}.key, "
    configured.config.write_text(text.replace("gateway: {", pair))
    assert run("up").returncode == 0
    eventually(lambda: certificate_trouble(Gateway(certificate=f"{own}.crt")))
    key = run("keys", "create").stdout.strip()
    configured.config.write_text(configured.config.read_text() + "  another: {}\n")
    changed = run("up")
    assert changed.returncode == 0, changed.stderr
    assert run("down").returncode == 0
    again = run("up")
    assert again.returncode == 0, again.stderr
    assert _asked(configured, key, "simulator") == 200
    eventually(lambda: "certificate: failing: gateway.certificate" in run("status").stdout)
    assert "certificate_out_of_time" in run("logs", "control").stdout
    other = self_signed(configured.root / "other", ["localhost"], lasts=-1)
    configured.config.write_text(configured.config.read_text().replace(str(own), str(other)))
    refused = run("up")
    assert refused.returncode == 2
    assert f"{other}.crt expired on " in refused.stderr
    assert run("down").returncode == 0
    assert run("up").returncode == 2


def test_what_a_supervisor_goes_on_trying_is_tried_at_once(run: Maas, configured: Home) -> None:
    """Of systemd's platform, say: it was not started by this command, so it is not stopped either."""
    served = instances.instances(platform.configuration(configured), configured).values()
    files.write(described(configured, platform.configuration(configured).gateway, served))
    client.want(configured, processes.specs(configured, served))
    configured.database.write_text("no database")
    client.launch(configured)
    asked = run("up")
    assert asked.returncode == 7
    assert "is not a SQLite database" in asked.stderr
    assert asked.stderr.endswith("The supervisor goes on trying; `maas down` stops everything\n")
    eventually(lambda: "failed" in run("status").stdout)
    configured.database.unlink()
    assert run("up").returncode == 0


def test_one_model_that_fails_does_not_take_the_others_away(run: Maas, configured: Home) -> None:
    text = configured.config.read_text()
    configured.config.write_text(
        text.replace("  other: {runtime: simulator}", "  other: {runtime: simulator, options: {request-log: /nix/x}}")
    )
    asked = run("up")
    assert asked.returncode == 7
    assert "error: other@" in asked.stderr
    assert "`maas down` stops everything" in asked.stderr
    key = run("keys", "create").stdout.strip()
    assert _asked(configured, key, "simulator") == 200
    configured.config.write_text(text)
    assert run("up").returncode == 0


def _owned_by_the_control_plane(home: Home) -> list[Path]:
    return [paths.desired(home), bootstrap.cds_file(home), bootstrap.lds_file(home)]


def _pids(home: Home) -> dict[str, int | None]:
    status = client.status(home)
    assert status
    return {process.name: process.pid for process in status.processes}


def _asked(home: Home, key: str, model: str) -> int:
    port = platform_file.load(home.config.read_text()).gateway.http_port
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    return httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, headers=bearer(key)).status_code
