"""A home whose path is too long for a socket's address: everybody has to find the same place, and nobody else's."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from maas.embedded import instances, platform
from maas.embedded.home import Home
from maas.embedded.supervisor import client, paths
from maas.embedded.supervisor.status import READY
from tests.cli.terminal import Maas
from tests.ports import free_ports
from tests.running import config, eventually

LONGEST = 85  # bytes of a home that holds its sockets itself


def home_of(length: int, parent: Path) -> Home:
    parent /= "x" * 20
    return Home(parent / ("h" * (length - len(os.fsencode(parent)) - 1)))


@pytest.fixture(params=[LONGEST, LONGEST + 1, 300])
def home(request: pytest.FixtureRequest, maas_home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    if request.param == 300:
        home = home_of(200, maas_home.root)
        home = home_of(300, home.root)
    else:
        home = home_of(request.param, maas_home.root)
    monkeypatch.setenv("MAAS_HOME", str(home.root))
    home.prepare()
    yield home
    client.stop(home, timeout=20)
    if home.sockets != home.run:
        shutil.rmtree(home.sockets, ignore_errors=True)


def test_it_works_in_every_session(run: Maas, home: Home, tmp_path: Path) -> None:
    """systemd and cron set no $XDG_RUNTIME_DIR; a login does."""
    home.config.write_text(config(free_ports()).replace("SEEN", str(home.root / "seen.jsonl")))
    started = run("up", XDG_RUNTIME_DIR="")
    assert started.returncode == 0, started.stderr
    assert run("keys", "create", XDG_RUNTIME_DIR=str(tmp_path)).returncode == 0
    assert run("status", XDG_RUNTIME_DIR=str(tmp_path)).returncode == 0
    assert run("down", XDG_RUNTIME_DIR=str(tmp_path)).returncode == 0
    assert not platform.runs(home)


def test_only_sockets_are_elsewhere(home: Home) -> None:
    assert {paths.lock(home).parent, paths.status(home).parent, paths.desired(home).parent} == {home.root / "run"}
    inside = len(os.fsencode(home.root)) <= LONGEST
    assert home.sockets.parent == (home.root if inside else Path("/tmp"))
    assert home.sockets.stat().st_mode & 0o777 == 0o700


def test_no_name_of_a_socket_is_longer_than_is_reckoned_with(maas_home: Home) -> None:
    home = home_of(LONGEST, maas_home.root)
    maas_home.config.write_text(config(free_ports()))
    models = instances.instances(platform.configuration(maas_home), home).values()
    sockets = [home.api_socket, home.admission_socket, home.admin_socket]
    sockets += [Path(model.process.ready) for model in models if model.process and model.process.ready]
    assert max(len(os.fsencode(socket)) for socket in sockets) == 107


def test_through_a_link_it_is_the_same(home: Home, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(home.root)
    assert Home(link).sockets == home.sockets


def test_what_cleaned_tmp_took_is_made_again(run: Maas, maas_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of(LONGEST + 1, maas_home.root)
    monkeypatch.setenv("MAAS_HOME", str(home.root))
    home.prepare()
    home.config.write_text(config(free_ports()).replace("SEEN", str(home.root / "seen.jsonl")))
    try:
        assert run("up").returncode == 0
        status = client.status(home)
        assert status
        shutil.rmtree(home.sockets)
        for process in status.processes:
            assert process.pid
            os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: _all_new(home, {process.pid for process in status.processes}))
        assert run("status").returncode == 0
        assert run("keys", "list").returncode == 0
    finally:
        client.stop(home, timeout=20)
        shutil.rmtree(home.sockets, ignore_errors=True)


def test_somebody_else_s_folder_is_not_used(run: Maas, maas_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of(LONGEST + 1, maas_home.root)
    monkeypatch.setenv("MAAS_HOME", str(home.root))
    place = home.sockets
    place.symlink_to(maas_home.root)
    try:
        with pytest.raises(PermissionError):
            home.prepare()
        for command in ("up", "keys"):
            refused = run(command, *(["list"] if command == "keys" else []))
            assert refused.returncode == 1
            assert refused.stderr == f"error: {place} belongs to another user, or is no folder\n"
    finally:
        place.unlink()


def _all_new(home: Home, old: set[int | None]) -> bool:
    status = client.status(home)
    return status is not None and all(p.state == READY and p.pid not in old for p in status.processes)
