"""What works on a machine that knows no cluster at all."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest
import yaml

import maas


class Run(Protocol):
    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def run(tmp_path: Path) -> Run:
    away = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "MAAS_DEBUG", "MAAS_TARGET")
    environment = {name: value for name, value in os.environ.items() if name not in away}
    environment |= {"HOME": str(tmp_path), "MAAS_HOME": str(tmp_path / "home"), "COLUMNS": "80"}
    environment |= {"PYTHONPATH": str(Path(maas.__file__).parents[1])}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "maas.cli.main", *arguments],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize("target", ["kubernetes", "openshift"])
def test_a_folder_for_gitops_is_written_the_same_every_time(run: Run, tmp_path: Path, target: str) -> None:
    asked = ("install", "--install-all-models", "--target", target, "--gpu", "t4", "--render")
    first, second = run(*asked, "one"), run(*asked, "two")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("Wrote ") and f" files to one, for {target}, models sized for t4." in first.stdout
    assert second.returncode == 0
    files = _files(tmp_path / "one")
    assert files == _files(tmp_path / "two")
    model = yaml.safe_load(files["inferenceservice-qwen3-0-6b.yaml"])
    assert "float16" in str(model) or "half" in str(model)  # a T4 has no bfloat16
    assert not any(text.startswith("kind: Secret\n") or "\nkind: Secret\n" in text for text in files.values())
    assert not (tmp_path / "home" / "cluster.json").exists()


def _files(folder: Path) -> dict[str, str]:
    """By their names, or where several have the same by their paths."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {_called(path, folder): path.read_text() for path in found}


def _called(path: Path, folder: Path) -> str:
    return path.name if "inferenceservice" in path.name else str(path.relative_to(folder))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--simulator", "--render", "out"), "--target kubernetes or openshift"),
        (("--qwen3", "--render", "out", "--ocp", "--gpu", "rtx"), "--gpu rtx: there is no such GPU in the table (t4,"),
        (("--render", "out", "--ocp"), "say what to serve"),
        (("--simulator", "--ocp"), "--target local installs on this machine"),
        (("--simulator", "--ocp", "--gpu", "t4"), "--gpu: only for --render, where no cluster tells its GPUs."),
        (
            ("--simulator", "--ocp", "--render", "out", "--diff", "--dry-run", "--check-gpu", "--yes"),
            "--check-gpu, --dry-run, --diff, --yes: only for changing a cluster, and --render changes none.",
        ),
        (
            ("--simulator", "--ocp", "--render", "out", "--ignore=MAAS-101", "--timeout=1m", "--mirror=m"),
            "--mirror, --ignore, --timeout: only for changing a cluster",
        ),
        (("--ocp", "-f", "nowhere.yaml", "--render", "out"), "error: there is no file nowhere.yaml in /"),
        (("--ocp", "-f", ".", "--render", "out"), "error: . is a folder, and a file is asked for\n"),
        (("--simulator", "--ocp", "--ignore", "MAAS-88"), "--ignore MAAS-88: no check of this command has this code"),
    ],
)
def test_what_is_missing_is_said(run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    asked = run("install", *arguments)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.startswith("error: ") and said in asked.stderr
    assert not (tmp_path / "out").exists()


def test_programs_are_told_what_was_written(run: Run, tmp_path: Path) -> None:
    asked = run("install", "--simulator", "--ocp", "--render", "out", "-o", "json")
    told = json.loads(asked.stdout)
    assert (told["outcome"], told["target"], told["folder"]) == ("rendered", "openshift", "out")
    assert told["files"] and all(Path(tmp_path, each).is_file() for each in told["files"])


@pytest.mark.parametrize("command", ["upgrade", "uninstall"])
def test_without_a_cluster_there_is_nothing_to_change(run: Run, command: str) -> None:
    asked = run(command)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "No cluster is known here" in asked.stderr


def test_the_role_of_an_installer_is_printed(run: Run) -> None:
    objects = list(yaml.safe_load_all(run("rbac", "--render", "--target", "openshift").stdout))
    assert [each["kind"] for each in objects] == ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"]
    assert "escalate" not in str(objects)
    told = run("rbac").stdout
    assert "To install on Kubernetes, one has to be allowed:" in told and "`escalate`" in told
    assert told.count("facts for checks and plans") == 1  # kinds that are read for the same reason stand together
