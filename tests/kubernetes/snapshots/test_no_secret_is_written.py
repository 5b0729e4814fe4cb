"""Secrets planted in every place that anybody thought of are in no byte of a snapshot."""

import base64
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.cluster.facts import snapshot
from maas.cluster.facts.model import Cause, Facts, Log, Unread
from maas.cluster.kinds import NODE, SECRET
from maas.cluster.objects import at, mapping
from tests.kubernetes.offline import facts as made
from tests.kubernetes.snapshots import trees, written

_CANARIES = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=20, max_size=40).filter(
    lambda canary: any(c.isdigit() for c in canary) and any(c.isupper() for c in canary)
)
_NAMES = [
    "password", "DB_PASSWORD", "dbPassword", "PGPASSWORD", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY",
    "apiKey",
    "api-key", "x-api-key", "token", "accessToken", "bearerToken", "AWS_SECRET_ACCESS_KEY", "clientSecret",
    "client_secret",
    "privateKey", "SECRET_KEY", "encryptionKey", "credentials", "auth", "cookie", "passphrase", "client-key-data",
    "jwt",
    "VLLM_API_KEY", "TOKEN_2", "connectionString", "vault.hashicorp.com/agent-inject-token", "signature",
    "NVIDIA_API_KEY",
]  # fmt: skip
_SHAPES = {
    "hf_{}", "sk-{}", "sk-maas-{}", "sk-proj-{}", "ghp_{}", "github_pat_{}", "glpat-{}", "nvapi-{}", "sha256~{}",
    "xoxb-{}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{}.{}", "Bearer {}", "APIKEY {}", "bearer {}", "Authorization: Bearer {}",
    "Authorization: Custom {}", "https://user:{}@example.com/x", "https://{}@example.com",
    "postgresql://maas:{}@db:5432/maas",
    "http://proxy:{}@10.0.0.1:3128", "https://example.com/?api_key={}&x=1", "https://example.com/?a=b&token={}",
    "--api-key={}", "--api-key {}", "--token '{}'", "export HF_TOKEN={} && vllm serve",
    "curl -H 'Authorization: APIKEY {}' x",
    '{{"auths":{{"quay.io":{{"auth":"{}"}}}}}}', "password: {}\nother: 1\n", "user: admin\npassword: '{}'\n",
    "token={}",
    "users:\n- name: admin\n  user:\n    token: {}\n    client-key-data: {}\n", "secret: |\n  {}\n",
    "Cookie: session={}; a=b",
    '{{"level":"info","api_key":"{}","msg":"x"}}', r'"{{\"password\":\"{}\"}}"', r"x\nAPI_KEY={}\ny", 'token="{}',
    "AWS_SECRET_ACCESS_KEY={}", "PASSWORD={}",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\n{}\n",
    "-----BEGIN OPENSSH PRIVATE KEY-----\\n{}\\n-----END OPENSSH PRIVATE KEY-----\\n",
}  # fmt: skip


def _pod(**spec: Any) -> Facts:
    return made({**trees.POD, "spec": {"containers": [{"name": "server", "image": "vllm", **spec}]}})


def _annotated(name: str, value: str) -> Facts:
    return made({**trees.POD, "metadata": {"name": "p", "namespace": "llm", "annotations": {name: value}}})


_BY_NAME: dict[str, Callable[[str, str], Facts]] = {
    "variable": lambda name, canary: _pod(env=[{"name": name, "value": canary}]),
    "variable in a reference": lambda name, canary: _pod(env=[{"name": name, "value": f"x{canary}"}]),
    "option": lambda name, canary: _pod(args=[f"--{name.rpartition('/')[2]}={canary}"]),
    "option and value": lambda name, canary: _pod(
        args=[f"--{name.rpartition('/')[2]}", canary, "--max-model-len", "4096"]
    ),
    "shell": lambda name, canary: _pod(command=["sh", "-c", f"export {name.rpartition('/')[2]}={canary}; vllm serve"]),
    "header of a probe": lambda name, canary: _pod(
        readinessProbe={"httpGet": {"httpHeaders": [{"name": name, "value": canary}]}}
    ),
    "annotation": _annotated,
    "field": lambda name, canary: made({**trees.GATEWAY, "spec": {"deep": [{"er": {name: canary}}]}}),
    "JSON in an annotation": lambda name, canary: _annotated("alm-examples", json.dumps([{"spec": {name: canary}}])),
    "ConfigMap": lambda name, canary: _config_map({name: canary}),
    "JSON in a ConfigMap": lambda name, canary: _config_map({"config": json.dumps({name: canary}, indent=1)}),
    "YAML in a ConfigMap": lambda name, canary: _config_map({"config": f"a:\n  {name}: {canary}\n"}),
    "probe": lambda name, canary: made(probes={"tools": {"kubectl": {name: canary}}}),
}
_BY_SHAPE: dict[str, Callable[[str], Facts]] = {
    "log": lambda text: made(
        logs=[Log("llm", "vllm-0", "server", ("before", *f"at 12:00 {text}".split("\n"), "after"))]
    ),
    "event": lambda text: made(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "type": "Warning",
            "metadata": {"name": "e"},
            "message": f"failed: {text}",
        }
    ),
    "condition": lambda text: made({**trees.POD, "status": {"conditions": [{"type": "Ready", "message": text}]}}),
    "argument": lambda text: _pod(args=[text]),
    "variable of any name": lambda text: _pod(env=[{"name": "X", "value": text}]),
    "annotation": lambda text: _annotated("note", text),
    "label": lambda text: made({**trees.POD, "metadata": {"name": "p", "labels": {"x": text}}}),
    "ConfigMap": lambda text: _config_map({"config": text}),
    "field": lambda text: made({**trees.GATEWAY, "spec": {"tls": {"key": text}}}),
    "key of a field": lambda text: made({**trees.GATEWAY, "spec": {"x": {text: 1}}}),
    "why something was not read": lambda text: made(unread={NODE: Unread(Cause.failed, f"failed: {text}")}),
    "a file that was unreadable": lambda text: dataclasses.replace(made(), unreadable={"a.yaml": text, text: "x"}),
    "what is partial": lambda text: dataclasses.replace(made(), partial={"pods": text}),
    "probe": lambda text: made(probes={"dry_run_issuer": {"accepted": False, "message": text}}),
    "probe that failed": lambda text: made(probes={"dns": Unread(Cause.failed, text)}),
    "version": lambda text: dataclasses.replace(made(), version={"gitVersion": "v1.34.0", "x": text}),
    "source": lambda text: dataclasses.replace(
        made(), source=dataclasses.replace(made().source, described=f"context x ({text})")
    ),
}


def _config_map(data: dict[str, str]) -> Facts:
    return made(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "inferenceservice-config"}, "data": data}
    )


def _in_base64(canary: str) -> list[bytes]:
    """As it looks inside of any longer base64, whatever stands before it, without the ends that neighbours touch."""
    return [base64.b64encode(b"x" * shift + canary.encode())[4:-4] for shift in range(3)]


def _found(canary: str, facts: Facts, folder: Path) -> list[str]:
    tells = [canary.encode(), *_in_base64(canary)]
    return [name for name, data in written.files(facts, folder).items() if any(tell in data for tell in tells)]


_SETTINGS = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_SETTINGS
@given(canary=_CANARIES, name=st.sampled_from(_NAMES), place=st.sampled_from(sorted(_BY_NAME)))
def test_what_its_name_gives_away(canary: str, name: str, place: str, tmp_path: Path) -> None:
    assert not _found(canary, _BY_NAME[place](name, canary), tmp_path)


@_SETTINGS
@given(canary=_CANARIES, shape=st.sampled_from(sorted(_SHAPES)), place=st.sampled_from(sorted(_BY_SHAPE)))
def test_what_its_shape_gives_away(canary: str, shape: str, place: str, tmp_path: Path) -> None:
    assert not _found(canary, _BY_SHAPE[place](shape.format(canary, canary)), tmp_path)


@_SETTINGS
@given(canary=_CANARIES, packed=st.booleans(), key=st.sampled_from(["api_key", "x", "tls.key", ".dockerconfigjson"]))
def test_values_of_secrets(canary: str, packed: bool, key: str, tmp_path: Path) -> None:
    data: dict[str, Any] = (
        {"data": {key: base64.b64encode(canary.encode()).decode()}} if packed else {"stringData": {key: canary}}
    )
    assert not _found(canary, made(_secret(**data)), tmp_path)


def _secret(name: str = "key", **fields: Any) -> dict[str, Any]:
    labels = {"authorino.kuadrant.io/managed-by": "authorino"}
    metadata = {"name": name, "namespace": "llm", "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **fields}


def test_base64_of_a_private_key(tmp_path: Path) -> None:
    canary = "Zm9vYmFyMTIzNDU2Nzg5MDEyMw"
    key = f"-----BEGIN EC PRIVATE KEY-----\n{canary}\n-----END EC PRIVATE KEY-----\n"
    packed = base64.b64encode(key.encode()).decode()
    assert not _found(canary, _BY_SHAPE["log"](packed), tmp_path)
    assert not _found(packed, _BY_SHAPE["field"](packed), tmp_path)


def test_the_search_itself_finds_a_canary(tmp_path: Path) -> None:
    """In plain text and in base64, so that the tests above would notice."""
    for text in ("Can4ryCan4ryCan4ry1", base64.b64encode(b"user:Can4ryCan4ryCan4ry1").decode()):
        assert _found("Can4ryCan4ryCan4ry1", _annotated("note", text), tmp_path)


@pytest.mark.parametrize("form", ["live", "written", "exported"])
def test_equal_values_of_secrets_can_still_be_told_and_empty_ones(form: str, tmp_path: Path) -> None:
    value, other = (base64.b64encode(each).decode() for each in (b"one", b"two"))
    secrets = [_secret("a", data={"api_key": value}), _secret("b", stringData={"api_key": "one"})]
    secrets += [_secret("c", data={"api_key": other}), _secret("d", data={"api_key": ""}), _secret("e")]
    secrets += [_secret("f", data={"api_key": base64.b64encode(b"3 bytes long").decode()})]
    facts = made(*secrets)
    if form == "exported":
        facts = snapshot.read(trees.in_folder(tmp_path / "in", {"a.yaml": trees.as_yaml(trees.list_of(*secrets))}))
    if form == "written":
        written.files(facts, tmp_path)
        facts = snapshot.read(tmp_path / "snapshot.tar.gz")
    if form == "live":
        from maas.cluster.facts.pruning import pruned

        facts = made(*(pruned(SECRET, each) for each in secrets))
    values = [at(each, "data", "api_key") for each in facts.all(SECRET)]
    assert values[0] == values[1] != values[2]
    assert values[0].startswith("sha256:")
    assert values[3:] == ["", None, "[redacted]"]
    assert "stringData" not in mapping(facts.all(SECRET)[1])
