"""OpenShift AI and what comes with it on OpenShift: Service Mesh 2, Serverless, NFD, its own KServe.

Conditions and shapes: opendatahub-operator 2.35 and 3.5, maistra-2.5, serverless-operator, cluster-nfd-operator.
"""

from collections.abc import Sequence

from tests.kubernetes.clusters import operators
from tests.kubernetes.clusters.making import (
    Object,
    condition,
    container,
    deployment,
    labelled_namespace,
    made,
    namespace,
    pod_spec,
)
from tests.kubernetes.clusters.stack import gpu_operator, kserve

_MONITORED = {"openshift.io/cluster-monitoring": "true"}
_APPS = "redhat-ods-applications"


def openshift_ai(version: str, channel: str, on: str, *cluster: Object) -> list[Object]:
    """cluster: the DataScienceCluster and its like."""
    where = "redhat-ods-operator"
    spec = pod_spec(container("rhods-operator", f"registry.redhat.io/rhoai/rhods-operator:v{version}"))
    return [
        labelled_namespace(where, _MONITORED),
        operators.group("redhat-ods-operator", where),
        *operators.operator("rhods-operator", f"rhods-operator.{version}", where, channel=channel),
        *deployment("rhods-operator", where, spec, on, labels={"name": "rhods-operator"}),
        namespace(_APPS),
        *kserve(on, _APPS, "v0.15.0" if version.startswith("3") else "v0.12.1", "quay.io/opendatahub"),
        *cluster,
    ]


def data_science_cluster(api: str, version: str, kserve: Object) -> list[Object]:
    """api: "v1" or "v2". kserve: that component's spec."""
    good = ["Ready", "ComponentsReady", "ProvisioningSucceeded", "KserveReady", "ModelControllerReady"]
    conditions = [condition(type) for type in good]
    return [
        made(
            f"dscinitialization.opendatahub.io/{api}",
            "DSCInitialization",
            "default-dsci",
            spec={
                "applicationsNamespace": _APPS,
                "monitoring": {"managementState": "Managed", "namespace": "redhat-ods-monitoring"},
            }
            | ({"serviceMesh": _MESH} if api == "v1" else {}),
            status={"phase": "Ready", "conditions": [condition("Available"), condition("ReconcileComplete")]},
        ),
        made(
            f"datasciencecluster.opendatahub.io/{api}",
            "DataScienceCluster",
            "default-dsc",
            spec={"components": {"kserve": kserve, "dashboard": {"managementState": "Managed"}}},
            status={
                "phase": "Ready",
                "conditions": conditions,
                "release": {"name": "OpenShift AI Self-Managed", "version": version},
            },
        ),
    ]


_MESH = {
    "managementState": "Managed",
    "controlPlane": {"name": "data-science-smcp", "namespace": "istio-system", "metricsCollection": "Istio"},
    "auth": {"audiences": ["https://kubernetes.default.svc"]},
}


def service_mesh_2(on: str) -> list[Object]:
    where, version = "istio-system", "v2.6.11"
    spec = pod_spec(container("discovery", "registry.redhat.io/openshift-service-mesh/pilot-rhel8:2.6"))
    labels = {"app": "istiod", "maistra.io/owner": where, "app.kubernetes.io/managed-by": "maistra-istio-operator"}
    return [
        namespace(where),
        *operators.operator("servicemeshoperator", f"servicemeshoperator.{version}", operators.GLOBAL),
        made(
            "maistra.io/v2",
            "ServiceMeshControlPlane",
            "data-science-smcp",
            where,
            spec={"version": "v2.6", "tracing": {"type": "None"}, "security": {"dataPlane": {"mtls": True}}},
            status={
                "annotations": {"readyComponentCount": "6/6"},
                "conditions": [
                    condition("Installed", True, "InstallSuccessful"),
                    condition("Reconciled", True, "InstallSuccessful"),
                    condition("Ready", True, "ComponentsReady", "All component deployments are Available"),
                ],
                "observedGeneration": 1,
                "readiness": {"components": {"ready": ["istiod"], "unready": [], "pending": []}},
            },
        ),
        made(
            "maistra.io/v1",
            "ServiceMeshMemberRoll",
            "default",
            where,
            spec={"members": ["knative-serving"]},
            status={
                "annotations": {"configuredMemberCount": "1/1"},
                "members": ["knative-serving"],
                "configuredMembers": ["knative-serving"],
                "pendingMembers": [],
                "terminatingMembers": [],
                "observedGeneration": 1,
                "meshGeneration": 1,
                "conditions": [condition("Ready", True, "Configured")],
                "memberStatuses": [],
            },
        ),
        *deployment("istiod-data-science-smcp", where, spec, on, labels=labels),
    ]


def serverless(on: str, version: str = "1.36.1") -> list[Object]:
    where = "openshift-serverless"
    spec = pod_spec(container("controller", "registry.redhat.io/openshift-serverless-1/serving-controller-rhel8:1.36"))
    good = ("Ready", "InstallSucceeded", "DeploymentsAvailable", "DependenciesInstalled", "VersionMigrationEligible")
    return [
        namespace(where),
        operators.group("serverless-operators", where),
        *operators.operator("serverless-operator", f"serverless-operator.v{version}", where),
        namespace("knative-serving"),
        made(
            "operator.knative.dev/v1beta1",
            "KnativeServing",
            "knative-serving",
            "knative-serving",
            spec={},
            status={"conditions": [condition(type) for type in good], "version": "1.16", "observedGeneration": 1},
        ),
        *deployment("controller", "knative-serving", spec, on),
        *deployment("activator", "knative-serving", spec, on),
    ]


def cert_manager_operator(on: str) -> list[Object]:
    where = "cert-manager-operator"
    spec = pod_spec(container("manager", "registry.redhat.io/cert-manager/cert-manager-operator-rhel9:v1.20.0"))
    return [
        namespace(where),
        operators.group("cert-manager-operator", where, [where]),
        *operators.operator(
            "openshift-cert-manager-operator", "cert-manager-operator.v1.20.0", where, channel="stable-v1"
        ),
        *deployment("cert-manager-operator-controller-manager", where, spec, on),
    ]


def gpus(nodes: Sequence[str], on: str) -> list[Object]:
    """NFD and the GPU Operator from OperatorHub."""
    nfd, nvidia = "openshift-nfd", "nvidia-gpu-operator"
    spec = pod_spec(container("manager", "registry.redhat.io/openshift4/nfd-rhel9-operator:v4.20"))
    return [
        namespace(nfd),
        operators.group("openshift-nfd", nfd, [nfd]),
        *operators.operator("nfd", "nfd.4.20.0-202510100000", nfd),
        *deployment("nfd-controller-manager", nfd, spec, on),
        made(
            "nfd.openshift.io/v1",
            "NodeFeatureDiscovery",
            "nfd-instance",
            nfd,
            spec={"operand": {"servicePort": 12000}},
            status={
                "conditions": [condition("Available", True, "AllInstancesAreAvailable")]
                + [condition(type, False, "NotSo") for type in ("Upgradeable", "Progressing", "Degraded")]
            },
        ),
        *gpu_operator(nvidia, nodes, on),
        operators.group("nvidia-gpu-operator-group", nvidia, [nvidia]),
        *operators.operator(
            "gpu-operator-certified",
            "gpu-operator-certified.v26.7.0",
            nvidia,
            channel="v26.7",
            source="certified-operators",
        ),
    ]
