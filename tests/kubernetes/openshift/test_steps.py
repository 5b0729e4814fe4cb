"""Which steps OpenShift needs in each of its versions, in which order, and what each asks of OLM."""

from dataclasses import replace

import pytest

from maas.cluster import sites
from maas.cluster.components.steps import steps as steps_of
from maas.cluster.objects import annotation, mapping, name, namespace
from maas.cluster.plan.model import Apply, Approve
from maas.cluster.wanted import MANAGED_BY, PART_OF, Mesh, Serving, Target
from maas.domain.errors import Unavailable
from tests.kubernetes.clusters import operators, stack, typical
from tests.kubernetes.clusters.making import daemon_set, made
from tests.kubernetes.clusters.making import namespace as namespace_
from tests.kubernetes.openshift.shapes import bare, objects, offered, offering, one, steps, subscriptions, wanted

_BEFORE_4_19 = ("gateway-api", "service-mesh", "istio", "cert-manager", "kuadrant-operator", "kuadrant")
_SINCE_4_19 = ("gateway-class", "cert-manager", "kuadrant-operator", "kuadrant")
_AI = ("rhoai-operator", "rhoai")
_GPUS = ("nfd-operator", "nfd", "gpu-operator", "cluster-policy")


@pytest.mark.parametrize(
    ("version", "kubernetes", "keys"),
    [
        ("4.12.88", "v1.25.16", (*_BEFORE_4_19, *_AI)),
        ("4.16.48", "v1.29.14", (*_BEFORE_4_19, *_AI)),
        ("4.18.20", "v1.31.9", (*_BEFORE_4_19, *_AI)),
        ("4.19.3", "v1.32.5", (*_SINCE_4_19, *_AI)),
        ("4.20.4", "v1.33.5", (*_SINCE_4_19, *_AI)),
        ("4.21.1", "v1.34.2", (*_SINCE_4_19, *_AI)),
        ("4.22.0", "v1.35.0", (*_SINCE_4_19, *_AI)),
    ],
)
def test_a_bare_openshift(version: str, kubernetes: str, keys: tuple[str, ...]) -> None:
    facts = bare(version, kubernetes).facts()
    assert tuple(step.key for step in steps(facts)) == keys
    assert tuple(step.key for step in steps(facts, gpu_operator=True)) == (*keys, *_GPUS)


@pytest.mark.parametrize(("version", "major"), [("4.18.20", 2), ("4.19.8", 2), ("4.19.9", 3), ("4.20.4", 3)])
def test_openshift_ai_is_of_the_major_version_that_openshift_carries(version: str, major: int) -> None:
    found = steps(bare(version, "v1.32.5", probes=offering()).facts())
    chosen = {2: ("stable", "rhods-operator.2.25.0"), 3: ("fast-3.x", "rhods-operator.3.3.0")}[major]
    spec = subscriptions(found)["rhods-operator"]
    assert (spec["channel"], spec["startingCSV"]) == chosen
    (cluster,), (setup,) = objects(found, "DataScienceCluster"), objects(found, "DSCInitialization")
    kserve = cluster["spec"]["components"]["kserve"]
    assert kserve["managementState"] == "Managed" and kserve["rawDeploymentServiceConfig"] == "Headed"
    if major == 2:
        assert cluster["apiVersion"].endswith("/v1") and setup["apiVersion"].endswith("/v1")
        assert kserve["defaultDeploymentMode"] == "RawDeployment"
        assert kserve["serving"] == {"managementState": "Removed"}
        assert setup["spec"]["serviceMesh"] == {"managementState": "Removed"}
    else:
        assert cluster["apiVersion"].endswith("/v2") and setup["apiVersion"].endswith("/v2")
        assert "serving" not in kserve and "serviceMesh" not in setup["spec"]


def test_the_operator_of_openshift_ai_makes_no_setup_of_its_own() -> None:
    """It would ask for Service Mesh 2 on 2.x, and own the field that we write."""
    spec = subscriptions(steps(bare("4.16.48", "v1.29.14").facts()))["rhods-operator"]
    assert spec["config"]["env"] == [{"name": "DISABLE_DSC_CONFIG", "value": "true"}]


def test_the_platform_4_16_with_openshift_ai_2_by_others() -> None:
    """Its KServe, Serverless and GPU Operator are left alone; its mesh learns of Gateway API; the rest is missing."""
    found = steps(typical.openshift_4_16().facts(), gpu_operator=True)
    keys = ["gateway-api", "service-mesh-2", "mesh-member", "cert-manager", "kuadrant-operator", "kuadrant"]
    assert [step.key for step in found] == keys
    control_plane = one(found, "service-mesh-2").actions[0]
    assert isinstance(control_plane, Apply) and control_plane.adopt, "only this one field of it is ours"
    assert (namespace(control_plane.object), name(control_plane.object)) == ("istio-system", "data-science-smcp")
    assert control_plane.object["spec"] == {"techPreview": {"gatewayAPI": {"enabled": True}}}
    (member,) = objects(found, "ServiceMeshMember")
    assert (namespace(member), name(member)) == ("llm", "default")
    reference = {"name": "data-science-smcp", "namespace": "istio-system"}
    assert member["spec"] == {"controlPlaneRef": reference}


def test_service_mesh_2_without_a_control_plane_stops_the_plan() -> None:
    operator = operators.operator("servicemeshoperator", "servicemeshoperator.v2.6.11", "openshift-operators")
    with pytest.raises(Unavailable, match="has no ServiceMeshControlPlane: delete its Subscription"):
        steps(bare("4.16.48", "v1.29.14", *operator).facts())


def test_nothing_is_done_where_others_did_everything() -> None:
    assert steps(typical.openshift_4_20().facts(), gpu_operator=True) == []


def test_serverless_only_where_openshift_ai_2_needs_it() -> None:
    def without(scenario_objects: list[dict[str, object]]) -> list[dict[str, object]]:
        return [each for each in scenario_objects if not _of_serverless(each)]

    lacking = typical.openshift_4_16().changed(without)  # type: ignore[arg-type]
    assert "serverless" in [step.key for step in steps(lacking.facts())]
    assert "serverless" not in [step.key for step in steps(bare("4.16.48", "v1.29.14").facts())]


def _of_serverless(each: dict[str, object]) -> bool:
    return namespace(each) in ("openshift-serverless", "knative-serving")


def test_gateway_api_is_never_written_where_it_is_the_platforms() -> None:
    found = steps(bare("4.19.3", "v1.32.5").facts(), gpu_operator=True)
    written = {each["kind"] for each in objects(found)}
    assert "CustomResourceDefinition" not in written and "gateway-api" not in [step.key for step in found]
    assert one(found, "gateway-class").actions[0].object["spec"] == {  # type: ignore[union-attr]
        "controllerName": "openshift.io/gateway-controller/v1"
    }
    assert not any(name(each).startswith("servicemesh") for each in objects(found, "Subscription"))


def test_the_policies_of_connectivity_link_know_the_built_in_gateway() -> None:
    """By itself its operator takes only the upstream controller for Istio's."""
    built_in = subscriptions(steps(bare("4.20.4", "v1.33.5").facts()))["rhcl-operator"]
    value = "istio.io/gateway-controller,openshift.io/gateway-controller/v1"
    named = {"name": "ISTIO_GATEWAY_CONTROLLER_NAMES", "value": value}
    older = subscriptions(steps(bare("4.16.48", "v1.29.14").facts()))["rhcl-operator"]
    assert named in built_in["config"]["env"] and named not in older["config"]["env"]


@pytest.mark.parametrize("version", ["4.16.48", "4.20.4"])
def test_limits_fail_closed(version: str) -> None:
    """Not so reports: they come after the answer."""
    env = subscriptions(steps(bare(version, "v1.33.5").facts()))["rhcl-operator"]["config"]["env"]
    modes = {each["name"]: each["value"] for each in env if "FAILURE_MODE" in each["name"]}
    assert modes == {"RATELIMIT_SERVICE_FAILURE_MODE": "deny", "RATELIMIT_CHECK_SERVICE_FAILURE_MODE": "deny"}


def test_no_sidecars_where_the_policy_services_are() -> None:
    """Known issue 4."""
    (space,) = objects([one(steps(bare("4.16.48", "v1.29.14").facts()), "kuadrant-operator")], "Namespace")
    assert mapping(space, "metadata", "labels")["istio-injection"] == "disabled"


def test_node_feature_discovery_by_others_means_is_enough() -> None:
    theirs = daemon_set("nfd-worker", "gpu-operator", stack.privileged("w", "example.com/nfd:v1"), ["worker-0"])
    found = steps(bare("4.20.4", "v1.33.5", namespace_("gpu-operator"), *theirs).facts(), gpu_operator=True)
    assert {"nfd", "nfd-operator"}.isdisjoint(step.key for step in found)


def test_each_step_comes_after_those_that_it_needs() -> None:
    for version in ("4.16.48", "4.20.4"):
        done: set[str] = set()
        found = steps(bare(version, "v1.33.5").facts(), gpu_operator=True)
        keys = {step.key for step in found}
        for step in found:
            assert keys & set(step.needs) <= done, step.key
            done.add(step.key)


def test_kuadrants_operator_starts_after_what_it_looks_for() -> None:
    needs = one(steps(bare("4.16.48", "v1.29.14").facts()), "kuadrant-operator").needs
    assert {"gateway-api", "gateway-class", "istio", "cert-manager"} <= set(needs)


def test_everything_says_whose_it_is_and_nothing_claims_that_we_made_it() -> None:
    """Only whoever applies it knows whether it was there before."""
    for each in objects(steps(bare("4.16.48", "v1.29.14").facts(), gpu_operator=True)):
        labels = mapping(each, "metadata", "labels")
        assert labels[PART_OF] == "maas" and MANAGED_BY not in labels
        assert not annotation(each, "maas.io/applied") and "status" not in each


def test_an_operator_has_a_namespace_a_group_and_a_subscription_and_is_waited_for() -> None:
    step = one(steps(bare("4.20.4", "v1.33.5", probes=offering()).facts()), "cert-manager")
    space, group, subscription = objects([step])
    assert (space["kind"], name(space)) == ("Namespace", "cert-manager-operator")
    assert group["spec"] == {"targetNamespaces": ["cert-manager-operator"]}
    assert subscription["spec"] == {
        "name": "openshift-cert-manager-operator",
        "channel": "stable-v1",
        "source": "redhat-operators",
        "sourceNamespace": "openshift-marketplace",
        "installPlanApproval": "Automatic",
        "startingCSV": "cert-manager-operator.v1.20.0",
    }
    assert [(wait.kind.name, wait.name, wait.namespace) for wait in step.waits] == [
        ("Subscription", "openshift-cert-manager-operator", "cert-manager-operator"),
        ("ClusterServiceVersion", "cert-manager-operator.v1.20.0", "cert-manager-operator"),
        ("CustomResourceDefinition", "certificates.cert-manager.io", ""),
        ("Deployment", "cert-manager", "cert-manager"),
        ("Deployment", "cert-manager-webhook", "cert-manager"),
        ("Deployment", "cert-manager-cainjector", "cert-manager"),
        ("Issuer", "maas-probe", "cert-manager"),
    ]


def test_all_that_an_operator_brings_is_waited_for_as_long_as_the_operator() -> None:
    """All waits of a step begin together, and the images of the first may take minutes."""
    for each in steps(bare("4.16.48", "v1.29.14").facts(), gpu_operator=True):
        if any(wait.kind.name == "Subscription" for wait in each.waits):
            assert {wait.patience for wait in each.waits} == {1200.0}, each.key


def test_openshift_operators_has_its_group_already() -> None:
    step = one(steps(bare("4.16.48", "v1.29.14").facts()), "service-mesh")
    assert [each["kind"] for each in objects([step])] == ["Subscription"]


def test_a_group_that_is_there_is_used_whoever_made_it() -> None:
    """A second one would make every operator of the namespace fail."""
    theirs = operators.group("of-somebody", "kuadrant-system")
    found = steps(bare("4.20.4", "v1.33.5", theirs).facts())
    assert not any(namespace(each) == "kuadrant-system" for each in objects(found, "OperatorGroup"))
    ours = operators.group("rhcl-operator", "kuadrant-system")
    (kept,) = [
        each
        for each in objects(steps(bare("4.20.4", "v1.33.5", ours).facts()), "OperatorGroup")
        if namespace(each) == "kuadrant-system"
    ]
    assert name(kept) == "rhcl-operator"


def test_people_who_approve_in_a_namespace_approve_ours_too() -> None:
    """One Subscription with manual approval makes all InstallPlans of its namespace wait."""
    spec = {"name": "other", "channel": "x", "source": "y", "sourceNamespace": "z", "installPlanApproval": "Manual"}
    beside = made("operators.coreos.com/v1alpha1", "Subscription", "other", "openshift-operators", spec=spec)
    found = steps(bare("4.16.48", "v1.29.14", beside, probes=offering()).facts())
    mesh = one(found, "service-mesh")
    assert subscriptions(found)["servicemeshoperator3"]["installPlanApproval"] == "Manual"
    assert isinstance(mesh.actions[-1], Approve)
    assert subscriptions(found)["rhcl-operator"]["installPlanApproval"] == "Automatic"
    assert not any(isinstance(each, Approve) for each in one(found, "kuadrant-operator").actions)


def test_a_subscription_of_ours_stays_as_it_was_made() -> None:
    """A catalog has moved on, OLM has updated the operator: neither is a reason to write."""
    first = bare("4.20.4", "v1.33.5", probes=offering())
    wrote = objects([one(steps(first.facts()), "kuadrant-operator")])
    subscription = {**wrote[-1], "status": {"installedCSV": "rhcl-operator.v1.5.0"}}
    labels = mapping(subscription, "metadata", "labels") | {MANAGED_BY: "maas"}  # type: ignore[operator]
    subscription["metadata"] = {**mapping(subscription, "metadata"), "labels": labels}
    newer = offering(rhcl_operator=[offered("rhcl-operator", {"fast": "1.6.0"})])
    again = one(steps(bare("4.20.4", "v1.33.5", subscription, wrote[1], probes=newer).facts()), "kuadrant-operator")
    assert objects([again]) == wrote
    assert [wait.name for wait in again.waits if wait.kind.name == "ClusterServiceVersion"] == ["rhcl-operator.v1.5.0"]


def test_gpus_get_what_the_operators_own_examples_say() -> None:
    gpu = offering(gpu_operator_certified=[offered("gpu-operator-certified", {"v26.7": "26.7.0"})])
    example = {"driver": {"enabled": True, "upgradePolicy": {"autoUpgrade": True}}, "vgpuManager": {"enabled": False}}
    gpu["packages"]["gpu-operator-certified"][0]["channels"][0]["example"] = example
    (policy,) = objects(steps(bare("4.20.4", "v1.33.5", probes=gpu).facts(), gpu_operator=True), "ClusterPolicy")
    assert policy["spec"]["operator"] == {"defaultRuntime": "crio"}, "what it lacks and the API server asks for"
    assert policy["spec"]["dcgmExporter"] == {"enabled": True, "serviceMonitor": {"enabled": True}}
    assert policy["spec"] | example == policy["spec"]
    image = {"operand": {"image": "registry.redhat.io/nfd:v4.20", "servicePort": 12000}}
    nfd = offering(nfd=[offered("nfd", {"stable": "4.20.0"})])
    nfd["packages"]["nfd"][0]["channels"][0]["example"] = image
    found = steps(bare("4.20.4", "v1.33.5", probes=nfd).facts(), gpu_operator=True)
    (discovery,) = objects(found, "NodeFeatureDiscovery")
    assert discovery["spec"]["operand"] == image["operand"]
    assert "0200" not in discovery["spec"]["workerConfig"]["configData"]
    assert "deviceLabelFields: [vendor]" in discovery["spec"]["workerConfig"]["configData"]


@pytest.mark.parametrize(("rosa", "monitored"), [(False, "true"), (True, "false")])
def test_the_gpu_operators_namespace_is_made_with_its_label(rosa: bool, monitored: str) -> None:
    """Known issue 1: without any, the operator sets it itself, which managed clusters deny; then it does nothing."""
    found = steps(bare("4.20.4", "v1.33.5", rosa=rosa).facts(), gpu_operator=True)
    spaces = {name(each): mapping(each, "metadata", "labels") for each in objects(found, "Namespace")}
    assert spaces["nvidia-gpu-operator"]["openshift.io/cluster-monitoring"] == monitored
    assert ("openshift.io/cluster-monitoring" in spaces["redhat-ods-operator"]) is not rosa
    (policy,) = objects(found, "ClusterPolicy")
    assert policy["spec"]["dcgmExporter"]["serviceMonitor"] == {"enabled": not rosa}


def test_without_a_cluster_the_usual_channels_are_taken() -> None:
    site = sites.assumed(Target.openshift)
    found = steps_of(wanted(site, gpu_operator=True))
    assert tuple(step.key for step in found) == (*_SINCE_4_19, *_AI, *_GPUS)
    assert {each: spec["channel"] for each, spec in subscriptions(found).items()} == {
        "openshift-cert-manager-operator": "stable-v1",
        "rhcl-operator": "stable",
        "rhods-operator": "stable-3.x",
        "nfd": "stable",
        "gpu-operator-certified": "v26.7",
    }
    assert not any("startingCSV" in spec for spec in subscriptions(found).values())
    waits = {wait.name for step in found for wait in step.waits if wait.kind.name == "Deployment"}
    assert {"rhods-operator", "kuadrant-operator-controller-manager", "gpu-operator"} <= waits


def test_open_data_hub_that_is_there_is_asked_for_its_own_cluster() -> None:
    site = replace(
        sites.assumed(Target.openshift),
        serving=Serving.odh,
        mesh=Mesh.built_in,
        versions={"rhoai": "2.35.0"},
        theirs=frozenset({"rhoai-operator"}),
    )
    site = replace(site, operators={key: each for key, each in site.operators.items() if key != "rhods-operator"})
    found = steps_of(wanted(site))
    (cluster,), (setup,) = objects(found, "DataScienceCluster"), objects(found, "DSCInitialization")
    assert cluster["apiVersion"].endswith("/v1") and setup["spec"]["applicationsNamespace"] == "opendatahub"
