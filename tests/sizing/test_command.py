"""maas size, as people and scripts read it; golden files in golden/ (MAAS_GOLDEN=write writes them anew)."""

import json
import os
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from maas.cli import frame
from tests.sizing import gguf_files
from tests.sizing.configs import KNOWN

GOLDEN = Path(__file__).parent / "golden"


def maas(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = frame.run("size", "maas.cli.size", list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("t4", "qwen3-0.6b --gpu t4", 0),
        ("does-not-fit", "qwen3-8b --gpu t4", 3),
        ("context-too-long", "qwen3-4b --gpu t4 --context 32k --concurrency 4", 3),
        ("two-gpus", "qwen3-14b --gpu a10g --gpus 2 --context 16k --concurrency 2", 0),
        ("v100", "qwen3-0.6b --gpu v100", 0),
        ("crashing-version", "qwen3-0.6b --gpu t4 --vllm-version 0.9.1", 3),
    ],
)
def test_what_people_read(capsys: pytest.CaptureFixture[str], name: str, arguments: str, code: int) -> None:
    got, out, err = maas(capsys, *arguments.split())
    assert (got, err) == (code, "")
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("MAAS_GOLDEN") == "write":
        golden.write_text(out)
    assert out == golden.read_text()
    assert all(len(line) <= 80 or line.startswith(("vllm serve", "VLLM_")) for line in out.splitlines())


def test_json_holds_what_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = maas(capsys, "qwen3-0.6b", "--gpu", "t4", "-o", "json")
    found = json.loads(out)
    assert found["fits"] is True
    assert found["kv_bytes_per_token"] == 114_688
    assert found["kv_tokens"] == found["kv_blocks"] * 16
    assert (
        sum(size for what, size in found["bytes_per_gpu"].items() if what != "total") <= found["bytes_per_gpu"]["total"]
    )
    assert found["vllm"]["works"] == ["0.8.4 to 0.8.5", "0.10.2 and newer"]
    assert "--dtype=float16" in found["args"]


def test_yaml_is_for_a_container(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = maas(capsys, "qwen3-0.6b", "--gpu", "v100", "-o", "yaml")
    found = yaml.safe_load(out)
    assert found["args"][0] == "--model=Qwen/Qwen3-0.6B"
    assert {"name": "VLLM_USE_V1", "value": "0"} in found["env"]


def test_args_are_one_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = maas(capsys, "qwen3-8b", "--gpu-memory", "24GiB", "--capability", "8.6", "-o", "args")
    assert code == 0
    assert out.splitlines()[:2] == ["--model=Qwen/Qwen3-8B", "--dtype=bfloat16"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("qwen3-0.6b", "--gpu-memory 24GiB"),
        ("qwen3-0.6b --gpu t5", "there is no GPU 't5'"),
        ("qwen3-0.6b --gpu t4 --gpu-memory 3GiB", "either"),
        ("qwen3-0.6b --gpu-memory lots", "with its unit, like 24GiB"),
        ("qwen3-0.6b --gpu-memory 24GiB --capability eight", "written like 8.0"),
        ("qwen3-0.6b --gpu t4 --context long", "8192 or 8k"),
        ("qwen3-0.6b --gpu t4 --vllm-version latest", "no version of vLLM"),
        (f"qwen3-0.6b --gpu-memory {'9' * 400}", "with its unit, like 24GiB"),
        (f"qwen3-0.6b --gpu-memory 24GiB --capability {'9' * 5000}.0", "written like 8.0"),
        (f"qwen3-0.6b --gpu t4 --context {'9' * 5000}", "8192 or 8k"),
        ("qwen3-0.6b --gpu-memory 24", "with its unit, like 24GiB"),
        ("qwen3-0.6b --gpu-memory NaN", "with its unit, like 24GiB"),
        ("qwen3-0.6b --gpu t4 --context 8kk", "8192 or 8k, not '8kk'"),
        ("qwen3-0.6b --gpu t4 --context 0", "8192 or 8k, not '0'"),
        ("qwen3-0.6b --gpu t4 --vllm-version 0.x.8", "no version of vLLM"),
        ("qwen3-0.6b --gpu t4 --capability 9.0", "--capability goes with --gpu-memory"),
        ("qwen3-0.6b --gpu t4 --cpu --gpus 2", "--gpu and --gpus can't be had with --cpu"),
        ("qwen3-0.6b --cpu --kv-dtype fp8", "--kv-dtype can't be had with --cpu"),
        ("qwen3-0.6b --gpu t4 --quantisation Q4_0", "--quantisation can't be had with a GPU"),
        ("qwen4 --gpu t4", "there is no model 'qwen4'"),
        ("./nowhere/at/all --gpu t4", "there is no file or folder ./nowhere/at/all"),
        ("model.gguf --cpu", "there is no file or folder model.gguf"),
    ],
)
def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str], arguments: str, said: str) -> None:
    code, out, err = maas(capsys, *arguments.split())
    assert (code, out) == (2, "")
    assert said in err


def test_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(KNOWN["Llama-3.1-8B"].config))
    code, out, _ = maas(capsys, str(tmp_path), "--gpu", "a100-80", "-o", "json")
    assert code == 0
    assert json.loads(out)["kv_bytes_per_token"] == 131_072


def test_what_is_to_be_loaded_is_what_was_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A model that was trained further names in its config.json the one that it was made from."""
    folder = tmp_path / "my tuned; model"
    folder.mkdir()
    said = KNOWN["Llama-3.1-8B"].config | {"_name_or_path": "meta-llama/Llama-3.1-8B"}
    (folder / "config.json").write_text(json.dumps(said))
    _, out, _ = maas(capsys, str(folder), "--gpu", "a100-80", "-o", "args")
    assert out.splitlines()[0] == f"--model={folder}"
    _, out, _ = maas(capsys, str(folder), "--gpu", "a100-80")
    command = out.splitlines()[-1]
    assert shlex.split(command)[:3] == ["vllm", "serve", str(folder)], "as a shell reads it"


def test_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = maas(capsys, "qwen3-0.6b", "--cpu", "--quantisation", "Q4_K_M", "-o", "json")
    found = json.loads(out)
    assert code == (0 if found["replicas"] else 3)
    assert found["weights"] == pytest.approx(0.596e9 * 4.9 / 8, rel=0.01)
    assert found["memory"] == found["weights"] + found["cache"] + found["buffer"] + 200 * 2**20
    assert f"--threads={len(os.sched_getaffinity(0))}" in found["args"]


def test_files_for_gpus_do_not_say_what_a_gguf_file_weighs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(KNOWN["Llama-3.1-8B"].config))
    (tmp_path / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 16060522496}}')
    _, out, _ = maas(capsys, str(tmp_path), "--cpu", "--quantisation", "Q4_K_M", "-o", "json")
    assert json.loads(out)["weights"] == pytest.approx(8.03e9 * 4.9 / 8, rel=0.01)


def test_a_235b_does_not_fit_on_a_small_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = maas(capsys, "qwen3-235b-a22b", "--cpu", "--quantisation", "F16")
    assert code == 3
    assert "Why not:\n  one replica needs" in out


def test_a_gguf_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "smol.gguf"
    gguf_files.write(file, gguf_files.SMOL)
    code, out, _ = maas(capsys, str(file), "--cpu", "--context", "1k", "-o", "json")
    found = json.loads(out)
    assert code == 0
    assert found["model"] == str(file), "what a server is started with, not the title that it gives itself"
    assert found["weights"] == file.stat().st_size
    assert found["cache"] == 1024 * 2 * 30 * 3 * 64 * 2
    assert found["args"][0] == f"--model={file}", "what llama-server does not start without"


@pytest.mark.parametrize("length", [0, 3, 10, 24, 60, 200])
def test_a_gguf_file_that_was_cut(capsys: pytest.CaptureFixture[str], tmp_path: Path, length: int) -> None:
    file = tmp_path / "cut.gguf"
    gguf_files.write(file, gguf_files.SMOL)
    file.write_bytes(file.read_bytes()[:length])
    code, _, err = maas(capsys, str(file), "--cpu")
    assert code == 2
    assert "can't be read as GGUF" in err


class _Hub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answers = {
            "/org/model/resolve/main/config.json": (200, json.dumps(KNOWN["Llama-3.1-8B"].config)),
            "/org/model/resolve/main/model.safetensors.index.json": (200, '{"metadata": {"total_size": 16060522496}}'),
            "/org/secret/resolve/main/config.json": (401, ""),
            "/org/broken/resolve/main/config.json": (200, "<html>"),
            "/org/down/resolve/main/config.json": (503, ""),
        }
        status, body = answers.get(self.path, (404, ""))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_of_the_hub(capsys: pytest.CaptureFixture[str], hub: str) -> None:
    code, out, _ = maas(capsys, "org/model", "--gpu", "a100-80", "-o", "json")
    assert code == 0
    assert json.loads(out)["bytes_per_gpu"]["weights"] == 16_060_522_496, "as its index says, to the byte"


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [
        ("org/none", 2, "has no model org/none"),
        ("org/secret", 2, "$HF_TOKEN"),
        ("org/broken", 7, "not with JSON"),
        ("org/down", 7, "503"),
    ],
)
def test_what_the_hub_says_instead(
    capsys: pytest.CaptureFixture[str], hub: str, model: str, code: int, said: str
) -> None:
    got, _, err = maas(capsys, model, "--gpu", "t4")
    assert got == code
    assert said in err


def test_the_hubs_cache_needs_no_network(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "models--org--model" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(KNOWN["gpt2"].config))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    code, out, _ = maas(capsys, "org/model", "--gpu", "t4", "-o", "json")
    assert code == 0
    assert json.loads(out)["kv_bytes_per_token"] == 36_864
    assert json.loads(out)["args"][0] == "--model=org/model", "not the name of the snapshot's folder"
    code, _, err = maas(capsys, "org/other", "--gpu", "t4")
    assert code == 7
    assert "give a folder with its config.json" in err
