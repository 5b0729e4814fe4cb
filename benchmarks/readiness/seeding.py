"""A cluster of any size on a real API server, within a minute.

100 000 pods through the API would take a quarter of an hour on two cores. So one node, its pods, a Deployment, a
Service and so on are written through the API, with statuses and managed fields; what etcd then holds of them
(Kubernetes' own protobuf) is copied as often as needed, with names, addresses and identities of the same length put in
their place, while no API server runs. What it reads afterwards differs from what it would have written itself only in
that everything is of the same second.
"""

import base64
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.readiness import copies, templates
from benchmarks.readiness.templates import PODS_PER_NODE
from tests.kubernetes.cluster import Cluster, api_server, etcd
from tests.kubernetes.clusters import typical
from tests.kubernetes.definitions import write
from tests.kubernetes.seeding import seed

_TOGETHER = 100  # writes in one transaction of etcd


@dataclass(frozen=True)
class Size:
    """bytes: of what was copied, as etcd holds it."""

    nodes: int
    pods: int
    objects: int
    bytes: int


@contextlib.contextmanager
def cluster_of(nodes: int) -> Iterator[tuple[Cluster, Size]]:
    """With the stack and MaaS on it. One node in twenty has a GPU, one in five a pod that crashes."""
    folder = Path(tempfile.mkdtemp(prefix="kube", dir="/tmp"))
    scenario = typical.kubernetes_1_34()
    try:
        with etcd(folder):
            write(folder / "etcd.sock", scenario.definitions())
            with api_server(folder) as cluster:
                seed(cluster, [*scenario.objects, *templates.all_templates()])
            size = _fill(folder / "etcd.sock", nodes)
            with api_server(folder, patience=600) as cluster:
                yield cluster, size
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(etcd: Path, nodes: int) -> Size:
    """The templates are number 0 themselves."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(etcd)), base_url="http://etcd", timeout=60) as client:
        originals = {key: _read(client, key) for key in copies.ORIGINALS}
        count = length = 0
        for batch in _batches(copies.of(originals, nodes)):
            puts = [{"requestPut": {"key": _base64(key.encode()), "value": _base64(value)}} for key, value in batch]
            client.post("/v3/kv/txn", json={"success": puts}).raise_for_status()
            count += len(batch)
            length += sum(len(value) for _, value in batch)
    return Size(nodes, nodes * PODS_PER_NODE, count, length)


def _read(client: httpx.Client, key: str) -> bytes:
    answer = client.post("/v3/kv/range", json={"key": _base64(key.encode())}).raise_for_status().json()
    return base64.b64decode(answer["kvs"][0]["value"])


def _batches(copies: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    while batch := list(itertools.islice(copies, _TOGETHER)):
        yield batch


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
