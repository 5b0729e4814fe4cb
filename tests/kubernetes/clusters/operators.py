"""Operators as OLM installs them: Subscription, InstallPlan, ClusterServiceVersion and OperatorGroup.

States, phases and labels: operator-framework/api v0.45.0, pkg/operators/v1alpha1/*_types.go.
"""

from collections.abc import Sequence
from typing import Any

from tests.kubernetes.clusters.making import SINCE, Object, made

_V1ALPHA1 = "operators.coreos.com/v1alpha1"
GLOBAL = "openshift-operators"
_MODES = ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")


def operator(
    package: str,
    csv: str,
    namespace: str,
    *,
    channel: str = "stable",
    source: str = "redhat-operators",
    config: Object | None = None,
    annotations: dict[str, str] | None = None,
) -> list[Object]:
    """Installed and at the newest. csv: its name, such as "rhods-operator.3.2.0"."""
    plan = f"install-{package[:4]}1"
    spec: Object = {
        "name": package,
        "channel": channel,
        "source": source,
        "sourceNamespace": "openshift-marketplace",
        "installPlanApproval": "Automatic",
    }
    status = {
        "state": "AtLatestKnown",
        "currentCSV": csv,
        "installedCSV": csv,
        "installPlanGeneration": 1,
        "lastUpdated": SINCE,
        "installPlanRef": {"apiVersion": _V1ALPHA1, "kind": "InstallPlan", "name": plan, "namespace": namespace},
        "conditions": [_healthy_catalogs()],
    }
    return [
        made(
            _V1ALPHA1,
            "Subscription",
            package,
            namespace,
            annotations=annotations,
            spec=spec | ({"config": config} if config else {}),
            status=status,
        ),
        install_plan(plan, namespace, csv),
        cluster_service_version(csv, namespace),
    ]


def _healthy_catalogs() -> Object:
    return {
        "type": "CatalogSourcesUnhealthy",
        "status": "False",
        "reason": "AllCatalogSourcesHealthy",
        "message": "all available catalogsources are healthy",
        "lastTransitionTime": SINCE,
    }


def install_plan(name: str, namespace: str, csv: str, phase: str = "Complete") -> Object:
    return made(
        _V1ALPHA1,
        "InstallPlan",
        name,
        namespace,
        spec={"approval": "Automatic", "approved": phase == "Complete", "clusterServiceVersionNames": [csv]},
        status={"phase": phase, "catalogSources": [], "plan": []},
    )


def cluster_service_version(csv: str, namespace: str, *, copied_from: str = "", phase: str = "Succeeded") -> Object:
    name, _, version = csv.partition(".")
    reason = "Copied" if copied_from else "InstallSucceeded"
    return made(
        _V1ALPHA1,
        "ClusterServiceVersion",
        csv,
        namespace,
        labels={"olm.copiedFrom": copied_from} if copied_from else None,
        spec={
            "displayName": name,
            "version": version.lstrip("v"),
            "installModes": [{"type": mode, "supported": mode == "AllNamespaces"} for mode in _MODES],
            "install": {"strategy": "deployment", "spec": {"deployments": []}},
        },
        status={"phase": phase, "reason": reason, "message": "install strategy completed with no errors"},
    )


def group(name: str, namespace: str, targets: Sequence[str] = ()) -> Object:
    """For all namespaces unless targets are named."""
    spec = {"targetNamespaces": list(targets)} if targets else {}
    status: dict[str, Any] = {"lastUpdated": SINCE, "namespaces": list(targets) or [""]}
    return made("operators.coreos.com/v1", "OperatorGroup", name, namespace, spec=spec, status=status)


def catalog(name: str) -> Object:
    return made(
        _V1ALPHA1,
        "CatalogSource",
        name,
        "openshift-marketplace",
        spec={"sourceType": "grpc", "image": f"registry.redhat.io/redhat/{name}-index:v4", "displayName": name},
        status={
            "connectionState": {"lastObservedState": "READY", "address": f"{name}.openshift-marketplace.svc:50051"}
        },
    )
