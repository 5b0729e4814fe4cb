"""What `maas install --check-gpu` and `--qwen3` say on machines with and without a GPU, before anything is started."""

from pathlib import Path

import pytest

from maas.cli import frame, served
from maas.domain.errors import Unavailable
from tests.runtimes.programs import A100, K80, NO_DRIVER, T4, V100, nvidia_smi, program


@pytest.fixture
def home(bin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "MAAS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def install(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = frame.run("install", "maas.cli.install", list(arguments))
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("smi", "reason"),
    [
        (None, "nvidia-smi is not installed"),
        (f'echo "{NO_DRIVER}"; exit 9', "couldn't communicate with the NVIDIA driver"),
        (f"echo '{K80}'", "does not run on the Tesla K80"),
        ("echo 'Tesla T4, 900, 7.5, 535.1'", "does not run on the Tesla T4"),
        (f"echo '{V100}'", "can't listen on a unix socket"),
    ],
)
@pytest.mark.parametrize("flags", [("--check-gpu", "--simulator"), ("--qwen3",), ("--qwen3", "--check-gpu")])
def test_a_refusal_has_a_reason_and_the_alternatives(
    home: Path, bin: Path, capsys: pytest.CaptureFixture[str], smi: str | None, reason: str, flags: tuple[str, ...]
) -> None:
    program(bin / "vllm", "exit 0")
    if smi:
        program(bin / "nvidia-smi", smi)
    code, said = install(capsys, *flags)
    assert code == Unavailable.exit_code
    assert reason in " ".join(said.split())
    assert "--cpu" in said and "--simulator" in said
    assert max(map(len, said.splitlines())) <= 79, "a terminal of 80 columns breaks no word"
    assert not (home / "maas.yaml").exists(), "nothing was set up"


def test_a_gpu_without_vllm(home: Path, bin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nvidia_smi(bin, A100)
    code, said = install(capsys, "--qwen3")
    assert code == Unavailable.exit_code
    assert "pip install vllm" in said and "--cpu" in said
    assert not (home / "maas.yaml").exists()


def test_any_gpu_that_carries_it_will_do(
    home: Path, bin: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi(bin, f"{V100}, 16000, 0, [N/A]", f"{K80}, 11000, 1, [N/A]", f"{T4}, 100, 2, [N/A]")
    program(bin / "vllm", "exit 0")
    assert served.fitting_gpu().device.name == "Tesla T4", "although most of its memory is taken just now"
    nvidia_smi(bin, V100, V100, K80)
    code, said = install(capsys, "--qwen3")
    assert code == Unavailable.exit_code
    assert said.count("Tesla V100") == 1 and "Tesla K80" in said


@pytest.mark.parametrize("card", [T4, A100])
def test_what_is_written_down_for_a_gpu(bin: Path, capsys: pytest.CaptureFixture[str], card: str) -> None:
    nvidia_smi(bin, card)
    program(bin / "vllm", "exit 0")
    models = served.wanted(simulator=False, cpu=False, on_gpu=True)
    (spec,) = models.values()
    assert (spec["runtime"], spec["weights"]) == ("vllm", "Qwen/Qwen3-0.6B")
    context = spec["context_length"]
    assert isinstance(context, int) and context >= 4096
    assert card.partition(",")[0] in capsys.readouterr().err


@pytest.mark.parametrize("flags", [("--qwen3", "--check-gpu"), ("--qwen3",), ("--check-gpu", "--simulator")])
def test_the_gpu_is_told_of_once(
    home: Path, bin: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    nvidia_smi(bin, T4)
    program(bin / "vllm", "exit 0")
    monkeypatch.setattr("maas.cli.up.bring_up", lambda _: (_ for _ in ()).throw(Unavailable("far enough")))
    _, said = install(capsys, *flags)
    assert said.count("GPU: Tesla T4") == 1
    assert "far enough" in said
