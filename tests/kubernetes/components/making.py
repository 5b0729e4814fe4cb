"""Small objects of the stack, as clusters have them."""

from typing import Any

from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Finding, Status
from tests.kubernetes.offline import found as findings_of

BEFORE = Asked(Target.kubernetes, Phase.before)
AFTER = Asked(Target.kubernetes, Phase.after)
ON_OPENSHIFT = Asked(Target.openshift, Phase.before)
ON_OPENSHIFT_AFTER = Asked(Target.openshift, Phase.after)
WITH_GPU = Asked(Target.kubernetes, Phase.before, gpu=True)


def one(code: str, facts: Facts, asked: Asked = BEFORE) -> Finding:
    """The only finding of a check."""
    (finding,) = findings_of(code, facts, asked)
    return finding


def statuses(code: str, facts: Facts, asked: Asked = BEFORE) -> list[Status]:
    return [finding.status for finding in findings_of(code, facts, asked)]


def object_of(api: str, kind: str, name: str, namespace: str = "", /, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def condition(type: str, status: str = "True", reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": type, "status": status, "reason": reason, "message": message}


def conditions(*given: dict[str, str], **status: Any) -> dict[str, Any]:
    return {"conditions": list(given), **status}


def deployment(
    name: str,
    namespace: str,
    image: str = "",
    *,
    available: bool = True,
    replicas: int = 1,
    labels: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
    owners: tuple[str, ...] = (),
) -> dict[str, Any]:
    variables = [{"name": key, "value": value} for key, value in (env or {}).items()]
    container = {"name": "main", "image": image or f"example.com/{name}:v1.0.0", "env": variables}
    up = condition("Available", "True" if available else "False", "" if available else "MinimumReplicasUnavailable")
    return object_of(
        "apps/v1",
        "Deployment",
        name,
        namespace,
        metadata={"labels": labels or {}, "ownerReferences": [{"kind": kind, "name": "x"} for kind in owners]},
        spec={"replicas": replicas, "template": {"spec": {"containers": [container]}}},
        status=conditions(up, availableReplicas=replicas if available else 0),
    )


def crd(plural_and_group: str, *, labels: dict[str, str] | None = None, **annotations: str) -> dict[str, Any]:
    """annotations: bundle_version, channel, or whatever, with their Gateway API prefix."""
    prefix = "gateway.networking.k8s.io/"
    written = {prefix + key.replace("_", "-"): value for key, value in annotations.items()}
    return object_of(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        plural_and_group,
        metadata={"annotations": written, "labels": labels or {}},
    )


def openshift(version: str) -> dict[str, Any]:
    history = [{"state": "Completed", "version": version}]
    return object_of(
        "config.openshift.io/v1",
        "ClusterVersion",
        "version",
        status={"history": history, "desired": {"version": version}},
    )


def subscription(package: str, namespace: str, *, csv: str = "", state: str = "", **fields: Any) -> dict[str, Any]:
    spec = {"name": package, "source": fields.pop("source", "redhat-operators"), **fields.pop("spec", {})}
    given = fields.pop("conditions", [])
    status = {"state": state or ("AtLatestKnown" if csv else ""), "installedCSV": csv, "conditions": given}
    return object_of(
        "operators.coreos.com/v1alpha1", "Subscription", package, namespace, spec=spec, status=status, **fields
    )


def csv(name: str, namespace: str, phase: str = "Succeeded", **fields: Any) -> dict[str, Any]:
    status = {"phase": phase, **fields.pop("status", {})}
    return object_of("operators.coreos.com/v1alpha1", "ClusterServiceVersion", name, namespace, status=status, **fields)


def installed_operator(package: str, namespace: str, csv_name: str) -> list[dict[str, Any]]:
    """Subscription, CSV and OperatorGroup of one that is well."""
    return [subscription(package, namespace, csv=csv_name), csv(csv_name, namespace), operator_group(namespace)]


def operator_group(namespace: str, name: str = "group") -> dict[str, Any]:
    return object_of("operators.coreos.com/v1", "OperatorGroup", name, namespace, spec={})


def catalog(name: str = "redhat-operators", state: str = "READY") -> dict[str, Any]:
    status = {"connectionState": {"lastObservedState": state}}
    return object_of("operators.coreos.com/v1alpha1", "CatalogSource", name, "openshift-marketplace", status=status)


def install_plan(phase: str, *csvs: str, approved: bool = False, **status: Any) -> dict[str, Any]:
    spec = {"approved": approved, "clusterServiceVersionNames": list(csvs)}
    told = {"phase": phase, **status}
    return object_of("operators.coreos.com/v1alpha1", "InstallPlan", "install-x", "ns", spec=spec, status=told)
