"""What is hidden, what a tool has hidden already, and what must stay because checks judge by it."""

import base64
import time
from typing import Any

import pytest
import yaml

from maas.cluster.facts.redaction import digest, is_redacted, redacted, scrubbed, without_values
from tests.kubernetes import shared


@pytest.mark.parametrize(
    "value",
    [
        "REDACTED",
        "[redacted]",
        "<redacted>",
        "(Redacted)",
        "***REDACTED***",
        "***HIDDEN***",
        "***",
        "XXXXX",
        "xxxx",
        "[hidden]",
        "25 bytes long",
        "<omitted>",
        "DATA+OMITTED",
        "UkVEQUNURUQ=",
        "MjUgYnl0ZXMgbG9uZw==",
        " [REDACTED]\n",
        "[filtered]",
        "--- redacted ---",
        "<masked>",
        "<secret>",
    ],
)
def test_what_a_tool_put_in_place_of_a_value_is_known(value: str) -> None:
    """oc adm inspect writes "25 bytes long", in base64; troubleshoot ***HIDDEN***; kubectl config DATA+OMITTED."""
    assert is_redacted(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "free",
        "sk-maas-0123456789",
        "xx",
        "x-api-key",
        "https://user:[redacted]@host",
        "v1.34",
        "secrets",
        "my-secret",
        pytest.param(digest(b"a"), id="digest"),  # salted anew in each process
        "**",
        "x x x x",
        "removed by the controller",
        "25",
        "redactedly",
    ],
)
def test_a_value_is_a_value(value: str) -> None:
    assert not is_redacted(value)


@pytest.mark.parametrize(
    "text",
    [
        "quay.io/kuadrant/authorino@sha256:" + "0123456789abcdef" * 4,
        "docker-pullable://nginx@sha256:" + "0123456789abcdef" * 4,
        "oci://ghcr.io/x/y@sha256:" + "0123456789abcdef" * 4,
        'MountVolume.SetUp failed for volume "k" : secret "maas-key" not found',
        "listing pods was denied: pods is forbidden: User \"system:serviceaccount:a:b\" cannot list resource",
        "failed calling webhook: x509: certificate signed by unknown authority",
        "couldn't get token: unauthorized",
        "Kuadrant is not installed, please restart Kuadrant Operator pod once dependency has been installed",
        "API key required", "Bearer authentication required", "basic authentication is disabled",
        "APIKEY realm=\"users\"",
        "the API Key provided is invalid", "--max-model-len=4096", "--max-num-batched-tokens 2048",
        "--served-model-name qwen3",
        "--tokenizer Qwen/Qwen3-0.6B", "--eos-token </s>", "prompt_tokens=12 completion_tokens: 34",
        "time_to_first_token: 0.5",
        "secretName: maas-tls", "tokenSecretRef: x1",
        "--secret-label-selector=authorino.kuadrant.io/managed-by=authorino",
        "imagePullSecrets: [a1]", "primary_key: 12", "key: nvidia.com/gpu", "hf://Qwen/Qwen3-0.6B", "s3://bucket/path",
        "task-force-0123456789abcdef", "disk-0123456789abcdef", "automountServiceAccountToken: true", "token: expired",
        "ISTIO_GATEWAY_CONTROLLER_NAMES=istio.io/gateway-controller,openshift.io/gateway-controller/v1",
        "GET /v1/chat/completions 401 credential not found", "proxy_pass http://model:8080", "auth=none",
        "TOKEN=$(HF_TOKEN)",
        "password=${DB_PASSWORD}", "user:pass", "https://example.com/a@b", "git@github.com:a/b",
    ],
)  # fmt: skip
def test_what_checks_judge_by_stays(text: str) -> None:
    assert scrubbed(text) == text


def test_the_objects_of_the_platform_stay_as_they_are() -> None:
    samples = shared.need() / "samples" / "cluster-objects.yaml"
    for each in yaml.safe_load_all(samples.read_text()):
        if each and each["kind"] != "Secret":
            assert redacted(each) == each


@pytest.mark.parametrize(
    "value",
    [
        {"env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}]},
        {"env": [{"name": "MAX_TOKENS", "value": "100"}, {"name": "AUTH_SERVICE_FAILURE_MODE", "value": "deny"}]},
        {"env": [{"name": "TOKEN", "value": ""}, {"name": "USE_TOKEN", "value": "true"}]},
        {"credentials": {"authorizationHeader": {"prefix": "APIKEY"}}, "apiKey": {"selector": {}}},
        {"annotations": {"secret.kuadrant.io/user-id": "user1", "kuadrant.io/groups": "free"}},
        {"data": {"api_key": digest(b"a")}},
        {"secretName": "a1", "secretRef": "b2", "secrets": [{"name": "c3"}], "tokenSecretRef": {"name": "d4"}},
        {"tokens": 20000, "limit": 5, "token": None, "auth": True},
    ],
)
def test_fields_that_only_sound_secret_stay(value: Any) -> None:
    assert redacted(value) == value


@pytest.mark.parametrize(
    "text", ["token=abc1", "Authorization: Bearer abcdef123", "https://a:b1@c", "--api-key 'x y 1'"]
)
def test_what_was_redacted_stays_so(text: str) -> None:
    once = scrubbed(text)
    assert "[redacted]" in once
    assert scrubbed(once) == once


def test_json_in_a_text_stays_json() -> None:
    import json

    text = json.dumps(
        {"deploy": {"defaultDeploymentMode": "Standard"}, "s3": {"secretAccessKey": 'a"b1', "token": 17}, "n": [1]}
    )
    kept = json.loads(scrubbed(text))
    assert kept["deploy"] == {"defaultDeploymentMode": "Standard"}
    assert kept["s3"]["secretAccessKey"] == "[redacted]"
    assert kept["n"] == [1]


@pytest.mark.parametrize(
    "unit", ["a", "a.", "a1-", "aB3/", "://", "key=", "token ", "-----BEGIN PRIVATE KEY", "'", "\\", 'x:"']
)
def test_a_long_text_takes_no_longer_than_it_is_long(unit: str) -> None:
    """A certificate or a model file in a field: expressions that try again at every letter would take hours."""
    began = time.process_time()
    scrubbed(unit * (400_000 // len(unit)))
    assert time.process_time() - began < 3.0


@pytest.mark.parametrize("option", ["-u ", "-u", "--user ", "--user=", "-sS -u ", '-u "', "--proxy-user '"])
def test_what_curl_logs_in_with_is_hidden(option: str) -> None:
    shown = scrubbed(f"+ curl {option}me:CANARY http://x")
    assert shown.startswith(f"+ curl {option}me:[redacted]")
    assert "CANARY" not in shown
    assert scrubbed(shown) == shown


def test_what_curl_logs_in_with_is_hidden_among_arguments() -> None:
    assert redacted(["curl", "-u", "me:CANARY", "x"]) == ["curl", "-u", "me:[redacted]", "x"]


@pytest.mark.parametrize("said", ["docker run -u 1000:1000", "chown -u root:wheel", "curl -u me http://x:80/y"])
def test_users_and_groups_are_no_logins(said: str) -> None:
    assert scrubbed(said) == said


@pytest.mark.parametrize(
    "text", ["GET /v1/models?key=a1B2c3D4 HTTP/1.1", "/health?x=1&key=a1B2c3D4", "https://h/cb?code=a1B2c3D4&state=1"]
)
def test_a_credential_in_a_query_is_hidden(text: str) -> None:
    assert "a1B2c3D4" not in scrubbed(text)
    assert scrubbed(text).count("[redacted]") == 1


def test_a_secrets_value_is_not_told_beside_it_either() -> None:
    value = "plain-words-nobody-would-take-for-a-key"
    secret = {
        "metadata": {"name": "k", "annotations": {"note": f"the key is {value}, of alice", "tier": "free"}},
        "data": {"api_key": base64.b64encode(value.encode()).decode(), "empty": ""},
    }
    shown = without_values(secret)
    assert value not in str(shown)
    assert shown["metadata"]["annotations"] == {"note": "the key is [redacted], of alice", "tier": "free"}
    assert shown["data"]["empty"] == ""
