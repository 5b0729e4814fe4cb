"""maas validate as somebody types it: where it looks, what it prints, how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maas.cluster.facts.snapshot_writing import write
from tests.kubernetes.clusters import typical
from tests.running import Running, running


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running() as platform:
        yield platform


def maas(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST")}
    return subprocess.run(
        [sys.executable, "-m", "maas.cli.main", "validate", *arguments],
        env={**kept, "HOME": str(home), "MAAS_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def codes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    document: dict[str, Any] = json.loads(done.stdout)
    return {finding["code"]: finding["status"] for finding in document["findings"]}


def snapshot(folder: Path, *, without: str = "") -> Path:
    scenario = typical.kubernetes_1_34()
    write(scenario.changed(lambda objects: [each for each in objects if each["kind"] != without]).facts(), folder)
    return folder


def test_a_running_platform_on_this_machine_is_what_auto_means(up: Running) -> None:
    done = maas("-o", "json", home=up.home.root, KUBECONFIG="/nowhere/config")
    assert done.returncode == 0, done.stdout + done.stderr
    found = codes(done)
    assert {f"MAAS-{code}" for code in (500, 502, 508, 511, 514, 520, 521, 522, 523, 524)} <= found.keys()
    assert set(found.values()) == {"passed"}
    assert json.loads(done.stdout)["target"] == "local"


def test_without_traffic_nothing_is_sent(up: Running) -> None:
    before = up.requests_seen()
    done = maas("--no-traffic", "-o", "json", home=up.home.root)
    assert set(codes(done)) == {f"MAAS-{code}" for code in range(520, 525)}
    assert up.requests_seen() == before


def test_only_one_code(up: Running) -> None:
    assert set(codes(maas("--only", "MAAS-502", "-o", "json", home=up.home.root))) == {"MAAS-502"}
    done = maas("--only", "MAAS-999", home=up.home.root)
    assert done.returncode == 2
    assert "no check of this command has this code" in done.stderr


def test_an_address_where_nobody_is(up: Running) -> None:
    done = maas("--url", "http://127.0.0.1:9", "-o", "short", home=up.home.root)
    assert done.returncode == 3
    assert "MAAS-500" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_platform_that_does_not_run_is_not_ready_and_says_how_to_start_it(tmp_path: Path) -> None:
    done = maas("--target", "local", home=tmp_path)
    assert done.returncode == 3
    assert "the platform is not running" in done.stdout
    assert "maas up" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_platform_is_waited_for(tmp_path: Path) -> None:
    done = maas("--target", "local", "--wait", "1s", home=tmp_path)
    assert done.returncode == 3


def test_a_snapshot_has_no_traffic_and_says_so(tmp_path: Path) -> None:
    done = maas("--from", str(snapshot(tmp_path / "s")), "--only", "MAAS-3,MAAS-5", "-o", "json", home=tmp_path)
    found = codes(done)
    assert {status for code, status in found.items() if code.startswith("MAAS-5")} == {"skipped"}
    assert {"MAAS-502", "MAAS-508"} <= found.keys()
    assert "MAAS-520" not in found
    assert found["MAAS-320"] == "passed"
    told = maas("--from", str(tmp_path / "s"), "--only", "MAAS-502", home=tmp_path)
    assert "needs the running gateway; a snapshot has none" in " ".join(told.stdout.split())


def test_a_snapshot_of_something_broken_is_not_ready(tmp_path: Path) -> None:
    done = maas("--from", str(snapshot(tmp_path / "s", without="AuthPolicy")), "--only", "MAAS-3", home=tmp_path)
    assert done.returncode == 3
    assert "no AuthPolicy asks for a key" in done.stdout


def test_warnings_count_when_asked_to(tmp_path: Path) -> None:
    folder = str(snapshot(tmp_path / "s", without="Secret"))
    assert maas("--from", folder, "--only", "MAAS-330", home=tmp_path).returncode == 0
    assert maas("--from", folder, "--only", "MAAS-330", "--strict", home=tmp_path).returncode == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "x", "--url", "http://x"),
        ("--from", "x", "--wait", "1s"),
        ("--target", "local", "--context", "x"),
        ("--target", "local", "--from", "x"),
        ("--target", "nowhere"),
        ("--wait", "soon"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = maas(*arguments, home=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_out_of_reach_ends_in_a_sentence(tmp_path: Path) -> None:
    config = tmp_path / "config"
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config.write_text(
        json.dumps(
            {"clusters": [cluster], "contexts": [context], "users": [], "current-context": "c", "kind": "Config"}
        )
    )
    done = maas("--target", "kubernetes", "--timeout", "3s", home=tmp_path, KUBECONFIG=str(config))
    assert done.returncode in (2, 3, 7), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
