"""Nodes and what is on each: plain ones, and those with GPUs as NFD and GPU feature discovery label them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.kubernetes.clusters.making import SINCE, Object, made


@dataclass(frozen=True)
class Gpu:
    """memory: MiB, as the label has it. capability: major, minor."""

    product: str
    memory: int
    family: str
    capability: tuple[int, int]
    machine: str
    count: int = 1


T4 = Gpu("Tesla-T4", 15360, "turing", (7, 5), "g4dn.2xlarge")
A10G = Gpu("NVIDIA-A10G", 23028, "ampere", (8, 6), "g5.4xlarge")
V100 = Gpu("Tesla-V100-SXM2-16GB", 16384, "volta", (7, 0), "p3.2xlarge")
A100 = Gpu("NVIDIA-A100-SXM4-80GB", 81920, "ampere", (8, 0), "p4de.24xlarge", 8)


def node(
    name: str,
    *,
    cpu: int = 8,
    memory: str = "32Gi",
    kubelet: str = "v1.34.4",
    role: str = "worker",
    gpu: Gpu | None = None,
    driver: str = "580.95.05",
    labels: Mapping[str, str] | None = None,
    os_image: str = "Ubuntu 24.04.3 LTS",
    provider: str = "aws:///eu-west-1a/i-",
) -> Object:
    """Allocatable is what a kubelet leaves of the capacity: half a core and 1.5 GiB less."""
    capacity: dict[str, str] = {"cpu": str(cpu), "memory": memory, "pods": "250", "ephemeral-storage": "200Gi"}
    allocatable = capacity | {"cpu": f"{cpu * 1000 - 500}m", "memory": f"{int(memory[:-2]) * 1024 - 1536}Mi"}
    wanted = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        f"node-role.kubernetes.io/{role}": "",
        **(labels or {}),
    }
    if gpu:
        for resources in (capacity, allocatable):
            resources["nvidia.com/gpu"] = str(gpu.count)
        wanted |= gpu_labels(gpu, driver)
    result = made("v1", "Node", name, labels=wanted)
    result["spec"] = {"providerID": f"{provider}{name}"} if provider else {}
    if taints := _taints(role, gpu):
        result["spec"]["taints"] = taints
    result["status"] = {
        "capacity": capacity,
        "allocatable": allocatable,
        "conditions": _conditions(),
        "addresses": [{"type": "InternalIP", "address": "10.1.0.10"}, {"type": "Hostname", "address": name}],
        "nodeInfo": _info(kubelet, os_image),
    }
    return result


def gpu_labels(gpu: Gpu, driver: str) -> dict[str, str]:
    major, minor, revision = driver.split(".")
    nvidia = {
        "gpu.present": "true",
        "gpu.count": str(gpu.count),
        "gpu.product": gpu.product,
        "gpu.memory": str(gpu.memory),
        "gpu.family": gpu.family,
        "gpu.compute.major": str(gpu.capability[0]),
        "gpu.compute.minor": str(gpu.capability[1]),
        "gpu.machine": gpu.machine,
        "gpu.replicas": "1",
        "gpu.sharing-strategy": "none",
        "mig.capable": "true" if gpu.product.startswith("NVIDIA-A100") else "false",
        "mig.strategy": "single",
        "cuda.driver-version.full": driver,
        "cuda.driver-version.major": major,
        "cuda.driver-version.minor": minor,
        "cuda.driver-version.revision": revision,
        "cuda.runtime-version.full": "13.0",
        "cuda.runtime-version.major": "13",
        "cuda.runtime-version.minor": "0",
        "gpu.deploy.driver": "true",
        "gpu.deploy.device-plugin": "true",
    }
    instance = {"node.kubernetes.io/instance-type": gpu.machine, "feature.node.kubernetes.io/pci-10de.present": "true"}
    return instance | {f"nvidia.com/{key}": value for key, value in nvidia.items()}


def _taints(role: str, gpu: Gpu | None) -> list[Object]:
    if role in ("control-plane", "master"):
        return [{"key": f"node-role.kubernetes.io/{role}", "effect": "NoSchedule"}]
    return [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}] if gpu else []


def _conditions() -> list[Object]:
    good = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
    return [
        {
            "type": type,
            "status": status,
            "reason": "KubeletReady" if type == "Ready" else f"KubeletHasNo{type}",
            "message": "",
            "lastTransitionTime": SINCE,
            "lastHeartbeatTime": SINCE,
        }
        for type, status in good.items()
    ]


def _info(kubelet: str, os_image: str) -> dict[str, Any]:
    return {
        "kubeletVersion": kubelet,
        "kubeProxyVersion": "",
        "osImage": os_image,
        "operatingSystem": "linux",
        "architecture": "amd64",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": "6.8.0",
        "machineID": "1",
        "systemUUID": "1",
        "bootID": "1",
    }
