"""Which cluster is meant: files merged as kubectl does, contexts, pods."""

import asyncio
import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maas.cluster.connection import connect, credentials, described, find
from maas.cluster.failures import BadKubeconfig, LoginFailed
from maas.cluster.reading_files import LARGEST, whole
from tests.kubernetes.connection.configs import write

NOWHERE = Path("/nonexistent")


def test_explicit_file_comes_before_the_environment(tmp_path: Path) -> None:
    explicit = write(tmp_path / "a", "https://a:1")
    environment = {"KUBECONFIG": str(write(tmp_path / "b", "https://b:1")), "HOME": str(tmp_path)}
    assert find(None, explicit, environment, NOWHERE).server == "https://a:1"
    assert find(None, None, environment, NOWHERE).server == "https://b:1"


def test_home_is_where_it_is_looked_for_without_KUBECONFIG(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config", "https://home:1")
    assert find(None, None, {"HOME": str(tmp_path)}, NOWHERE).server == "https://home:1"


def test_several_files_are_one_and_the_first_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "1", "https://first:1", context="same", current="")
    second = write(tmp_path / "2", "https://second:1", context="same")
    third = write(tmp_path / "3", "https://third:1", context="other")
    environment = {"KUBECONFIG": f"{tmp_path / 'missing'}::{first}:{second}:{third}"}
    assert find(None, None, environment, NOWHERE).server == "https://first:1"  # current-context of the second
    assert find("other", None, environment, NOWHERE).server == "https://third:1"


def test_paths_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "token").write_text("t")
    config = write(tmp_path / "sub" / "config", user={"tokenFile": "token"})
    assert find(None, config, {}, NOWHERE).user.path("tokenFile") == tmp_path / "sub" / "token"


def test_unknown_context_names_those_there_are(tmp_path: Path) -> None:
    config = write(tmp_path / "c", context="prod")
    with pytest.raises(BadKubeconfig, match=r"no context 'porod' in .*--context: prod"):
        find("porod", config, {}, NOWHERE)


def test_no_current_context_names_the_choice(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match=r"No current context is set in .*--context: prod"):
        find(None, write(tmp_path / "c", context="prod", current=""), {}, NOWHERE)


def test_missing_file_that_was_named_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match=r"no kubeconfig .*/nope"):
        find(None, tmp_path / "nope", {}, NOWHERE)


def test_nothing_anywhere_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match=r"no kubeconfig was found .*this is no pod.*--kubeconfig"):
        find(None, None, {"HOME": str(tmp_path)}, NOWHERE)


def test_context_that_names_a_missing_user(tmp_path: Path) -> None:
    config = write(tmp_path / "c", context="prod")
    config.write_text(config.read_text().replace('"user": "prod-u"', '"user": "gone"'))
    with pytest.raises(BadKubeconfig, match=r"names the user 'gone'.*there are: prod-u"):
        find(None, config, {}, NOWHERE)


@pytest.mark.parametrize("server", ["", "cluster:6443", "ftp://x"])
def test_useless_server_address(tmp_path: Path, server: str) -> None:
    with pytest.raises(BadKubeconfig, match="no usable server address"):
        find(None, write(tmp_path / "c", server), {}, NOWHERE)


@pytest.mark.parametrize("port", ["99999", "abc"])
def test_server_address_that_is_no_url(tmp_path: Path, port: str) -> None:
    with pytest.raises(BadKubeconfig, match="no valid URL"):
        connect(None, write(tmp_path / "c", f"https://cluster:{port}"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"token: [s3cret-value\nusers: }", "not valid YAML, line"),
        (b"- a\n- b", "holds no mapping"),
        (b"\x00\xff\xfe", "not valid YAML"),
    ],
)
def test_broken_file_is_named_without_what_it_holds(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(BadKubeconfig, match=said) as caught:
        find(None, tmp_path / "c", {}, NOWHERE)
    assert "s3cret" not in str(caught.value)


def test_parts_of_absurd_types_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("current-context: 7\ncontexts: 5\nclusters: {a: b}\nusers: [1, null, {name: [x]}]")
    with pytest.raises(BadKubeconfig, match="no contexts at all"):
        find(None, tmp_path / "c", {}, NOWHERE)


def _pod(tmp_path: Path) -> tuple[dict[str, str], Path]:
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("t")
    (account / "ca.crt").write_text("x")
    return {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)}, account


def test_pod_without_kubeconfig_uses_its_service_account(tmp_path: Path) -> None:
    login = find(None, None, *_pod(tmp_path))
    assert login.server == "https://[fd00::1]:443"
    assert login.user.path("tokenFile") == tmp_path / "account" / "token"
    assert described(login) == "this pod's cluster (https://[fd00::1]:443)"


def test_kubeconfig_comes_before_the_service_account(tmp_path: Path) -> None:
    environment, account = _pod(tmp_path)
    write(tmp_path / ".kube" / "config", "https://named:1")
    assert find(None, None, environment, account).server == "https://named:1"


def test_a_context_asked_for_is_never_answered_with_the_service_account(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match="no context 'prod'"):
        find("prod", None, *_pod(tmp_path))


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"client-certificate-data": "AAAA"}, "client-key is missing"),
        ({"client-key-data": "AAAA"}, "client-certificate is missing"),
        ({"client-certificate-data": "s3cret!", "client-key-data": "AAAA"}, "not base64"),
        ({"client-certificate": "gone.crt", "client-key-data": "AAAA"}, "cannot be read: .*gone.crt"),
        ({"auth-provider": {"name": "gcp"}}, "'gcp', which kubectl dropped.*exec plug-in"),
        ({"as-groups": ["x"]}, "as-groups needs `as`"),
    ],
)
def test_useless_credentials_are_told_when_connecting(tmp_path: Path, user: dict[str, object], said: str) -> None:
    with pytest.raises(BadKubeconfig, match=said) as caught:
        connect(None, write(tmp_path / "c", user=user))
    assert "s3cret" not in str(caught.value)


def test_nothing_secret_is_in_the_representation_of_what_connects(tmp_path: Path) -> None:
    api = connect(None, write(tmp_path / "c", user={"token": "s3cret-token", "as": "someone"}))
    assert "s3cret" not in repr(api) + str(api) + repr(api.session.login)
    assert api.described == "context here (https://cluster.example:6443)"


def test_a_password_in_the_address_is_used_and_never_told(tmp_path: Path) -> None:
    login = find(None, write(tmp_path / "c", "https://bob:CANARY%21@host:6443/"), {}, NOWHERE)
    assert login.server == "https://host:6443"
    assert "CANARY" not in described(login)
    sent = asyncio.run(credentials(login).identity()).authorization
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"bob:CANARY!"
    with pytest.raises(BadKubeconfig) as told:
        find(None, write(tmp_path / "c", "ftp://bob:CANARY@host"), {}, NOWHERE)
    assert "CANARY" not in str(told.value)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_without_end_is_refused_not_fallen_over(tmp_path: Path, opening: str) -> None:
    deep = tmp_path / "deep"
    deep.write_text("a: " + opening * 50_000 if opening != "- " else opening * 50_000)
    code = "import sys, pathlib; from maas.cluster.kubeconfig import read; read([pathlib.Path(sys.argv[1])])"
    ended = subprocess.run([sys.executable, "-c", code, str(deep)], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "levels deep" in ended.stderr


def test_a_pipe_is_read_as_a_file(tmp_path: Path) -> None:
    inside, outside = os.pipe()
    os.write(outside, write(tmp_path / "c", "https://piped:1").read_bytes())
    os.close(outside)
    assert find(None, Path(f"/dev/fd/{inside}"), {}, NOWHERE).server == "https://piped:1"
    os.close(inside)


def test_neither_a_silent_pipe_nor_an_endless_file_holds_us_up(tmp_path: Path) -> None:
    silent = tmp_path / "pipe"
    os.mkfifo(silent)
    with pytest.raises(OSError, match="nobody writes"):
        whole(silent, patience=0.1)
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, LARGEST + 1)
    for endless, said in ((Path("/dev/zero"), "neither a file nor a pipe"), (huge, "more than 16 MB")):
        config = write(tmp_path / "c", user={"tokenFile": str(endless)})
        with pytest.raises(LoginFailed, match=said):
            asyncio.run(credentials(find(None, config, {}, NOWHERE)).identity())
