"""maas doctor as it is called: of snapshots, of nothing, with options that make no sense; and how it asks."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maas.cli import fixing, frame
from maas.cluster.facts.snapshot_writing import write
from maas.readiness.mending import Answer
from tests.kubernetes.doctor.golden import models, platform
from tests.kubernetes.known_issues.planted import KUBERNETES

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Exit code, stdout, stderr. Nothing is configured, and nobody is there."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "maas"))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def called(*arguments: object) -> tuple[int, str, str]:
        code = frame.run("doctor", "maas.cli.doctor", list(map(str, arguments)))
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    folder = tmp_path_factory.mktemp("snapshots")
    found = {"models": models(), "platform": platform(), "well": KUBERNETES().after()}
    for name, scenario in found.items():
        write(scenario.facts(), folder / f"{name}.tar.gz")
    yield {name: folder / f"{name}.tar.gz" for name in found}


def test_a_snapshot_is_diagnosed_as_its_cluster_is(run: Run, snapshots: dict[str, Path]) -> None:
    code, out, _ = run("--from", snapshots["models"], "-o", "json")
    assert code == 3
    told = {each["code"] for cause in json.loads(out)["causes"] for each in (cause, *cause["consequences"])}
    assert {"MAAS-402", "MAAS-405", "MAAS-413", "MAAS-415", "MAAS-420", "MAAS-421"} <= told


def test_what_is_well_ends_with_zero(run: Run, snapshots: dict[str, Path]) -> None:
    code, out, err = run("--from", snapshots["well"], "--only", "MAAS-4")
    assert (code, err) == (0, "")
    assert "nothing is found to be wrong" in out


def test_warnings_count_if_they_are_to(run: Run, snapshots: dict[str, Path]) -> None:
    arguments = ("--from", snapshots["models"], "--only", "MAAS-419")
    assert run(*arguments)[0] == 0
    assert run(*arguments, "--strict")[0] == 4


def test_a_snapshot_is_not_mended_but_its_commands_are_shown(run: Run, snapshots: dict[str, Path]) -> None:
    code, out, err = run("--from", snapshots["platform"], "--fix", "--yes", "--only", "MAAS-407")
    assert code == 3
    assert "kubectl patch limitadors.limitador.kuadrant.io/limitador -n kuadrant-system" in out
    assert "is a snapshot of one: nothing was changed" in " ".join(err.split())


def test_a_topic_has_its_chapter(run: Run, snapshots: dict[str, Path]) -> None:
    code, out, _ = run("gpu", "--from", snapshots["platform"])
    assert code == 3 and "GPUs, from the operator to the node" in out and "MAAS-410" in out
    code, out, _ = run("model", "llm/uncached", "--from", snapshots["models"])
    assert code == 3 and "Permission denied: '/.cache'" in out


def test_an_unknown_model_is_exit_4_with_those_there_are(run: Run, snapshots: dict[str, Path]) -> None:
    code, out, err = run("model", "gpt", "--from", snapshots["models"])
    assert (code, out) == (4, "")
    assert "there is no model 'gpt' in this cluster; there are: llm/hungry" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dry-run",), "name it, too"),
        (("--yes",), "name it, too"),
        (("--only", "MAAS-999"), "no check of this command has this code"),
        (("gpu",), "none is configured"),
        (("--fix", "-o", "json"), "tells in words"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


@pytest.mark.parametrize("format", ["short", "json", "junit", "markdown", "html"])
def test_every_format_names_the_cause(run: Run, snapshots: dict[str, Path], format: str) -> None:
    code, out, _ = run("--from", snapshots["platform"], "-o", format)
    assert code == 3 and "MAAS-406" in out


def test_without_a_cluster_it_is_this_machine(run: Run) -> None:
    code, out, _ = run()
    assert code == 3
    assert "the platform on this machine" in " ".join(out.split()) and "maas up" in out


def test_an_answer_is_asked_for_until_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(["what?", " Y ", "", "a", "q"])
    monkeypatch.setattr("builtins.input", lambda _: next(said))
    terminal = fixing.Terminal()
    assert [terminal.ask() for _ in range(4)] == [Answer.yes, Answer.no, Answer.all, Answer.quit]


def test_whoever_hangs_up_has_agreed_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert fixing.Terminal().ask() is Answer.quit
