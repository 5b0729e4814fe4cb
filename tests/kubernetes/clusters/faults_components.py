"""Faults of the components of the stack."""

from tests.kubernetes.clusters.faults import (
    K8S,
    OPENSHIFT,
    Fault,
    both,
    condition_is,
    edited,
    fault,
    put,
    unavailable,
)

_READY = ("Ready", "False", "x")

COMPONENTS: list[Fault] = [
    fault(
        "cert-manager's webhook is down",
        K8S,
        edited("Deployment", "cert-manager-webhook", unavailable),
        finds="MAAS-221",
    ),
    fault("istiod is down", K8S, edited("Deployment", "istiod", unavailable), finds="MAAS-231"),
    fault(
        "nobody took the GatewayClass",
        K8S,
        edited("GatewayClass", "istio", condition_is("Accepted", "Unknown", "Pending", "Waiting for controller")),
        finds="MAAS-214",
    ),
    fault(
        "DSC is not ready",
        OPENSHIFT,
        edited(
            "DataScienceCluster",
            "",
            both(
                condition_is(*_READY), condition_is("KserveReady", "False", "x"), put("status", "phase", to="NotReady")
            ),
        ),
        finds="MAAS-252",
    ),
    fault(
        "KServe was removed",
        OPENSHIFT,
        edited("DataScienceCluster", "", put("spec", "components", "kserve", to={"managementState": "Removed"})),
        finds="MAAS-253",
    ),
    fault(
        "NFD is missing its labels",
        OPENSHIFT,
        edited("ClusterPolicy", "", condition_is("Ready", "True", "NFDLabelsMissing")),
        finds="MAAS-263 MAAS-410",
    ),
    fault(
        "the device plug-in does not run",
        OPENSHIFT,
        edited("DaemonSet", "nvidia-device-plugin", put("status", "numberReady", to=0)),
        finds="MAAS-264",
    ),
    fault(
        "Kuadrant lacks a dependency",
        K8S,
        edited(
            "Kuadrant",
            "",
            condition_is(
                "Ready",
                "False",
                "MissingDependency",
                "[Gateway API provider (istio / envoy gateway)] is not installed, please restart Kuadrant Operator pod "
                "once dependency has been installed",
            ),
        ),
        finds="MAAS-406 MAAS-272",
    ),
    fault(
        "Authorino is down",
        K8S,
        edited("Authorino", "", condition_is("Ready", "False", "DeploymentNotReady")),
        edited("Deployment", "authorino", unavailable),
        finds="MAAS-273",
        also="MAAS-271",
    ),
    fault(
        "Limitador is down",
        K8S,
        edited("Limitador", "", condition_is("Ready", "False", "LimitadorNotAvailable")),
        edited("Deployment", "limitador-limitador", unavailable),
        finds="MAAS-274 MAAS-407",
    ),
    fault("KServe's controller is down", K8S, edited("Deployment", "kserve-controller", unavailable), finds="MAAS-281"),
    fault(
        "RHCL 1.4.0",
        OPENSHIFT,
        edited("ClusterServiceVersion", "rhcl-operator", put("spec", "version", to="1.4.0")),
        finds="MAAS-275 MAAS-408",
    ),
]
