"""What tells that an operator, or what it brings up, is there, on its way, or never will be."""

from typing import Any

import pytest

from maas.cluster.components.rhoai_install import ready
from maas.cluster.objects import text
from maas.cluster.plan.conditions import installed, succeeded
from maas.cluster.plan.model import Stage
from tests.kubernetes.clusters import openshift_ai, operators
from tests.kubernetes.clusters.making import condition, made
from tests.kubernetes.openshift.shapes import bare, one, steps


def _subscription(*conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    spec = {"name": "rhcl-operator"}
    return made(
        "operators.coreos.com/v1alpha1",
        "Subscription",
        "rhcl-operator",
        "kuadrant-system",
        spec=spec,
        status={"conditions": list(conditions), **status},
    )


_UNSATISFIED = "no operators found in channel stable-9 of package rhcl-operator in the catalog redhat-operators"


@pytest.mark.parametrize(
    ("told", "stage", "words"),
    [
        (condition("ResolutionFailed", True, "ConstraintsNotSatisfiable", _UNSATISFIED), Stage.hopeless, _UNSATISFIED),
        (
            condition("ResolutionFailed", True, "ErrorPreventedResolution", "failed to list bundles"),
            Stage.waiting,
            "failed to list bundles",
        ),
        (condition("BundleUnpackFailed", True, "DeadlineExceeded", "no image"), Stage.hopeless, "no image"),
        (condition("InstallPlanFailed", True, "InstallComponentFailed", "denied"), Stage.hopeless, "denied"),
        (
            condition("CatalogSourcesUnhealthy", True, "UnhealthyCatalogSourceFound", "redhat-operators"),
            Stage.waiting,
            "CatalogSourcesUnhealthy is True: UnhealthyCatalogSourceFound: redhat-operators",
        ),
        (condition("CatalogSourcesUnhealthy", False, "AllCatalogSourcesHealthy"), Stage.waiting, "nothing for it yet"),
        (condition("InstallPlanPending", True, "RequiresApproval"), Stage.waiting, "approve"),
    ],
)
def test_a_subscription_that_is_not_installed(told: dict[str, Any], stage: Stage, words: str) -> None:
    """What a catalog's pod may get over is waited for; what no time mends ends the step at once, with OLM's words."""
    seen = installed(_subscription(told))
    assert seen.stage is stage and words in seen.why


def test_a_subscription_that_is_installed_is_done_whatever_waits_behind_it() -> None:
    """An update that waits for approval is no reason to wait."""
    pending = condition("InstallPlanPending", True, "RequiresApproval")
    held_back = _subscription(pending, state="UpgradePending", installedCSV="rhcl-operator.v1.3.2")
    assert installed(held_back).stage is Stage.done
    assert installed(None).stage is Stage.waiting


def test_a_version_that_failed_tells_why() -> None:
    csv = operators.cluster_service_version("rhcl-operator.v1.4.2", "kuadrant-system", phase="Failed")
    csv["status"] |= {"reason": "UnsupportedOperatorGroup", "message": "AllNamespaces InstallModeType not supported"}
    seen = succeeded(csv)
    assert seen.stage is Stage.hopeless
    assert "UnsupportedOperatorGroup: AllNamespaces InstallModeType not supported" in seen.why
    csv["status"] = {"phase": "Installing", "reason": "InstallWaiting", "message": "waiting for deployment"}
    assert succeeded(csv).stage is Stage.waiting and "waiting for deployment" in succeeded(csv).why


def test_openshift_ai_is_ready_or_says_which_of_its_parts_is_not() -> None:
    for each in openshift_ai.data_science_cluster("v2", "3.2.0", {"managementState": "Managed"}):
        assert ready(each).stage is Stage.done, text(each, "kind")
        message = "cert-manager Operator not installed"
        each["status"] = {
            "phase": "Not Ready",
            "conditions": [condition("Ready", False, "Error"), condition("KserveReady", False, "Missing", message)],
        }
        assert ready(each).stage is Stage.waiting
        assert ready(each).why == f"KserveReady: Missing: {message}"
    assert ready({"status": {"phase": "Progressing"}}).why == "its phase is Progressing"
    assert ready(None).stage is Stage.waiting


def test_gpus_are_waited_for_until_one_is_found() -> None:
    """A ClusterPolicy without any calls itself ready too."""
    found = steps(bare("4.20.4", "v1.33.5").facts(), gpu_operator=True)
    (wait,) = one(found, "cluster-policy").waits
    blind = [condition("Ready", True, "NoGPUNodes", "No GPU node found")]
    policy = made("nvidia.com/v1", "ClusterPolicy", "gpu-cluster-policy", status={"state": "ready"})
    policy["status"]["conditions"] = blind
    assert wait.until(policy).stage is Stage.waiting and "NoGPUNodes" in wait.until(policy).why
    policy["status"]["conditions"] = [condition("Ready", True, "Reconciled")]
    assert wait.until(policy).stage is Stage.done


def test_every_step_says_what_it_does_and_how_it_is_undone() -> None:
    for version in ("4.16.48", "4.20.4"):
        for step in steps(bare(version, "v1.33.5").facts(), gpu_operator=True):
            assert step.title and step.why and step.undo and step.waits, step.key
            assert all(wait.what for wait in step.waits)
