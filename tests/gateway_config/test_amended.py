"""What the platform writes into a body: the model's name where only the path or the host had it."""

import json
from typing import Any

import pytest

from tests.gateway_config.running import Running, to_model
from tests.gateway_config.server import Answer, Asked

PATHS = ["/chatty/v1/chat/completions", "/v1/embeddings"]


def named(asked: Asked) -> Answer:
    answer = to_model(asked)
    if not asked.path.startswith("/knock") and not asked["x-maas-model"]:
        answer.headers = {**answer.headers, "x-maas-write-model": 'the "model"'}
    return answer


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"z": 1e2}', b'{"z": 1e2,"model":"the \\"model\\""}'),
        (b" { } ", b' { "model":"the \\"model\\""} '),
        (b'{"model": null, "z": 1}', b'{"model": "the \\"model\\"", "z": 1}'),
        (b'{"z": {}, "model": ""}', b'{"z": {}, "model": "the \\"model\\""}'),
        (b'{"model": "chatty"}', b'{"model": "chatty"}'),
    ],
)
def test_a_model_is_told_its_name(up: Running, path: str, body: bytes, sent: bytes) -> None:
    up.admission.handler = named
    assert up.post(body, path=path).status_code == 200

    assert up.model.last.body == sent
    assert not [name for name in up.model.last.names if name.startswith("x-maas-")]


@pytest.mark.parametrize(
    "options", [{"include_usage": False}, {"include_obfuscation": False}, None, [], {"include_usage": "x"}]
)
def test_name_and_usage_are_both_written(up: Running, options: Any) -> None:
    up.admission.handler = named
    for body in ({"stream": True}, {"stream_options": options, "stream": True, "model": None}):
        up.post(body)

        sent = json.loads(up.model.last.body)
        assert (sent["model"], sent["stream"]) == ('the "model"', True)
        assert sent["stream_options"]["include_usage"] is True


def test_a_large_body_is_amended_quickly(up: Running) -> None:
    up.admission.handler = named
    body = b'{"stream": true, "stream_options": {"include_usage": false}, "x": [' + b"[]," * 10_000_000 + b"1]}"
    answer = up.post(body)

    assert answer.elapsed.total_seconds() < 3
    assert up.model.last.body.endswith(b',1],"model":"the \\"model\\""}')
