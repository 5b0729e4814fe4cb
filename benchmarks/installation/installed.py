"""MaaS as an installation of ours leaves it, on a cluster of any size, so that nothing is left to do.

Objects are applied by the executor itself. Charts cannot be had here, nor do containers run: Helm's records and the
statuses that controllers write are written for them.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from maas.cluster import helm, sites
from maas.cluster.api import Api, path_of
from maas.cluster.applying import carry_out, objects
from maas.cluster.connection import connect
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, HTTP_ROUTE
from maas.cluster.objects import Object, items, number, text
from maas.cluster.plan.model import Apply, Chart, Plan, Stage, Step, Wait
from maas.cluster.plan.planning import every_step
from maas.cluster.wanted import Wanted
from maas.domain import platform_file
from tests.kubernetes.applying.stage import Heard, NoHelm, Patient, yes
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import container, deployment, pod_spec
from tests.kubernetes.seeding import seed

NAMESPACE = "maas-bench"  # apart from the installation that the seeded cluster has
_MODELS = "models:\n" + "".join(f"  sim-{number}: {{runtime: simulator}}\n" for number in range(5))
_GOOD = ("Accepted", "Programmed", "ResolvedRefs", "Ready", "Enforced", "PredictorReady")
_MERGE = {"Content-Type": "application/merge-patch+json"}


def wanted(facts: Facts, namespace: str = NAMESPACE) -> Wanted:
    """Five models, and every component, though the seeded cluster has them from somebody else."""
    site = replace(sites.of(facts, namespace), theirs=frozenset())
    return Wanted(platform_file.load(_MODELS), site, namespace)


def install(cluster: Cluster, facts: Facts) -> None:
    steps = every_step(wanted(facts))
    asyncio.run(_applied(cluster, steps))
    seed(cluster, list(_records(steps)))


async def _applied(cluster: Cluster, steps: Sequence[Step]) -> None:
    only = [replace(step, actions=tuple(a for a in step.actions if isinstance(a, Apply)), waits=()) for step in steps]
    async with connect(kubeconfig=cluster.kubeconfig()) as api:
        await carry_out(Plan(only), api, NoHelm(), Heard(), Patient(), timeout=600, ask=yes)
        for wait in (wait for step in steps for wait in step.waits):
            await _fulfilled(cluster, api, wait)


async def _fulfilled(cluster: Cluster, api: Api, wait: Wait) -> None:
    """What its controller would write."""
    found = await objects.one(api, wait.kind, wait.name, wait.namespace)
    if found is None and wait.kind.key == DEPLOYMENT.key:
        spec = pod_spec(container("server", "example.com/server:1.0"))
        await asyncio.to_thread(seed, cluster, deployment(wait.name, wait.namespace, spec))
    if found is None or wait.until(found).stage is Stage.done:
        return
    version = text(found, "apiVersion").rpartition("/")[2]
    path = path_of(wait.kind, version, wait.namespace, wait.name)
    async with cluster.async_client() as client:
        answer = await client.patch(f"{path}/status", json={"status": _status(wait, found)}, headers=_MERGE)
        answer.raise_for_status()


def _status(wait: Wait, found: Object) -> dict[str, Any]:
    generation = number(found, "metadata", "generation")
    good = [
        {
            "type": type,
            "status": "True",
            "reason": type,
            "message": "",
            "observedGeneration": generation,
            "lastTransitionTime": "2026-09-20T06:00:00Z",
        }
        for type in _GOOD
    ]
    if wait.kind.key != HTTP_ROUTE.key:
        return {"conditions": good, "observedGeneration": generation}
    parents = [
        {"parentRef": ref, "controllerName": "istio.io/gateway-controller", "conditions": good}
        for ref in items(found, "spec", "parentRefs")
    ]
    return {"parents": parents}


def _records(steps: Sequence[Step]) -> Iterator[Object]:
    for chart in (action for step in steps for action in step.actions if isinstance(action, Chart)):
        known = {"owner": "helm", "name": chart.release, "status": "deployed", "version": "1"}
        metadata = {
            "name": f"sh.helm.release.v1.{chart.release}.v1",
            "namespace": chart.namespace,
            "labels": {**helm.labels(chart), **known},
        }
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "helm.sh/release.v1"}
