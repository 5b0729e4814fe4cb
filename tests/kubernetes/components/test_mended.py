"""What the checks of components would change is taken by a real API server, and the findings are gone afterwards."""

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from maas.cluster.api import Api
from maas.cluster.changes import Change
from maas.cluster.connection import connect
from maas.cluster.facts import live as live_facts
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, GATEWAY_CLASS, SUBSCRIPTION
from maas.cluster.objects import Object, at, items, name, namespace
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.living import live
from tests.kubernetes.components.making import install_plan
from tests.kubernetes.offline import NOW

_GONE_AFTERWARDS = {"MAAS-203", "MAAS-205", "MAAS-253", "MAAS-254"}
# OLM, the ingress operator or the controllers of Deployments would have to act before these are gone.
_ONLY_WRITTEN = {"MAAS-214", "MAAS-221", "MAAS-276"}
_BAD = (Status.failed, Status.warning)


def _with_faults(objects: Sequence[Object]) -> list[Object]:
    kept = [deepcopy(dict(each)) for each in objects if not _is_removed(each)]
    for each in kept:
        _spoil(each)
    plan = install_plan("RequiresApproval", "rhods-operator.3.3.0", approved=False)
    plan["metadata"]["namespace"] = "redhat-ods-operator"
    plan["spec"] |= {"approval": "Manual"}
    plan["status"] |= {"catalogSources": []}
    return [*kept, plan]


def _is_removed(object: Object) -> bool:
    group = object["kind"] == "OperatorGroup" and namespace(object) == "redhat-ods-operator"
    return group or (object["kind"] == "GatewayClass" and "openshift.io" in str(at(object, "spec", "controllerName")))


def _spoil(object: dict[str, Any]) -> None:
    match object["kind"], name(object):
        case "DataScienceCluster", _:
            object["spec"]["components"]["kserve"] = {"managementState": "Removed"}
        case "Deployment", "cert-manager-cainjector":
            object["spec"]["replicas"] = 0
        case "Deployment", "kuadrant-operator-controller-manager":
            for container in object["spec"]["template"]["spec"]["containers"]:
                container.pop("env", None)


async def _read(api: Api) -> Facts:
    return await live_facts.read(api, deadline=60, watch=None, logs=False)


def _bad(facts: Facts, asked: Asked) -> dict[str, Finding]:
    return {each.code: each for each in judge(facts, asked, only=["MAAS-2"]) if each.status in _BAD}


async def _versions(api: Api, changes: Sequence[Change]) -> list[str]:
    """The resource version of each object that is to be changed; "" for one that is to be created."""
    facts = await _read(api)
    found = (facts.one(change.kind, change.name, change.namespace) for change in changes)
    return [str(at(each, "metadata", "resourceVersion") or "") for each in found]


def _changes(findings: dict[str, Finding]) -> list[Change]:
    return [change for each in findings.values() if each.remedy for change in each.remedy.changes]


async def _mended(cluster: Cluster, asked: Asked) -> tuple[set[str], set[str], Facts]:
    async with connect(kubeconfig=cluster.kubeconfig()) as api:
        before = _bad(await _read(api), asked)
        changes = _changes(before)
        versions = await _versions(api, changes)
        for change in changes:
            await api.carry_out(change, dry_run=True, now=NOW)
        assert await _versions(api, changes) == versions, "a dry run changed something"
        for change in changes:
            await api.carry_out(change, dry_run=False, now=NOW)
        # What 254 asks for can only be seen once KServe is managed again.
        late = [
            change for each in _bad(await _read(api), asked).values() if each.remedy for change in each.remedy.changes
        ]
        for change in late:
            await api.carry_out(change, dry_run=False, now=NOW)
        facts = await _read(api)
        return set(before), set(_bad(facts, asked)), facts


@pytest.mark.timeout(240)
def test_remedies_are_taken_by_the_api_server() -> None:
    scenario = typical.openshift_4_20().changed(_with_faults)
    with live(scenario) as cluster:
        before, after, facts = asyncio.run(_mended(cluster, scenario.asked))
    assert (_GONE_AFTERWARDS - {"MAAS-254"}) | _ONLY_WRITTEN <= before
    assert not after & _GONE_AFTERWARDS
    _were_written(facts)


def _were_written(facts: Facts) -> None:
    injector = facts.one(DEPLOYMENT, "cert-manager-cainjector", "cert-manager")
    assert at(injector, "spec", "replicas") == 1
    assert facts.one(GATEWAY_CLASS, "openshift-default") is not None
    variables = [e for each in facts.all(SUBSCRIPTION) for e in items(each, "spec", "config", "env")]
    named = next(each for each in variables if each["name"] == "ISTIO_GATEWAY_CONTROLLER_NAMES")
    assert named["value"] == "istio.io/gateway-controller,openshift.io/gateway-controller/v1"
