"""The front door: what it prints works as printed, what can't be done is said in a line."""

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
import typer

from maas.cli import welcome, who
from maas.cli.target import configured_cluster
from maas.domain import platform_file
from maas.domain.platform import Gateway, Platform
from maas.embedded import tls
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import READY
from tests.cli.certificates import self_signed
from tests.cli.terminal import Maas
from tests.ports import free_ports
from tests.running import eventually

INSTALL_SH = Path(__file__).parents[2] / "install.sh"


@pytest.fixture
def configured(maas_home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The default maas.yaml, on ports that are free."""
    http, https, metrics = free_ports()
    maas_home.prepare()
    gateway = f"gateway: {{http_port: {http}, https_port: {https}, metrics_port: {metrics}}}\n"
    maas_home.config.write_text(platform_file.default_text() + gateway)
    monkeypatch.setenv("HOME", str(maas_home.root))  # no ~/.kube/config
    return maas_home


def test_what_it_prints_works_as_printed(run: Maas, configured: Home) -> None:
    installed = run("install", "--simulator")
    assert installed.returncode == 0, installed.stderr
    assert not [line for line in installed.stdout.splitlines() if len(line) > 80 and str(configured.root) not in line]
    assert len(re.findall(r"sk-maas-\w{43}", installed.stdout)) == 3  # alone, in curl, in the snippet
    assert "A request went through" in installed.stderr
    if shutil.which("curl"):
        assert '"chat.completion"' in _output(["sh", "-c", _indented_after("curl", installed.stdout)])
    assert _output([sys.executable, "-c", _indented_after("OpenAI's SDK", installed.stdout)]).strip()
    before, used = client.running(configured), _requests_of_the_first_key(run)
    again = run("install")
    assert again.returncode == 0, again.stderr
    assert client.running(configured) != before  # so that new code runs
    assert _requests_of_the_first_key(run) == used > 0
    assert "sk-maas-" not in again.stdout
    keys = json.loads(run("keys", "list", "-o", "json").stdout)
    assert [key["name"] for key in keys if key["status"] == "active"] == ["first key"]
    run("keys", "create", "--name", "second")
    owners = {key["username"] for key in json.loads(run("keys", "list", "-o", "json").stdout)}
    assert owners == {who.user()}  # of both
    assert run("down").returncode == 0


OWN = "bind: 0.0.0.0, certificate: {own}.crt, private_key: {own}.key"
REMOTE = {
    "self-signed": OWN,
    "self-signed, with a name": f"{OWN}, hosts: [models.example.com]",
    "by the local CA": "bind: 0.0.0.0",
    "by the local CA, at one address": "bind: 127.0.0.2, hosts: [models.example.com]",
    "at every address": "bind: '::'",
}


@pytest.mark.parametrize("settings", REMOTE.values(), ids=REMOTE.keys())
def test_beyond_loopback_it_is_proved_over_tls(run: Maas, configured: Home, settings: str) -> None:
    own = self_signed(configured.root / "own", ["models.example.com", socket.gethostname()])
    text = configured.config.read_text()
    configured.config.write_text(text.replace("gateway: {", f"gateway: {{remote: true, {settings.format(own=own)}, "))
    installed = run("install")
    assert installed.returncode == 0, installed.stderr
    assert "A request went through" in installed.stderr
    host = "models.example.com" if "models.example.com" in settings else socket.gethostname()
    assert f"https://{host}:" in installed.stdout
    trusted = f"{own}.crt" if "own" in settings else str(configured.ca_certificate)
    assert f"--cacert {trusted}" in installed.stdout
    if shutil.which("curl") and host == socket.gethostname():
        assert '"chat.completion"' in _output(["sh", "-c", _indented_after("curl", installed.stdout)])


def test_a_name_that_the_own_certificate_lacks_is_said(run: Maas, configured: Home) -> None:
    own = self_signed(configured.root / "own", ["models.example.com"])
    text = configured.config.read_text()
    settings = f"remote: true, hosts: [other.example.com], certificate: {own}.crt, private_key: {own}.key"
    configured.config.write_text(text.replace("gateway: {", f"gateway: {{{settings}, "))
    installed = run("install")
    assert installed.returncode == 7
    assert "certificate is not valid for 'other.example.com'" in installed.stderr


def test_a_certificate_that_somebody_signed_needs_no_cacert(configured: Home) -> None:
    pair = tls.ensure(configured, Gateway(), time.time())  # signed by a CA that stands for any
    certificate = configured.root / "signed.crt"
    certificate.write_bytes(pair.chain)
    gateway = Gateway(remote=True, hosts=("models.example.com",), certificate=str(certificate), private_key="x")
    said = welcome.text(configured, Platform({}, {}, gateway), "simulator", "sk-maas-x")
    assert "https://models.example.com:8443/v1" in said
    assert not re.search("cacert|SSL_CERT_FILE|CA  ", said)


def test_in_the_foreground_it_is_the_supervisor_that_ctrl_c_reaches(run: Maas, configured: Home) -> None:
    command = [sys.executable, "-m", "maas.cli.main", "up", "--foreground"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as foreground:
        eventually(lambda: _ready(configured))
        foreground.send_signal(signal.SIGINT)
        said, _ = foreground.communicate(timeout=30)
    assert foreground.returncode == 0
    assert "ready: process gateway" in said
    assert "stopped: process control" in said


def test_something_has_to_be_served(run: Maas, maas_home: Home) -> None:
    asked = run("install", HOME=str(maas_home.root))
    assert asked.returncode == 2
    assert "--simulator" in asked.stderr


def test_a_taken_port_is_named(run: Maas, configured: Home) -> None:
    port = platform_file.load(configured.config.read_text()).gateway.http_port
    with socket.create_server(("127.0.0.1", port)):
        asked = run("install", "--simulator")
    assert asked.returncode == 5
    assert f"another program uses port {port} of 127.0.0.1 (gateway.http_port);" in asked.stderr


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a GPU")
@pytest.mark.parametrize(
    "flags", [("--simulator", "--check-gpu"), ("--qwen3",), ("--qwen3", "--check-gpu"), ("--install-all-models",)]
)
def test_without_a_gpu_it_says_what_can_be_done_instead(run: Maas, maas_home: Home, flags: tuple[str, ...]) -> None:
    asked = run("install", *flags)
    assert asked.returncode == 7
    assert "nvidia-smi is not installed" in asked.stderr
    assert "--cpu" in asked.stderr and "--simulator" in asked.stderr
    assert not maas_home.config.exists()


def test_auto_takes_the_cluster_that_is_configured_and_never_this_machine_instead(
    run: Maas, maas_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(maas_home.root))
    assert configured_cluster() is None
    monkeypatch.setenv("KUBECONFIG", "/etc/kubeconfig-of-nobody")
    asked = run("install", "--simulator")
    assert asked.returncode == 2
    assert "/etc/kubeconfig-of-nobody" in asked.stderr
    assert not maas_home.config.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "local", "--diff", "--simulator", "-n", "models"), "error: -n, --diff: only for clusters"),
        (("--target", "local", "--skip-metrics"), "error: --skip-metrics: only for clusters"),
        (("--target", "kubernetes", "--cpu"), "error: --cpu: only for this machine"),
        (("--ocp", "--database-url", "sqlite"), "error: --database-url: only for this machine"),
        (("--ocp", "--target", "kubernetes"), "error: --ocp means --target openshift"),
        (("--ocp", "--no-ocp"), "error: --ocp means --target openshift"),
    ],
)
def test_what_belongs_to_another_target_is_refused(
    run: Maas, maas_home: Home, arguments: tuple[str, ...], said: str
) -> None:
    asked = run("install", *arguments)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.startswith(said), asked.stderr
    assert not maas_home.config.exists()


def test_a_database_for_this_machine_in_the_environment_keeps_nobody_from_clusters(run: Maas) -> None:
    asked = run(
        "install", "--simulator", "--context", "none", MAAS_DATABASE_URL="postgresql://db/maas", HOME="/nowhere"
    )
    assert asked.returncode == 2
    assert "--database-url" not in asked.stderr
    assert "no context 'none'" in asked.stderr


def test_the_script_knows_the_commands_flags() -> None:
    """It refuses unknown ones before it sets anything up, so it has to know them all."""
    app: typer.Typer = import_module("maas.cli.install").app
    options = {name for p in typer.main.get_command(app).params for name in (*p.opts, *p.secondary_opts)}
    options = {name for name in options if name.startswith("--")}
    said = set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", INSTALL_SH.read_text(), re.M))
    assert said - {"--help", "--set-up-only", "--deploy-kind"} == options - {"--help"}


def _requests_of_the_first_key(run: Maas) -> int:
    """Those of the installation's own user go on growing."""
    lines = json.loads(run("usage", "-o", "json").stdout)["data"]
    return sum(line["requests"] for line in lines if line["name"] != "maas-install")


def _ready(home: Home) -> bool:
    status = client.status(home)
    return status is not None and {process.state for process in status.processes} == {READY}


def _indented_after(heading: str, text: str) -> str:
    """The block that is indented by two, in the paragraph after the one that has the heading."""
    block = text[text.index(heading) :].split("\n\n")[1]
    return "\n".join(line.removeprefix("  ") for line in block.splitlines())


def _output(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, f"{shlex.join(command)}: {ran.stderr}"
    return ran.stdout
