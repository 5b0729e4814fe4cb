"""Credential plug-ins of kubeconfigs: real scripts, started as kubectl starts them."""

import asyncio
import io
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from maas.cluster.connection import connect
from maas.cluster.exec_plugin import ExecPlugin
from maas.cluster.failures import BadKubeconfig, LoginFailed
from tests.kubernetes.connection.configs import write
from tests.kubernetes.played import Request, playing, status

V1, BETA = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def credential(version: str = V1, **fields: str) -> str:
    return json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": fields})


def plugin(command: str | Path, version: str = V1, **more: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": version, "command": str(command), "interactiveMode": "Never", **more}}


def authorized(tmp_path: Path, user: dict[str, Any], calls: int = 1, cluster: Any = None) -> list[str]:
    """What the server was sent as Authorization, call by call."""

    async def ask() -> list[str]:
        async def version(request: Request) -> Any:
            return {}

        async with playing(version) as server:
            async with connect(None, write(tmp_path / "c", server.url, user=user, cluster=cluster)) as api:
                for _ in range(calls):
                    await api.get("/version")
            return [request.headers["authorization"] for request in server.asked]

    return asyncio.run(ask())


@pytest.mark.parametrize("version", [V1, BETA])
def test_token_of_a_plugin(tmp_path: Path, version: str) -> None:
    program = script(tmp_path / "p", f"echo '{credential(version, token='abc')}'")
    assert authorized(tmp_path, plugin(program, version)) == ["Bearer abc"]


def test_arguments_environment_and_a_path_relative_to_the_file(tmp_path: Path) -> None:
    script(
        tmp_path / "p", """printf '{"kind":"ExecCredential","apiVersion":"%s","status":{"token":"%s-%s"}}' $2 $1 $X"""
    )
    user = plugin("./p", args=["one", V1], env=[{"name": "X", "value": "two"}])
    assert authorized(tmp_path, user) == ["Bearer one-two"]


def test_runs_once_for_many_calls(tmp_path: Path) -> None:
    program = script(tmp_path / "p", f"echo x >> {tmp_path}/runs; echo '{credential(token='abc')}'")
    assert len(authorized(tmp_path, plugin(program), calls=5)) == 5
    assert (tmp_path / "runs").read_text() == "x\n"


def test_runs_again_when_its_credential_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))
    program = script(
        tmp_path / "p", f"echo x >> {tmp_path}/runs; echo '{credential(token='abc', expirationTimestamp=soon)}'"
    )

    user = plugin(program)

    async def ask() -> None:
        async def version(request: Request) -> Any:
            return {}

        async with playing(version) as server, connect(None, write(tmp_path / "c", server.url, user=user)) as api:
            await api.get("/version")
            await api.get("/version")
            later = time.time() + 295  # ten seconds of grace
            monkeypatch.setattr("maas.cluster.session.time.time", lambda: later)
            await api.get("/version")

    asyncio.run(ask())
    assert (tmp_path / "runs").read_text() == "x\nx\n"


def test_many_calls_refused_at_once_log_in_once(tmp_path: Path) -> None:
    program = script(
        tmp_path / "p",
        f"""echo x >> {tmp_path}/runs; n=$(wc -l < {tmp_path}/runs | tr -d ' ')
printf '{{"kind":"ExecCredential","apiVersion":"{V1}","status":{{"token":"t%s"}}}}' $n""",
    )

    user = plugin(program)

    async def ask() -> list[Any]:
        async def version(request: Request) -> Any:
            fresh = request.headers["authorization"] == "Bearer t2"
            return {"fresh": True} if fresh else status(401, "Unauthorized")

        async with playing(version) as server, connect(None, write(tmp_path / "c", server.url, user=user)) as api:
            return await asyncio.gather(*(api.get("/version") for _ in range(8)))

    assert asyncio.run(ask()) == [{"fresh": True}] * 8
    assert (tmp_path / "runs").read_text() == "x\nx\n"


def test_cluster_info_is_given_where_asked_for(tmp_path: Path) -> None:
    program = script(
        tmp_path / "p", f"echo \"$KUBERNETES_EXEC_INFO\" > {tmp_path}/info; echo '{credential(token='abc')}'"
    )
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "me"}}
    authorized(
        tmp_path, plugin(program, provideClusterInfo=True), cluster={"tls-server-name": "x", "extensions": [extension]}
    )
    info = json.loads((tmp_path / "info").read_text())
    assert info["apiVersion"] == V1 and info["kind"] == "ExecCredential"
    assert info["spec"]["interactive"] is False
    assert info["spec"]["cluster"]["server"].startswith("http://127.0.0.1:")
    assert info["spec"]["cluster"]["tls-server-name"] == "x"
    assert info["spec"]["cluster"]["config"] == {"audience": "me"}


def test_cluster_info_is_not_given_otherwise(tmp_path: Path) -> None:
    program = script(
        tmp_path / "p", f"echo \"$KUBERNETES_EXEC_INFO\" > {tmp_path}/info; echo '{credential(token='abc')}'"
    )
    authorized(tmp_path, plugin(program))
    assert json.loads((tmp_path / "info").read_text())["spec"] == {"interactive": False}


def test_it_gets_no_stdin(tmp_path: Path) -> None:
    program = script(tmp_path / "p", f"if read line; then exit 9; fi; echo '{credential(token='abc')}'")
    assert authorized(tmp_path, plugin(program)) == ["Bearer abc"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'please log in' >&2; exit 3", "exit code 3: please log in"),
        ("echo nonsense", "did not answer in JSON"),
        (f"echo '{credential(BETA, token='s3cret')}'", "another language"),
        (f"echo '{credential()}'", "neither a token nor"),
        (f"echo '{credential(clientCertificateData='x')}'", "neither a token nor"),
        ("echo eyJhbGciOiJSUzI1NiIsImtpZCI6Ijs3cret000000000000 >&2; exit 1", "exit code 1: …"),
    ],
)
def test_a_plugin_that_fails_is_told(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(LoginFailed, match=said) as caught:
        authorized(tmp_path, plugin(script(tmp_path / "p", body)))
    assert "s3cret" not in str(caught.value)
    assert "context 'here'" in str(caught.value)


def test_a_missing_plugin_tells_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(LoginFailed, match=r"'no-such-plugin' .*is not installed. Get it at example.org"):
        authorized(tmp_path, plugin("no-such-plugin", installHint="Get it at example.org"))


def test_a_plugin_of_unknown_version(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match="v1alpha1"):
        authorized(tmp_path, plugin("p", "client.authentication.k8s.io/v1alpha1"))


def test_a_plugin_that_must_ask_without_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(LoginFailed, match="on a terminal only"):
        authorized(tmp_path, plugin("p", interactiveMode="Always"))


@pytest.mark.parametrize("closed", [True, False])
def test_a_service_without_stdin_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    stdin = io.StringIO()
    stdin.close()
    monkeypatch.setattr("sys.stdin", stdin if closed else None)
    program = script(tmp_path / "p", f"echo '{credential(token='abc')}'")
    assert authorized(tmp_path, plugin(program, interactiveMode="IfAvailable")) == ["Bearer abc"]


def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    program = script(tmp_path / "p", f"sleep 100 & echo $! > {tmp_path}/child; wait")
    login = connect(None, write(tmp_path / "c", user=plugin(program))).session.login
    began = time.monotonic()
    with pytest.raises(LoginFailed, match=r"no answer within 0.5 seconds"):
        asyncio.run(ExecPlugin(login, patience=0.5).identity())
    assert time.monotonic() - began < 5
    child = int((tmp_path / "child").read_text())
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]


def test_a_login_that_failed_is_not_tried_for_each_call(tmp_path: Path) -> None:
    program = script(tmp_path / "p", f"echo x >> {tmp_path}/runs; exit 1")

    async def ask() -> None:
        async with connect(None, write(tmp_path / "c", user=plugin(program))) as api:
            answers = await asyncio.gather(*(api.get("/version") for _ in range(5)), return_exceptions=True)
            assert all(isinstance(answer, LoginFailed) for answer in answers)

    asyncio.run(ask())
    assert (tmp_path / "runs").read_text() == "x\n"


def test_credentials_that_a_plugin_complains_of_are_not_repeated(tmp_path: Path) -> None:
    program = script(
        tmp_path / "p", "echo 'refused: token=CANARY-STDERR-SECRET eyJhbGciOiJ9.eyJzdWIiOiJ9.sig' >&2; exit 1"
    )
    with pytest.raises(LoginFailed, match="refused") as told:
        authorized(tmp_path, plugin(program))
    assert "CANARY" not in str(told.value)
    assert "eyJ" not in str(told.value)
