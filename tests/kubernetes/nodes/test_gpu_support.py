"""What GPUs are good for: by compute capability, driver, CUDA and memory."""

from typing import Any

import pytest

from maas.readiness.findings import Finding, Status
from tests.kubernetes.nodes.made import A10G, T4, container, node, pod
from tests.kubernetes.offline import asked, facts, found

PRODUCT, MEMORY = "nvidia.com/gpu.product", "nvidia.com/gpu.memory"


def of(major: int, minor: int, product: str = "Something-New", memory: int = 24_000) -> dict[str, str]:
    compute = {"nvidia.com/gpu.compute.major": str(major), "nvidia.com/gpu.compute.minor": str(minor)}
    return T4 | compute | {PRODUCT: product, MEMORY: str(memory)}


V100 = of(7, 0, "Tesla-V100-SXM2-16GB", 16_384)


def one(code: str, *objects: dict[str, Any], models: frozenset[str] = frozenset()) -> Finding:
    (finding,) = found(code, facts(*objects), asked(gpu=True, models=models))
    assert "should not happen" not in finding.message
    return finding


def gpu(labels: dict[str, str], gpus: int = 1, name: str = "g") -> dict[str, Any]:
    return node(name, gpus=gpus, labels=labels)


def without(labels: dict[str, str], *parts: str) -> dict[str, str]:
    return {key: value for key, value in labels.items() if not any(part in key for part in parts)}


def advice(finding: Finding) -> str:
    assert finding.remedy is not None
    return " ".join((finding.remedy.text, *finding.remedy.all_commands))


# -- supported


@pytest.mark.parametrize(
    ("labels", "status", "words"),
    [
        (T4, Status.warning, ("0.10.2", "--dtype=float16", "--enforce-eager")),
        (V100, Status.warning, ("v0.8.5.post1", "580")),
        (A10G, Status.passed, ()),
        (of(8, 9, "NVIDIA-L4"), Status.passed, ()),
        (of(8, 0, "NVIDIA-A100-SXM4-80GB"), Status.passed, ()),
        (of(9, 0, "NVIDIA-H100-80GB-HBM3"), Status.passed, ()),
        (of(12, 0), Status.passed, ()),  # newer than this program
        (of(7, 5), Status.warning, ("--dtype=float16",)),  # a Turing of unknown name
        (of(6, 1, "Tesla-P4"), Status.failed, ("newer",)),
    ],
)
def test_capability_decides(labels: dict[str, str], status: Status, words: tuple[str, ...]) -> None:
    said = one("MAAS-132", gpu(labels))
    assert said.status is status
    for word in words:
        assert word in advice(said)


def test_a_name_that_contradicts_the_capability_is_not_believed() -> None:
    assert one("MAAS-132", gpu(of(8, 0, "Tesla-T4"))).status is Status.passed
    assert one("MAAS-132", gpu(of(7, 5, "NVIDIA-A100-SXM4-80GB"))).status is Status.warning


def test_a_known_name_helps_where_the_capability_is_missing() -> None:
    assert one("MAAS-132", gpu(without(A10G, "compute"))).status is Status.passed
    assert one("MAAS-132", gpu(without(of(9, 0), "compute"))).status is Status.unknown
    assert one("MAAS-132", gpu({})).status is Status.unknown


def test_nodes_with_the_same_card_are_told_together() -> None:
    cards = [gpu(T4, name=f"t{i}") for i in range(50)] + [gpu(A10G, name="a")]
    said = found("MAAS-132", facts(*cards), asked(gpu=True))
    assert [each.message.partition(":")[0] for each in said] == ["Tesla-T4 on 50 nodes", "NVIDIA-A10G on 1 node"]
    assert len(said[0].seen) <= 6


# -- driver and CUDA


def driver(version: str, labels: dict[str, str] = A10G) -> dict[str, str]:
    return labels | {"nvidia.com/cuda.driver-version.full": version}


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        (driver("580.95.05"), Status.passed),
        (driver("595.91.07"), Status.passed),
        (driver("535.247.01"), Status.warning),
        (driver("525.60.13"), Status.warning),
        (driver("524.99"), Status.failed),
        (driver("470.256.02"), Status.failed),
        (driver("580.95.05", V100), Status.passed),
        (driver("595.91.07", V100), Status.failed),
        (without(A10G, "driver"), Status.unknown),
        (driver("absurd"), Status.unknown),
    ],
)
def test_drivers(labels: dict[str, str], status: Status) -> None:
    assert one("MAAS-133", gpu(labels)).status is status


@pytest.mark.parametrize(
    ("labels", "version"),
    [
        ({"cuda.driver-version.full": "570.124.06"}, "570.124.06"),
        ({"cuda.driver-version.major": "570"}, "570"),
        ({"cuda.driver.major": "570", "cuda.driver.minor": "124", "cuda.driver.rev": "06"}, "570.124.06"),
        ({"cuda.driver.major": "570"}, "570"),
    ],
)
def test_new_and_deprecated_labels_of_the_driver(labels: dict[str, str], version: str) -> None:
    said = one("MAAS-133", gpu(without(A10G, "driver") | {f"nvidia.com/{key}": value for key, value in labels.items()}))
    assert (said.status, said.message) == (Status.passed, version)


@pytest.mark.parametrize(
    ("labels", "status", "message"),
    [
        (A10G, Status.passed, "13.0 or newer"),
        (A10G | {"nvidia.com/cuda.runtime-version.full": "12.4"}, Status.passed, "12.4 or newer; name a version"),
        (A10G | {"nvidia.com/cuda.runtime-version.full": "11.8"}, Status.failed, "older than 12: g (11.8)"),
        (without(A10G, "runtime") | {"nvidia.com/cuda.runtime.major": "12"}, Status.passed, "12 or newer"),
        (without(A10G, "runtime") | {"nvidia.com/cuda.runtime.major": "11"}, Status.failed, "older than 12: g (11)"),
        (without(A10G, "runtime"), Status.passed, "12.0 or newer"),  # by its driver
        (without(driver("470.1.1"), "runtime"), Status.failed, "older than 12"),
        (without(A10G, "runtime", "driver"), Status.unknown, "do not tell"),
    ],
)
def test_cuda(labels: dict[str, str], status: Status, message: str) -> None:
    said = one("MAAS-134", gpu(labels))
    assert said.status is status
    assert message in said.message


# -- models


@pytest.mark.parametrize(
    ("model", "labels", "gpus", "status"),
    [
        ("qwen3", T4, 1, Status.passed),
        ("qwen3-4b", T4, 1, Status.passed),
        ("qwen3-8b", T4, 1, Status.failed),
        ("qwen3-8b", V100, 1, Status.failed),
        ("Qwen/Qwen3-8B", A10G, 1, Status.passed),
        ("qwen3-14b", A10G, 1, Status.failed),
        ("qwen3-14b", A10G, 4, Status.passed),  # spread over two or four
        ("qwen3-32b", of(8, 0, "NVIDIA-A100-SXM4-80GB", 81_920), 1, Status.passed),
        ("qwen3-235b-a22b", of(8, 0, "NVIDIA-A100-SXM4-80GB", 81_920), 8, Status.passed),
        ("qwen3-235b-a22b", of(8, 0, "NVIDIA-A100-SXM4-80GB", 81_920), 4, Status.failed),
        ("qwen3", without(of(8, 0), "memory"), 1, Status.unknown),
    ],
)
def test_models_fit_or_not(model: str, labels: dict[str, str], gpus: int, status: Status) -> None:
    assert one("MAAS-138", gpu(labels, gpus), models=frozenset({model})).status is status


def test_a_model_that_fits_names_the_versions_that_run_it() -> None:
    said = one("MAAS-138", gpu(T4), models=frozenset({"qwen3"}))
    assert said.message == "qwen3 fits on 1 x Tesla-T4 of 14.5 GiB with vLLM 0.8.4 to 0.8.5, 0.10.2 and newer"


def test_what_fits_but_is_taken_is_told_so() -> None:
    held = pod("p", on="g", containers=[container(**{"nvidia.com/gpu": "1"})])
    said = one("MAAS-138", gpu(A10G), held, models=frozenset({"qwen3"}))
    assert said.status is Status.failed
    assert "no node has that free" in said.message


def test_a_model_needs_cpu_and_memory_beside_its_gpu() -> None:
    full = pod("p", on="g", containers=[container(cpu="7")])
    assert one("MAAS-138", gpu(A10G), full, models=frozenset({"qwen3"})).status is Status.failed
    small = node("g", memory="7Gi", gpus=1, labels=A10G)
    assert one("MAAS-138", small, models=frozenset({"qwen3"})).status is Status.failed


def test_a_model_that_runs_already_fits() -> None:
    mine = pod(
        "m",
        on="g",
        namespace="llm",
        containers=[container(cpu="7", **{"nvidia.com/gpu": "1"})],
        labels={"serving.kserve.io/inferenceservice": "qwen3"},
    )
    assert one("MAAS-138", gpu(A10G), mine, models=frozenset({"qwen3"})).status is Status.passed


def test_each_model_is_judged_by_itself() -> None:
    both = frozenset({"qwen3", "qwen3-32b", "simulator"})
    said = found("MAAS-138", facts(gpu(A10G)), asked(models=both))
    assert [(each.about, each.status) for each in said] == [
        ("model qwen3", Status.passed),
        ("model qwen3-32b", Status.failed),
    ]
