"""What is asked before an InstallPlan is approved: all that it holds, and never what must not be installed."""

from typing import Any

from maas.cluster.components import approval


def _plan(*names: str) -> dict[str, Any]:
    metadata = {"name": "install-x1", "namespace": "kuadrant-system"}
    return {"kind": "InstallPlan", "metadata": metadata, "spec": {"clusterServiceVersionNames": list(names)}}


def test_all_that_it_installs_is_named_and_what_is_not_ours_apart() -> None:
    plan = _plan("authorino-operator.v1.3.0", "rhcl-operator.v1.4.2", "their-operator.v7.0.0")
    assert approval.question(plan, "rhcl-operator", "People approve here.") == (
        "Approve InstallPlan kuadrant-system/install-x1? It installs rhcl-operator.v1.4.2. With it come, or are "
        "updated: authorino-operator.v1.3.0, their-operator.v7.0.0. People approve here."
    )
    alone = approval.question(_plan("rhcl-operator.v1.4.2"), "rhcl-operator", "Yes?")
    assert alone == "Approve InstallPlan kuadrant-system/install-x1? It installs rhcl-operator.v1.4.2. Yes?"


def test_a_package_whose_versions_have_another_name() -> None:
    plan = _plan("cert-manager-operator.v1.20.0")
    assert "It installs cert-manager-operator.v1.20.0." in approval.question(
        plan, "openshift-cert-manager-operator", ""
    )


def test_a_plan_of_others_only_says_so() -> None:
    assert "nothing of rhcl-operator" in approval.question(_plan("their-operator.v7.0.0"), "rhcl-operator", "")


def test_what_must_not_be_used_is_not_approved_whoever_agrees() -> None:
    refused = approval.refusal(_plan("authorino-operator.v1.3.0", "rhcl-operator.v1.4.0"))
    assert refused.startswith("InstallPlan kuadrant-system/install-x1 would install rhcl-operator.v1.4.0")
    assert "without authentication" in refused
    assert approval.refusal(_plan("rhcl-operator.v1.4.1", "their-operator.v1.4.0", "nfd.4.20.0-2")) == ""


def test_odd_plans() -> None:
    for plan in ({}, {"spec": {"clusterServiceVersionNames": [None, 7, ""]}}, _plan("")):
        assert approval.refusal(plan) == ""
        assert approval.question(plan, "rhcl-operator", "?")
