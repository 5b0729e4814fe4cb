"""What tests of failing steps have in common: what they plant, and how they get the report."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from maas.cluster.applying import Report, StepFailed
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object
from maas.cluster.plan.model import Step, Until, Wait
from tests.kubernetes.applying.stage import stage
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import container, made
from tests.kubernetes.seeding import seed
from tests.running import eventually


def failure(cluster: Cluster, *steps: Step, seconds: float = 1200.0, **options: Any) -> Report:
    async def run() -> Report:
        async with stage(cluster) as here:
            with pytest.raises(StepFailed) as failed:
                await here.carry_out(steps, seconds=seconds, **options)
            return failed.value.report

    return asyncio.run(run())


def space(cluster: Cluster, called: str, **labels: str) -> None:
    metadata = {"name": called, "labels": {key.replace("__", "/"): value for key, value in labels.items()}}
    seed(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])


def waits(kind: Kind, called: str, where: str, until: Until, what: str, patience: float = 300.0) -> Wait:
    return Wait(kind, called, where, until, f"{kind.name} {where}/{called} {what}".replace(" /", " "), patience)


def deployment(called: str, where: str, *, paused: bool = False, **spec: Any) -> Object:
    labels = {"app": called}
    pods = {
        "containers": [container("server", "example.com/server:1.0")],
        "tolerations": [{"operator": "Exists"}],
        **spec,
    }
    template = {"metadata": {"labels": labels}, "spec": pods}
    wanted = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, "paused": paused}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": called, "namespace": where},
        "spec": wanted,
    }


def just_now(object: Object) -> Object:
    return {**object, "lastTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def until_there(cluster: Cluster, path: str, found: Callable[[Any], bool]) -> None:
    """What a controller will write, waited for."""
    with cluster.client() as client:
        there = lambda: any(found(each) for each in client.get(path).json()["items"])  # noqa: E731
        eventually(there, f"that is at {path}", within=60)


def subscription(where: str, **status: Any) -> dict[str, Any]:
    made_ = made("operators.coreos.com/v1alpha1", "Subscription", "rhods-operator", where)
    spec = {"name": "rhods-operator", "channel": "stable-3.x", "source": "redhat-operators"}
    spec |= {"sourceNamespace": "openshift-marketplace", "installPlanApproval": "Manual"}
    return {**made_, "spec": spec, "status": {"lastUpdated": "2026-09-20T06:00:00Z", **status}}


def install_plan(where: str) -> dict[str, Any]:
    plan = made("operators.coreos.com/v1alpha1", "InstallPlan", "install-abcde", where)
    spec = {"approval": "Manual", "approved": False, "clusterServiceVersionNames": ["rhods-operator.3.0.0"]}
    return {**plan, "spec": spec, "status": {"phase": "RequiresApproval", "catalogSources": [], "plan": []}}
