"""The components on Kubernetes as steps: in the order of their needs, in the versions that the cluster carries."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from maas.cluster import sites
from maas.cluster.components import kuadrant
from maas.cluster.components.gpu_operator import policy_is_ready
from maas.cluster.components.steps import steps
from maas.cluster.components.theirs import on_kubernetes
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CRD, HTTP_ROUTE, POD
from maas.cluster.mirroring import minors
from maas.cluster.plan.model import Apply, Chart, Manifest, Restart, Stage, Step
from maas.cluster.wanted import PART_OF, Site, Target, Wanted
from maas.domain.platform import Platform
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.scenario import Scenario

SITE = sites.assumed(Target.kubernetes)


def made(site: Site = SITE, *, gpu_operator: bool = False) -> dict[str, Step]:
    wanted = Wanted(Platform({}, {}), site, gpu_operator=gpu_operator)
    return {step.key: step for step in steps(wanted)}


def charts(site: Site, *, gpu_operator: bool = True) -> dict[str, Chart]:
    found = made(site, gpu_operator=gpu_operator).values()
    return {action.release: action for step in found for action in step.actions if isinstance(action, Chart)}


def before(steps: dict[str, Step], key: str) -> set[str]:
    """All that has to be done before it."""
    needs = {each for each in steps[key].needs if each in steps}
    return needs.union(*(before(steps, each) for each in needs))


def test_the_hard_edges_of_the_order() -> None:
    """Kuadrant's operator looks for the others only when it starts, and KServe's chart holds certificates."""
    found = made()
    assert {"gateway-api", "cert-manager", "istio"} <= before(found, "kuadrant-operator")
    assert "kuadrant-operator" in before(found, "kuadrant")
    assert "gateway-api" in before(found, "istio")
    assert {"cert-manager", "kserve-crd"} <= before(found, "kserve")


def test_what_does_not_hang_together_may_be_done_side_by_side() -> None:
    found = made(gpu_operator=True)
    assert before(found, "gpu-operator") == before(found, "cert-manager") == before(found, "gateway-api") == set()
    assert "kserve" not in before(found, "kuadrant")


def test_each_step_says_what_it_is_for_and_how_it_is_undone() -> None:
    for step in made(gpu_operator=True).values():
        assert step.title and step.why and step.undo and step.waits, step.key


def test_namespaces_are_made_by_us_and_labelled() -> None:
    """Helm would make them without labels, and leave them behind."""
    found = {
        action.object["metadata"]["name"]: action.object["metadata"]["labels"]
        for step in made(gpu_operator=True).values()
        for action in step.actions
        if isinstance(action, Apply) and action.object["kind"] == "Namespace"
    }
    assert set(found) == {each.namespace for each in charts(SITE).values()}
    assert all(labels[PART_OF] == "maas" for labels in found.values())
    assert found["kuadrant-system"]["istio-injection"] == "disabled"
    assert found["gpu-operator"]["pod-security.kubernetes.io/enforce"] == "privileged"


def versions(kubernetes: str) -> dict[str, str]:
    site = replace(SITE, kubernetes=kubernetes)
    found = {each.release: each.version for each in charts(site).values()}
    bundle = next(a for a in made(site)["gateway-api"].actions if isinstance(a, Manifest))
    return {**found, "gateway-api": bundle.name}


def test_an_older_cluster_gets_versions_that_it_carries() -> None:
    assert versions("1.34") == {
        "cert-manager": "v1.21.1",
        "istio-base": "1.30.3",
        "istiod": "1.30.3",
        "kuadrant-operator": "1.5.2",
        "kserve-crd": "v0.20.0",
        "kserve": "v0.20.0",
        "gpu-operator": "v26.7.0",
        "gateway-api": "gateway-api-1.5.1.yaml",
    }
    older = versions("1.31")
    assert (older["cert-manager"], older["istiod"], older["kserve"]) == ("v1.19.6", "1.29.6", "v0.15.2")
    assert versions("1.28")["gateway-api"] == "gateway-api-1.4.1.yaml"


def test_a_chart_is_asked_for_by_the_name_that_it_had() -> None:
    """KServe's was renamed with 0.17, as the Chart.yaml of its tags has it."""
    assert charts(replace(SITE, kubernetes="1.34"))["kserve"].chart == "oci://ghcr.io/kserve/charts/kserve-resources"
    assert charts(replace(SITE, kubernetes="1.31"))["kserve"].chart == "oci://ghcr.io/kserve/charts/kserve"


def test_a_cluster_that_nobody_knows_yet_gets_the_newest() -> None:
    assert versions("") == versions("1.40") == versions("1.34")


def test_istio_and_its_base_are_of_one_version_everywhere() -> None:
    for minor in minors():
        found = versions(minor)
        assert found["istio-base"] == found["istiod"], minor
        assert found["kserve-crd"] == found["kserve"], minor


def test_no_chart_is_told_of_a_secret() -> None:
    """Values stand in Helm's records, readable to whoever may read Secrets there."""

    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, each in value.items():
                yield key
                yield from keys(each)

    for each in charts(SITE).values():
        assert not {key for key in keys(dict(each.values)) if "password" in key.lower() or "token" in key.lower()}


def test_what_others_installed_has_no_step() -> None:
    found = made(replace(SITE, theirs=frozenset({"cert-manager", "istio"})))
    assert not {"cert-manager", "istio"} & set(found)
    assert {"gateway-api", "kuadrant-operator", "kserve"} <= set(found)


def test_a_stack_by_others_is_known_as_theirs_and_an_empty_cluster_has_nothing_of_theirs() -> None:
    theirs = on_kubernetes(typical.kubernetes_1_34().facts())
    assert {"gateway-api", "cert-manager", "istio", "kuadrant-operator", "kuadrant", "kserve-crd", "kserve"} <= theirs
    assert on_kubernetes(typical.kind().facts()) == frozenset()


def test_what_our_releases_made_is_ours() -> None:
    """Helm labels its Deployments as its own: only the records of the releases say that they are of us."""
    facts = typical.kubernetes_1_34().facts()
    labels = {"owner": "helm", "name": "istiod", "version": "1", "status": "deployed"}
    record = {"metadata": {"namespace": "istio-system", "labels": {**labels, "app.kubernetes.io/managed-by": "maas"}}}
    ours = replace(facts, lists={**facts.lists, "secrets@helm": [record]})
    assert on_kubernetes(facts) - on_kubernetes(ours) == {"istio"}


def test_gpus_that_a_cloud_provides_need_no_operator() -> None:
    assert "gpu-operator" in on_kubernetes(typical.eks_1_31().facts())


def test_node_feature_discovery_comes_with_the_gpu_operator_unless_it_is_there() -> None:
    assert charts(SITE)["gpu-operator"].values["nfd"] == {"enabled": True}
    there = replace(SITE, theirs=frozenset({"nfd"}))
    assert charts(there)["gpu-operator"].values["nfd"] == {"enabled": False}


def test_limits_fail_closed_by_what_is_set_beside_the_chart() -> None:
    """Its chart has no value for it. Not so reports: they come after the answer."""
    _, chart, closed = made()["kuadrant-operator"].actions
    assert isinstance(chart, Chart) and isinstance(closed, Apply) and closed.adopt and closed.brought
    (container,) = closed.object["spec"]["template"]["spec"]["containers"]
    assert container == {
        "name": "manager",
        "env": [
            {"name": "RATELIMIT_SERVICE_FAILURE_MODE", "value": "deny"},
            {"name": "RATELIMIT_CHECK_SERVICE_FAILURE_MODE", "value": "deny"},
        ],
    }
    assert kuadrant.fails_closed(closed.object)


def test_kuadrant_that_was_there_before_is_restarted_once_what_it_looks_for_has_come() -> None:
    found = made(replace(SITE, theirs=frozenset({"kuadrant-operator"})))
    restart = next(action for action in found["kuadrant"].actions if isinstance(action, Restart))
    assert (restart.namespace, restart.name) == ("kuadrant-system", "kuadrant-operator-controller-manager")
    assert set(restart.after) == {"gateway-api", "istio", "cert-manager"}
    assert restart.spared == ("kuadrant-operator",)


@pytest.mark.parametrize(("started", "stale"), [("2026-01-01T00:00:00Z", True), ("2026-03-01T00:00:00Z", False)])
def test_a_run_that_was_cut_short_before_the_restart_is_noticed(started: str, stale: bool) -> None:
    """By the age of the operator's newest pod: a run that was killed leaves no other trace."""
    pod = {"metadata": {"name": f"{kuadrant.OPERATOR}-x", "namespace": "kuadrant-system"}}
    route = {"metadata": {"name": HTTP_ROUTE.key, "creationTimestamp": "2026-02-01T00:00:00Z"}}
    facts = _with(typical.kind(), {POD.key: [{**pod, "status": {"startTime": started}}], CRD.key: [route]})
    assert kuadrant.has_not_looked(facts) is stale


def _with(scenario: Scenario, lists: dict[str, Any]) -> Facts:
    facts = scenario.facts()
    return replace(facts, lists={**facts.lists, **lists})


@pytest.mark.parametrize(
    ("state", "type", "reason", "expected"),
    [
        ("ready", "Ready", "Reconciled", (Stage.done, False)),
        ("ready", "Ready", "NoGPUNodes", (Stage.waiting, True)),
        ("ready", "Ready", "NFDLabelsMissing", (Stage.waiting, True)),
        ("notReady", "Error", "OperandNotReady", (Stage.waiting, False)),
    ],
)
def test_a_cluster_policy_that_calls_itself_ready_is_not_believed(
    state: str, type: str, reason: str, expected: tuple[Stage, bool]
) -> None:
    """It does so also where it has found no GPU: then its reason tells."""
    told = {"type": type, "status": "True", "reason": reason, "message": "because"}
    seen = policy_is_ready({"status": {"state": state, "conditions": [told]}})
    assert (seen.stage, seen.enough) == expected
    assert seen.stage is Stage.done or reason in seen.why
