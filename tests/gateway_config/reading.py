"""What the gateway reads from many bodies at once: the project's script in a real Envoy, asked without the rest."""

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from maas.embedded.envoy import argv, find_binary
from maas.embedded.envoy.bootstrap import bootstrap_file
from maas.embedded.envoy.filters import extract_script
from maas.embedded.home import Home
from tests.gateway_config.running import NO_TLS, PATIENCE
from tests.ports import free_port
from tests.running import eventually

Read = dict[str, str]  # headers without their prefix; or "json" alone, with what is ambiguous; or nothing

_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
_HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_MANY = """
function envoy_on_request(handle)
  local body = handle:body()
  local text, at, said = body:getBytes(0, body:length()), 1, {}
  local began = os.clock()
  while at <= #text do
    local length, start = text:match("^(%d+)\\n()", at)
    at = start + length
    local fields, ambiguous = read_body(text:sub(start, at - 1))
    if ambiguous then fields = { [MARK] = ambiguous } end
    for name, value in pairs(fields or {}) do said[#said + 1] = name .. "\\t" .. value .. "\\n" end
    said[#said + 1] = "\\n"
  end
  handle:respond({ [":status"] = "200", seconds = tostring(os.clock() - began) }, table.concat(said))
end
"""


class Reader:
    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False, verify=NO_TLS)

    def close(self) -> None:
        self._client.close()

    def read(self, bodies: Sequence[bytes]) -> list[Read]:
        return self.timed(bodies)[0]

    def timed(self, bodies: Sequence[bytes]) -> tuple[list[Read], float]:
        """And the seconds that it took."""
        answer = self._client.post("/", content=b"".join(b"%d\n%s" % (len(body), body) for body in bodies))
        assert answer.status_code == 200, answer.text
        read = [dict(line.removeprefix("x-maas-").split("\t") for line in block) for block in _blocks(answer.text)]
        return read, float(answer.headers["seconds"])


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in text.split("\n")[:-1]:
        if line:
            blocks[-1].append(line)
        else:
            blocks.append([])
    return blocks[:-1]


@contextlib.contextmanager
def reading() -> Iterator[Reader]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="maas-lua-") as folder:
        home, port = Home(Path(folder)), free_port()
        home.prepare()
        bootstrap_file(home).write_text(json.dumps(_bootstrap(port)))
        process = subprocess.Popen(argv(home, find_binary()), stdin=subprocess.DEVNULL)
        try:
            eventually(lambda: _answers(port))
            reader = Reader(port)
            yield reader
            reader.close()
        finally:
            process.kill()
            process.wait()


def _answers(port: int) -> bool | None:
    with contextlib.suppress(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False, verify=NO_TLS)
        return True
    time.sleep(0.05)
    return None


def _bootstrap(port: int) -> dict[str, Any]:
    code = {"inline_string": extract_script() + _MANY}
    manager = {
        "@type": _HCM,
        "stat_prefix": "lua",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 204}}],
                }
            ]
        },
        "http_filters": [
            {"name": "lua", "typed_config": {"@type": _LUA, "default_source_code": code}},
            {"name": "router", "typed_config": {"@type": _ROUTER}},
        ],
    }
    listener = {
        "name": "all",
        "per_connection_buffer_limit_bytes": 2**28,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener]}}
