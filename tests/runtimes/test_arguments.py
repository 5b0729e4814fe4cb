"""How the servers are started: from the machine and from the sizing, and what users wrote wins."""

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.domain.errors import InvalidInput, MaasError, Unavailable
from maas.models import llama_cpp, machine, serve, vllm
from maas.models.sizing import gguf as reading
from tests.runtimes.programs import A100, T4, V100, gguf, nvidia_smi, program

SOCKET = Path("/run/m.sock")
GIB = 2**30


def flags(argv: tuple[str, ...]) -> dict[str, str]:
    return {flag: value for flag, value in itertools.pairwise(argv) if flag.startswith("--")}


@pytest.fixture
def of_8_cores(bin: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "cores", lambda: 8)
    monkeypatch.setattr(machine, "memory", lambda: 8 * GIB)
    return program(bin / "llama-server", "exit 0")


def test_llama_cpp_is_sized_for_the_machine(of_8_cores: Path, tmp_path: Path) -> None:
    weights = gguf(tmp_path / "m.gguf")
    argv = llama_cpp.arguments(weights, "small", SOCKET, None, {})
    assert argv[0] == str(of_8_cores)
    told = flags(argv)
    assert (told["--model"], told["--alias"], told["--host"]) == (str(weights), "small", str(SOCKET))
    assert (told["--parallel"], told["--ctx-size"], told["--threads"]) == ("4", str(4 * 4096), "8")
    assert "--no-ui" in argv and "--metrics" in argv


def test_what_was_written_wins(of_8_cores: Path, tmp_path: Path) -> None:
    told = flags(
        llama_cpp.arguments(gguf(tmp_path / "m.gguf"), "m", SOCKET, 1000, {"parallel": "2", "threads": "3", "x": "y"})
    )
    assert (told["--parallel"], told["--ctx-size"], told["--threads"], told["--x"]) == ("2", "2000", "3", "y")


def test_no_more_context_than_the_model_has(of_8_cores: Path, tmp_path: Path) -> None:
    weights = gguf(tmp_path / "m.gguf", context=2048)
    assert flags(llama_cpp.arguments(weights, "m", SOCKET, None, {}))["--ctx-size"] == str(4 * 2048)


def test_fewer_at_once_where_memory_is_short(of_8_cores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = gguf(tmp_path / "m.gguf", context=131072)
    needed = {slots: llama_cpp._fit(reading.read(weights), GIB, 16384, slots).memory for slots in (1, 2)}
    monkeypatch.setattr(machine, "memory", lambda: int(needed[2] / 0.79))
    assert flags(llama_cpp.arguments(weights, "m", SOCKET, 16384, {}))["--parallel"] == "2"
    monkeypatch.setattr(machine, "memory", lambda: needed[1] - 1)
    with pytest.raises(Unavailable, match=r"not enough memory: m\.gguf with 1 x 16384 tokens.*GiB can be had"):
        llama_cpp.arguments(weights, "m", SOCKET, 16384, {})


def test_the_cache_of_prompts_is_bounded(of_8_cores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to itself the server takes up to 8 GiB for it."""
    weights = gguf(tmp_path / "m.gguf")
    for free in (1, 2, 8, 64, 1024):
        monkeypatch.setattr(machine, "memory", lambda free=free: free * GIB)
        remembered = int(flags(llama_cpp.arguments(weights, "m", SOCKET, None, {}))["--cache-ram"]) * 2**20
        assert 0 <= remembered <= min(2 * GIB, free * GIB / 4)


def test_a_file_that_is_not_understood_is_left_to_the_server(of_8_cores: Path, tmp_path: Path) -> None:
    weights = tmp_path / "m.gguf"
    weights.write_bytes(b"junk")
    assert flags(llama_cpp.arguments(weights, "m", SOCKET, None, {}))["--model"] == str(weights)


@given(st.randoms(), st.integers(1, 40))
def test_a_damaged_head_never_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, times: int
) -> None:
    file = gguf(tmp_path_factory.getbasetemp() / "damaged.gguf")
    content = bytearray(file.read_bytes())
    for _ in range(times):
        content[chance.randrange(4, len(content) - 1000)] = chance.randrange(256)
    file.write_bytes(content)
    try:
        reading.read(file)
    except InvalidInput as told:
        assert str(file) in str(told) or "GGUF" in str(told)


def test_no_llama_cpp(bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_cpp, "_PACKAGE", "not_installed_at_all")
    with pytest.raises(Unavailable, match=r"\./install\.sh --cpu"):
        llama_cpp.arguments(gguf(tmp_path / "m.gguf"), "m", SOCKET, None, {})


def test_the_one_of_the_package_comes_first(of_8_cores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "a_llama_package"
    inside = program(package / "bin" / "llama-server", "exit 0")
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(llama_cpp, "_PACKAGE", package.name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert llama_cpp.program() == str(inside)
    monkeypatch.setenv("MAAS_LLAMA_SERVER", "/my/own")
    assert llama_cpp.program() == "/my/own"


def test_vllm_is_told_what_fits(bin: Path) -> None:
    program(bin / "vllm", "exit 0")
    nvidia_smi(bin, T4)
    argv, variables, _ = vllm.command("Qwen/Qwen3-0.6B", "qwen", SOCKET, 8192, {})
    assert argv[:3] == (str(bin / "vllm"), "serve", "Qwen/Qwen3-0.6B")
    told = flags(argv)
    assert (told["--uds"], told["--served-model-name"]) == (str(SOCKET), "qwen")
    assert (told["--dtype"], told["--max-model-len"]) == ("float16", "8192")
    assert variables["VLLM_NO_USAGE_STATS"] == "1" and "VLLM_CPU_KVCACHE_SPACE" not in variables
    assert "--model" not in told and "--port" not in told and "--host" not in told
    nvidia_smi(bin, A100)
    assert flags(vllm.command("Qwen/Qwen3-0.6B", "qwen", SOCKET, None, {})[0])["--dtype"] == "bfloat16"
    told = flags(vllm.command("Qwen/Qwen3-0.6B", "qwen", SOCKET, None, {"dtype": "float32", "seed": "7"})[0])
    assert (told["--dtype"], told["--seed"]) == ("float32", "7")


def test_vllm_is_not_started_with_what_can_not_fit(bin: Path) -> None:
    program(bin / "vllm", "exit 0")
    nvidia_smi(bin, V100)
    with pytest.raises(Unavailable, match="does not fit on the Tesla V100"):
        vllm.command("Qwen/Qwen3-32B", "qwen", SOCKET, None, {})


def test_vllm_without_a_gpu_is_told_how_much_memory_it_may_have(bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 requests of 4096 tokens, of 112 KiB each, are 7 GiB."""
    program(bin / "vllm", "exit 0")
    monkeypatch.setattr(machine, "memory", lambda: 24 * 2**30)
    argv, variables, _ = vllm.command("Qwen/Qwen3-0.6B", "qwen", SOCKET, 4096, {})
    told = flags(argv)
    assert (told["--max-model-len"], told["--max-num-seqs"], told["--uds"]) == ("4096", "16", str(SOCKET))
    assert "--dtype" not in told and "--gpu-memory-utilization" not in told
    assert variables["VLLM_CPU_KVCACHE_SPACE"] == "7"
    monkeypatch.setattr(machine, "memory", lambda: 8 * 2**30)
    argv, variables, _ = vllm.command("Qwen/Qwen3-0.6B", "qwen", SOCKET, 4096, {})
    assert (flags(argv)["--max-num-seqs"], variables["VLLM_CPU_KVCACHE_SPACE"]) == ("4", "2")
    chosen = {"kv-cache-memory-bytes": "1000000000"}
    assert "VLLM_CPU_KVCACHE_SPACE" not in vllm.command("Qwen/Qwen3-0.6B", "qwen", SOCKET, 4096, chosen)[1]
    monkeypatch.setattr(machine, "memory", lambda: 5 * 2**30)
    with pytest.raises(Unavailable, match=r"there is not enough memory .* 5\.1 GiB are needed"):
        vllm.command("Qwen/Qwen3-0.6B", "qwen", SOCKET, 4096, {})


def test_no_vllm(bin: Path) -> None:
    with pytest.raises(Unavailable, match="pip install vllm"):
        vllm.program()


@pytest.mark.parametrize(("runtime", "says"), [("vllm", "pip install vllm"), ("llama-cpp", "no weights at /no.gguf")])
def test_what_can_not_be_found_is_the_last_line(
    bin: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], runtime: str, says: str
) -> None:
    argv = ["--runtime", runtime, "--name", "m", "--weights", "/no.gguf", "--folder", str(tmp_path), "--socket", "/s"]
    with pytest.raises(SystemExit) as end:
        serve.main(argv)
    assert end.value.code not in (0, None)
    assert says in capfd.readouterr().err.splitlines()[-1]


def test_a_program_that_is_none(
    bin: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_LLAMA_SERVER", str(tmp_path))
    monkeypatch.setattr(serve, "_FIRST_TO_GO", "0")
    weights = gguf(tmp_path / "m.gguf")
    argv = ["--runtime", "llama-cpp", "--name", "m", "--weights", str(weights), "--folder", str(tmp_path)]
    with pytest.raises(SystemExit):
        serve.main([*argv, "--socket", str(tmp_path / "s")])
    assert capfd.readouterr().err.splitlines()[-1] == f"{tmp_path} can't be started: Permission denied"


def test_errors_are_of_the_kind_that_is_told(bin: Path) -> None:
    with pytest.raises(MaasError):
        vllm.command("/no/such/folder", "m", SOCKET, None, {})
