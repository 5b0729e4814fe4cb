"""A fixed set of findings over a fixed cluster, with everything that a report can show.

`python -m tests.kubernetes.reports.sample` writes the golden files anew. The checks are of this file, not of the
catalogue: reports must not change with them.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from maas.cluster import kinds
from maas.cluster.changes import Change, Verb, restart
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.readiness.catalogue import BEFORE, Asked, Check, Target
from maas.readiness.findings import (
    Category,
    Finding,
    Outcome,
    Remedy,
    Seen,
    Severity,
    Status,
    failed,
    passed,
    skipped,
    to_install,
    unknown,
    warning,
)
from maas.readiness.reports import Format, Look, render
from tests.kubernetes.offline import facts as facts_of

GOLDEN = Path(__file__).parent / "golden"
SUFFIX = {
    Format.table: "txt",
    Format.short: "txt",
    Format.json: "json",
    Format.junit: "xml",
    Format.markdown: "md",
    Format.html: "html",
}
ASKED = Asked(Target.openshift, gpu=True, models=frozenset({"simulator", "qwen3"}))
LOOK = Look(width=80)

_LABEL = "storageclass.kubernetes.io/is-default-class"


def cluster() -> Facts:
    config = {"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": {"name": "version"}}
    made = facts_of(
        {**config, "status": {"desired": {"version": "4.16.8"}}},
        *(_node(f"cpu-{number}") for number in range(12)),
        *(_node(f"gpu-{number}", gpus="1", product="Tesla-T4") for number in range(11)),
        _csv("openshift-operators", "servicemeshoperator.v2.6.11", "Succeeded"),
        _csv("redhat-ods-operator", "rhods-operator.2.16.1", "Installing"),
        _csv("llm", "servicemeshoperator.v2.6.11", "Succeeded", copied=True),
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "gp3-csi", "annotations": {_LABEL: "true"}},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        },
        serves=[kinds.SMCP],
        unread={kinds.SMMR: Unread(Cause.denied, "listing servicemeshmemberrolls was denied: it is forbidden")},
        version="v1.29.7",
    )
    return replace(made, unreadable={"namespaces/llm/broken.yaml": "line 3: mapping values are not allowed here"})


def _node(name: str, gpus: str = "", product: str = "") -> dict[str, object]:
    labels = {"nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": product} if gpus else {}
    capacity = {"cpu": "8", **({"nvidia.com/gpu": gpus} if gpus else {})}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"capacity": capacity}}


def _csv(namespace: str, name: str, phase: str, *, copied: bool = False) -> dict[str, object]:
    labels = {"olm.copiedFrom": "openshift-operators"} if copied else {}
    return {
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "ClusterServiceVersion",
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "status": {"phase": phase},
    }


_OFF = Change(
    Verb.apply,
    kinds.CONFIG_MAP,
    "inferenceservice-config",
    "kserve",
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "inferenceservice-config", "namespace": "kserve"}},
)
_POD = Remedy("Restart the operator once its dependencies are there.", changes=(restart(kinds.DEPLOYMENT, "ko", "k"),))
_OUTCOMES: tuple[tuple[str, Category, str, str, Severity, tuple[Outcome, ...]], ...] = (
    (
        "MAAS-101",
        Category.platform,
        "the cluster is new enough",
        "OpenShift 4.14 or Kubernetes 1.28, or newer",
        Severity.error,
        (passed("OpenShift 4.16.8, Kubernetes 1.29.7"),),
    ),
    (
        "MAAS-111",
        Category.access,
        "you may install",
        "every right that `maas install` uses",
        Severity.error,
        (unknown("listing selfsubjectaccessreviews was denied: it is forbidden"),),
    ),
    (
        "MAAS-131",
        Category.gpu,
        "GPUs are free",
        "as many free GPUs as models ask for",
        Severity.error,
        tuple(
            failed(
                f"its GPU is taken by Pod other/training-{number}",
                Seen(f"Node gpu-{number}", "status.allocatable[nvidia.com/gpu]", "1"),
                Seen(f"Pod other/training-{number}", "spec.containers[0].resources.requests", "1"),
                remedy=Remedy("Free a GPU, or add a node with one; `kubectl describe node NAME` shows who has them."),
                about=f"Node gpu-{number}",
            )
            for number in range(7)
        ),
    ),
    (
        "MAAS-141",
        Category.storage,
        "exactly one StorageClass is the default",
        "one StorageClass annotated as default",
        Severity.error,
        (passed("gp3-csi"),),
    ),
    (
        "MAAS-151",
        Category.network,
        "the wildcard domain resolves",
        "an address for a name under the ingress domain",
        Severity.warning,
        (warning("maas-check.apps.example.com has no address", Seen("DNS", value="NXDOMAIN")),),
    ),
    (
        "MAAS-221",
        Category.mesh,
        "the mesh is well",
        "a ServiceMeshControlPlane with Ready=True",
        Severity.error,
        (skipped("models run without Knative here, which needs no mesh"),),
    ),
    (
        "MAAS-231",
        Category.serverless,
        "Serverless is well",
        "KnativeServing with Ready=True",
        Severity.error,
        (skipped("models run without Knative here, which needs no mesh"),),
    ),
    (
        "MAAS-241",
        Category.rhoai,
        "OpenShift AI is well",
        "its operator at Succeeded and a DataScienceCluster with Ready=True",
        Severity.error,
        (
            failed(
                "its operator is still being installed, and KServe's configuration is not yet what models need: "
                "without it, InferenceServices wait for a Knative that is not there",
                Seen("ClusterServiceVersion redhat-ods-operator/rhods-operator.2.16.1", "status.phase", "Installing"),
                remedy=Remedy("Wait for the operator, then set KServe's mode.", ("oc get csv -A -w",), (_OFF,)),
            ),
        ),
    ),
    (
        "MAAS-261",
        Category.kuadrant,
        "Kuadrant is well",
        "Kuadrant with Ready=True",
        Severity.error,
        (to_install("there is no Kuadrant", step="kuadrant"),),
    ),
    (
        "MAAS-403",
        Category.known_issues,
        "Kuadrant's operator saw its dependencies",
        "no policy with reason MissingDependency",
        Severity.error,
        (
            failed(
                "it was started before Istio <was> there | and *said* \x1b[31mso\x1b[0m",
                remedy=_POD,
                about="Kuadrant k/kuadrant",
            ),
            passed("no sign of it", about="Kuadrant other/kuadrant"),
        ),
    ),
)
_COVERS = {
    "MAAS-101": "OpenShift cluster 4.14+ or Kubernetes 1.28+",
    "MAAS-111": "Cluster admin access",
    "MAAS-221": "Service Mesh operator installed (OpenShift)",
    "MAAS-231": "Serverless operator installed (OpenShift)",
    "MAAS-241": "RHOAI operator installed",
    "MAAS-261": "GPU operator installed (if using GPUs)",
    "MAAS-141": "Default storage class configured",
    "MAAS-151": "DNS wildcard domain available",
    "MAAS-131": "GPU nodes available (optional)",
}


def findings() -> tuple[Finding, ...]:
    return tuple(
        Finding(
            code,
            category,
            title,
            severity,
            wanted,
            outcome.status,
            outcome.message,
            outcome.seen,
            outcome.remedy,
            outcome.about,
            ("MAAS-131", "MAAS-241") if code == "MAAS-403" and outcome.status is Status.failed else (),
        )
        for code, category, title, wanted, severity, outcomes in _OUTCOMES
        for outcome in outcomes
    )


def checks() -> Iterable[Check]:
    for code, category, title, wanted, severity, _ in _OUTCOMES:
        covers = (_COVERS[code],) if code in _COVERS else ()
        yield Check(code, title, category, severity, BEFORE, wanted, "…", "…", "…", covers, (), lambda f, a: ())


def rendered(format: Format, look: Look = LOOK, some: Iterable[Finding] | None = None) -> str:
    reports = "maas.readiness.reports"
    with patch(f"{reports}.checklist.checks", checks), patch(f"{reports}.report.checks", checks):
        return render(format, findings() if some is None else tuple(some), cluster(), ASKED, look)


if __name__ == "__main__":
    for each in Format:
        (GOLDEN / f"{each}.{SUFFIX[each]}").write_text(rendered(each))
