"""A real simulator process per set of flags, on a Unix socket in a short folder (paths may have 107 bytes)."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.running import eventually

SOURCES = Path(__file__).parents[2] / "src"

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 3},
        "unit": {"enum": ["C", "F"]},
        "days": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}, "minItems": 2},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}


class Running:
    def __init__(self, *flags: str, uds: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sim-", dir="/tmp"))
        self.uds = uds or self.folder / "s"
        self.request_log = self.folder / "log"
        command = [sys.executable, "-m", "maas.models.simulator", "--uds", str(self.uds)]
        self.process = subprocess.Popen(
            [*command, "--request-log", str(self.request_log), "--model", "sim", *flags],
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        self.first_line = self.process.stderr.readline()
        assert "listening" in self.first_line
        self.http = httpx.Client(transport=httpx.HTTPTransport(uds=str(self.uds)), base_url="http://sim", timeout=10)
        eventually(self._answers)

    def _answers(self) -> bool:
        try:
            return self.http.get("/health").is_success
        except httpx.TransportError:
            return False

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(
            path, content=content, headers={name.replace("_", "-"): headers[name] for name in headers}
        )

    def chat(self, text: str = "Hello there", **fields: Any) -> httpx.Response:
        messages = [{"role": "user", "content": text}]
        return self.post("/v1/chat/completions", {"model": "sim", "messages": messages, **fields})

    def logged(self, request_id: str) -> dict[str, Any]:
        """The line of a request that has ended."""

        def find() -> dict[str, Any] | None:
            lines = map(json.loads, self.request_log.read_text().splitlines())
            return next((line for line in lines if line["request_id"] == request_id and line["event"] == "end"), None)

        found: dict[str, Any] = eventually(find)
        return found

    def metric(self, name: str) -> float:
        """Sum over the labels."""
        lines = self.http.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"vllm:{name}{{"))

    def configure(self, **fields: Any) -> httpx.Response:
        return self.post("/admin/config", {name.replace("_", "-"): value for name, value in fields.items()})

    def close(self) -> None:
        self.http.close()
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.folder)
