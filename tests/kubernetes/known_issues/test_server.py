"""MAAS-422: what a model's server said last tells its cause; what somebody has to decide is shown, and never done."""

from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.facts.model import Log
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters.making import Object
from tests.kubernetes.known_issues.planted import KUBERNETES, crashing, said, vllm

NO_ROOM = (
    "ValueError: To serve at least one request with the models's max seq len (40960), (4.38 GiB KV cache is needed, "
    "which is larger than the available KV cache memory (1.0 GiB). Based on the available memory, the estimated "
    "maximum model length is 9344. Try increasing `gpu_memory_utilization`"
)
NO_HUB = "HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /Qwen/m"


def found(model: list[Object], *lines: str, logs: tuple[Log, ...] = ()) -> Finding:
    scenario = KUBERNETES().after()
    logs = (*scenario.logs, *(said(model, *lines) if lines else logs))
    scenario = replace(scenario, objects=(*scenario.objects, *model), logs=logs)
    (finding,) = judge(scenario.facts(), scenario.asked, only=["MAAS-422"])
    return finding


def images(finding: Finding) -> list[Any]:
    assert finding.remedy
    operations = [each for change in finding.remedy.changes for each in change.body["operations"]]
    return [each["value"] for each in operations if each["path"].endswith("/image")]


@pytest.mark.parametrize(
    ("line", "told", "command"),
    [
        (NO_ROOM, "no room for the KV cache", "--max-model-len=9216"),
        ("ValueError: No available memory for the cache blocks. Try", "no room", "kubectl edit"),
        (
            "ValueError: Free memory on device (4.1/22.3 GiB) on startup is less than desired GPU memory utilization",
            "something else uses",
            "kubectl get pods -A",
        ),
        ("huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-6)", "gated", "HF_TOKEN"),
        (NO_HUB, "cannot reach Hugging Face", "networkpolicies"),
        ("vllm: error: unrecognized arguments: --frobnicate", "one of its arguments", "kubectl edit"),
    ],
)
def test_the_cause_is_told_and_what_is_to_be_decided_is_not_done(line: str, told: str, command: str) -> None:
    finding = found(crashing(vllm("m")), line)
    assert finding.status is Status.failed and told in finding.message
    assert finding.remedy and not finding.remedy.changes
    assert any(command in each for each in finding.remedy.commands)


@pytest.mark.parametrize(
    ("image", "line", "wanted"),
    [
        ("vllm/vllm-openai:v0.6.2", "Model architectures ['Qwen3ForCausalLM'] are not supported for now.", "v0.10.2"),
        ("vllm/vllm-openai:v0.8.4", "Model architectures ['Qwen3MoeForCausalLM'] are not supported", "v0.10.2"),
        ("vllm/vllm-openai:v0.10.2", "Model architectures ['Qwen9ForCausalLM'] are not supported for now.", ""),
        ("vllm/vllm-openai:v0.6.2", "Model architectures ['MyOwnForCausalLM'] are not supported for now.", ""),
        ("example.com/mine:v0.6.2", "Model architectures ['Qwen3ForCausalLM'] are not supported for now.", ""),
    ],
)
def test_a_newer_vllm_only_where_it_is_known_to_load_the_model(image: str, line: str, wanted: str) -> None:
    finding = found(crashing(vllm("m", image)), f"ValueError: {line}")
    assert finding.status is Status.failed
    assert images(finding) == ([f"vllm/vllm-openai:{wanted}"] if wanted else [])


def test_without_a_word_an_old_version_is_suspected() -> None:
    finding = found(crashing(vllm("Qwen3-8B", "vllm/vllm-openai:v0.6.2")))
    assert finding.status is Status.warning and "older than qwen3" in finding.message
    assert images(finding) == ["vllm/vllm-openai:v0.10.2"]


@pytest.mark.parametrize(("model", "version"), [("Qwen2.5-7B-Instruct", "v0.6.2"), ("Qwen3-8B", "v0.10.2")])
def test_a_version_that_knows_the_model_is_not_suspected(model: str, version: str) -> None:
    crashed = crashing(vllm(model, f"vllm/vllm-openai:{version}"))
    assert found(crashed).status is Status.unknown  # nobody heard why


def test_a_command_that_would_hold_a_secret_is_a_remark_that_no_shell_runs() -> None:
    finding = found(crashing(vllm("m", "vllm/vllm-openai:v0.10.2", "--api-key=sk-canary-0123456789abcdef")), NO_ROOM)
    assert finding.remedy
    (command,) = finding.remedy.all_commands
    assert "sk-canary" not in command
    assert all(line.startswith("# ") for line in command.splitlines())


def test_a_model_that_is_ready_may_have_said_what_it_likes() -> None:
    assert found(vllm("m", "vllm/vllm-openai:v0.6.2"), NO_ROOM).status is Status.passed


def test_the_run_that_ended_is_listened_to_first() -> None:
    model = crashing(vllm("m"))
    (ended,) = said(model, NO_ROOM)
    now = replace(ended, previous=False, lines=("INFO starting vLLM",))
    assert found(model, logs=(now, ended)).status is Status.failed


def test_what_is_of_compilers_is_left_to_its_own_check() -> None:
    model = crashing(vllm("m", "vllm/vllm-openai:v0.9.0"))
    assert found(model, "LLVM ERROR: Unsupported rounding mode for conversion.").status is Status.passed
