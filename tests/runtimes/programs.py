"""Stand-ins for programs that need a GPU, or half an hour to compile. What is fake about each is said beside it."""

import json
import struct
import sys
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parents[2] / "src"
T4 = "Tesla T4, 15360, 7.5, 535.161.07"
V100 = "Tesla V100-SXM2-16GB, 16384, 7.0, 535.161.07"
K80 = "Tesla K80, 11441, 3.7, 470.1"
A100 = "NVIDIA A100-SXM4-80GB, 81920, 8.0, 550.54.15"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    " Make sure that the latest NVIDIA driver is installed and running."
)


def program(path: Path, script: str, interpreter: str = "/bin/sh") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{interpreter}\n{script}\n")
    path.chmod(0o755)
    return path


def nvidia_smi(folder: Path, *cards: str) -> Path:
    """Answers the one query that is asked of it, in the words of the real one; there is no GPU behind it."""
    lines = "\n".join(cards)
    return program(folder / "nvidia-smi", f'echo "$@" >>"{folder}/nvidia-smi.asked"\ncat <<"END"\n{lines}\nEND')


def vllm(folder: Path) -> Path:
    """Takes vLLM's command line, writes it down, and becomes the simulator on the socket that it was given.

    Fake: no weights are read, the answers are the simulator's. Real: arguments, socket, health, start and end.
    """
    return program(
        folder / "vllm", _BECOMES_THE_SIMULATOR.format(folder=str(folder), flag="--uds", abrupt=_ABRUPT), sys.executable
    )


def crowded_vllm(folder: Path) -> Path:
    """As above, on a GPU that has room for one: a second one ends as the real one does. `--seed 13` never starts,
    and `--seed 40` takes five seconds."""
    return program(folder / "vllm", _ALONE.format(lock=str(folder / "gpu"), then=str(folder / "roomy")), sys.executable)


_ALONE = """
import fcntl, os, sys, time
gpu = os.open({lock!r}, os.O_CREAT | os.O_RDWR)
os.set_inheritable(gpu, True)
try:
    fcntl.flock(gpu, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("ValueError: Free memory on device (0.4/14.58 GiB) on startup is less than desired GPU memory utilization"
          " (0.85, 12.39 GiB).", file=sys.stderr)
    print("RuntimeError: Engine core initialization failed.", file=sys.stderr)
    sys.exit(1)
if "13" in sys.argv:
    print("vllm: error: unrecognized arguments: --seed 13", file=sys.stderr)
    sys.exit(2)
time.sleep(5 if "40" in sys.argv else 0)
os.execv({then!r} + "/vllm", [{then!r} + "/vllm", *sys.argv[1:]])
"""


def llama_server(folder: Path) -> Path:
    """As above, of llama.cpp's server; it also fails as that one does, over a file that is no GGUF file.

    A model that is called `abrupt` gets a server that answers, promises to keep the connection, and closes it on the
    next request: llama.cpp's does so after some streams (seen with b11434), in a moment that can't be chosen.
    """
    script = _BECOMES_THE_SIMULATOR.format(folder=str(folder), flag="--host", abrupt=_ABRUPT)
    return program(folder / "llama-server", script, sys.executable)


_ABRUPT = """
import json, socketserver, sys
class Once(socketserver.StreamRequestHandler):
    def handle(self):
        length = 0
        while (line := self.rfile.readline().strip().lower()):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)
        message = {"role": "assistant", "content": "once"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "abrupt", "usage": usage}
        body = json.dumps({**whole, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
        head = "HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body)
        self.wfile.write(head.encode() + body)
        self.rfile.readline()
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
Server(sys.argv[1], Once).serve_forever()
"""
_BECOMES_THE_SIMULATOR = """
import json, os, pathlib, sys
argv = sys.argv[1:]
folder = pathlib.Path({folder!r})
with (folder / "started.jsonl").open("a") as file:
    file.write(json.dumps({{"argv": argv, "environ": {{k: v for k, v in os.environ.items() if "VLLM" in k}}}}) + "\\n")
flags = dict(zip(argv, argv[1:]))
name = flags.get("--served-model-name") or flags["--alias"]
if name == "abrupt":
    os.execv(sys.executable, [sys.executable, "-c", {abrupt!r}, flags["{flag}"]])
weights = pathlib.Path(flags.get("--model", "/"))
if "--model" in flags and weights.read_bytes()[:4] != b"GGUF":
    print("gguf_init_from_file_ptr: invalid magic characters: 'junk', expected 'GGUF'", file=sys.stderr)
    print("srv    load_model: failed to load model, '" + str(weights) + "'", file=sys.stderr)
    print("main: exiting due to model loading error", file=sys.stderr)
    sys.exit(1)
command = [sys.executable, "-m", "maas.models.simulator", "--uds", flags["{flag}"], "--model", name]
os.execv(sys.executable, command + ["--max-model-len", "4096", "--inter-token-latency", "2ms"])
"""


def started(folder: Path) -> list[dict[str, Any]]:
    """How the stand-in was called, each time."""
    file = folder / "started.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def gguf(path: Path, *, context: int = 8192, layers: int = 30, size: int = 1000) -> Path:
    """A file whose head is as in SmolLM2's, and which holds no weights."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    numbers = {
        "block_count": layers,
        "embedding_length": 576,
        "attention.head_count": 9,
        "attention.head_count_kv": 3,
        "feed_forward_length": 1536,
        "context_length": context,
        "vocab_size": 49152,
    }
    pairs = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    pairs += b"".join(text(f"llama.{name}") + struct.pack("<II", 4, value) for name, value in numbers.items())
    tensor = text("token_embd.weight") + struct.pack("<IQQIQ", 2, 576, 1000, 8, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, len(numbers) + 1) + pairs + tensor + b"\0" * size)
    return path
