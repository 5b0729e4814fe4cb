"""From options, a maas.yaml and what is served already to what is to be; and what is no obstacle to it."""

from dataclasses import replace
from pathlib import Path

import pytest
import typer

from maas.cli.installing import gpus, judging, wanting
from maas.cli.installing.options import Choices, Models, Options
from maas.cluster import sites
from maas.cluster.document import Document, manifest, parsed
from maas.cluster.plan.model import Plan, Step
from maas.cluster.wanted import GpuKind, Target
from maas.domain import platform_file
from maas.domain.errors import InvalidInput
from maas.models.sizing.fit import GIB, Device
from maas.readiness.findings import Category, Finding, Severity, Status

SITE = sites.assumed(Target.kubernetes)
STORED = Document(platform_file.default_text(), tokens_only=True, domain="models.example.com")


def _models(*, stored: Document | None = None, **asked: object) -> dict[str, str | None]:
    wanted = wanting.wanted(Options(models=Models(**asked)), SITE, stored)  # type: ignore[arg-type]
    return {name: model.weights for name, model in wanted.platform.models.items()}


def test_models_are_added_to_what_is_served() -> None:
    assert _models(simulator=True) == {"simulator": None}
    assert _models(qwen3=True) == {"qwen3-0.6b": "Qwen/Qwen3-0.6B"}
    assert _models(stored=STORED) == {"simulator": None}
    assert set(_models(stored=STORED, qwen3=True, simulator=True)) == {"simulator", "qwen3-0.6b"}


def test_a_file_is_all_that_is_served(tmp_path: Path) -> None:
    file = tmp_path / "maas.yaml"
    file.write_text("models: {small: {runtime: vllm, weights: 'pvc://models/small'}}\ntiers: {free: {}}\n")
    assert _models(stored=STORED, file=file) == {"small": "pvc://models/small"}
    with pytest.raises(InvalidInput, match=r"there is no file .*nowhere\.yaml"):
        _models(file=tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("named", "name", "weights"),
    [
        ("qwen3-8b", "qwen3-8b", "Qwen/Qwen3-8B"),
        ("meta-llama/Llama-3.1-8B", "llama-3.1-8b", "meta-llama/Llama-3.1-8B"),
        ("pvc://models/my_model", "my-model", "pvc://models/my_model"),
        ("oci://registry.example.com/m/tiny:1.0", "tiny", "oci://registry.example.com/m/tiny:1.0"),
    ],
)
def test_further_models_by_name_or_place(named: str, name: str, weights: str) -> None:
    assert _models(names=(named,)) == {name: weights}


@pytest.mark.parametrize(
    ("named", "said"), [("/models/x", "no pod of a cluster sees a folder"), ("qwen4", "no model is known by this name")]
)
def test_what_no_cluster_can_serve_is_refused_with_what_to_write(named: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        _models(names=(named,))


def test_something_has_to_be_served() -> None:
    with pytest.raises(InvalidInput, match="say what to serve: --simulator"):
        _models()


def test_choices_are_remembered_until_another_is_made() -> None:
    kept = wanting.wanted(Options(), SITE, STORED)
    assert (kept.tokens_only, kept.metrics, kept.site.domain) == (True, True, "models.example.com")
    chosen = Options(choices=Choices(tokens_only=False, metrics=False, domain="example.org"))
    other = wanting.wanted(chosen, SITE, STORED)
    assert (other.tokens_only, other.metrics, other.site.domain) == (False, False, "example.org")


def test_the_description_comes_back_from_the_cluster_as_it_was() -> None:
    assert parsed(manifest(STORED)) == STORED
    assert parsed({"kind": "ConfigMap", "data": {"maas.yaml": "x", "options.json": "rubbish"}}) == Document("x")
    assert parsed({"kind": "ConfigMap"}) is None


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ((), "no node has a GPU that pods can ask for"),
        ((GpuKind(Device("t4", 15 * GIB, 75), 0),), "on t4: none is free on a node that takes pods"),
        ((GpuKind(Device("tiny", GIB, 75), 1),), "on tiny: "),
    ],
)
def test_without_a_gpu_that_carries_the_model_nothing_begins(
    kinds: tuple[GpuKind, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = wanting.wanted(Options(models=Models(qwen3=True)), replace(SITE, gpus=kinds), None)
    with pytest.raises(typer.Exit) as ended:
        gpus.require(wanted)
    assert ended.value.exit_code == 3
    told = capsys.readouterr().err
    assert said in told and "nothing was changed" in told and "--simulator" in told


def test_one_gpu_that_carries_it_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = (GpuKind(Device("tiny", GIB, 75), 1), GpuKind(Device("a100-80", 80 * GIB, 80), 2))
    gpus.require(wanting.wanted(Options(models=Models(qwen3=True)), replace(SITE, gpus=kinds), None))
    assert "GPU for Qwen/Qwen3-0.6B: a100-80, 80.0 GiB, 2 free on a node" in capsys.readouterr().err


def _finding(category: Category, status: Status = Status.failed, severity: Severity = Severity.error) -> Finding:
    return Finding("MAAS-999", category, "x", severity, "", status, "", (), None, "")


def test_unknown_is_an_obstacle_where_it_would_be_an_error() -> None:
    assert judging.is_obstacle(_finding(Category.nodes, Status.unknown))
    assert not judging.is_obstacle(_finding(Category.nodes, Status.unknown, Severity.warning))
    assert not judging.is_obstacle(_finding(Category.nodes, Status.to_install))


def test_what_an_interrupted_installation_left_is_taken_up_by_its_own_steps_alone() -> None:
    rest = Plan([Step("kuadrant", "Kuadrant", "")])
    assert judging.is_taken_up(_finding(Category.kuadrant), rest)
    assert judging.is_taken_up(_finding(Category.models), rest)
    assert not judging.is_taken_up(_finding(Category.cert_manager), rest)
    assert not judging.is_taken_up(_finding(Category.storage), rest)
