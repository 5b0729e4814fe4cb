"""OLM, and the catalog that it takes operators from.

From facts/cluster.md §1.10: Subscription → InstallPlan (RequiresApproval where approval is manual) → CSV → Deployments
and CRDs of the operator; exactly one OperatorGroup in the namespace. CRDs stay when an operator goes, as with the real
one. PackageManifests are an aggregated API there; here they are a CRD of that name, which is read alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from maas.cluster import kinds
from maas.cluster.components import kuadrant
from maas.cluster.objects import Object, flag, items, mapping, name, namespace, text
from tests.kubernetes.installation.brought import definitions, labelled
from tests.kubernetes.installation.playing import Deed, Make, Status, owned
from tests.kubernetes.installation.telling import is_ending, workload
from tests.kubernetes.installation.world import World, is_available

_V1 = "operators.coreos.com/v1alpha1"
_SINCE = "2026-09-20T06:00:00Z"


@dataclass(frozen=True)
class Offered:
    """deployments: the operator's, each with its image. brings: folders of ../shared/crds with its kinds.

    operands: Deployments by namespace that the operator makes by itself, without being asked.
    """

    channels: Mapping[str, str]
    default: str
    catalog: str
    deployments: Mapping[str, str]
    brings: tuple[str, ...] = ()
    operands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    all_namespaces: bool = True
    examples: str = "[]"


_CLUSTER_POLICY = (
    '[{"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "gpu-cluster-policy"}, "spec": '
    '{"operator": {"defaultRuntime": "crio"}, "daemonsets": {}, "driver": {"enabled": true}, "toolkit": '
    '{"enabled": true}, "devicePlugin": {"enabled": true}, "dcgm": {"enabled": true}, "dcgmExporter": '
    '{"enabled": true}, "gfd": {"enabled": true}, "nodeStatusExporter": {"enabled": true}}}]'
)
CATALOG: Mapping[str, Offered] = {
    "openshift-cert-manager-operator": Offered(
        {"stable-v1": "cert-manager-operator.v1.20.0"},
        "stable-v1",
        "redhat-operators",
        {"cert-manager-operator-controller-manager": "registry.redhat.io/cert-manager/operator:v1.20.0"},
        ("cert-manager", "cert-manager-operator-openshift"),
        {"cert-manager": ("cert-manager", "cert-manager-webhook", "cert-manager-cainjector")},
        all_namespaces=False,
    ),
    "rhcl-operator": Offered(
        {"stable": "rhcl-operator.v1.4.2"},
        "stable",
        "redhat-operators",
        {
            kuadrant.OPERATOR: "registry.redhat.io/rhcl-1/rhcl-rhel9-operator:v1.4.2",
            "authorino-operator": "registry.redhat.io/rhcl-1/authorino-rhel9-operator:v1.4.2",
            "limitador-operator-controller-manager": "registry.redhat.io/rhcl-1/limitador-rhel9-operator:v1.4.2",
            "dns-operator-controller-manager": "registry.redhat.io/rhcl-1/dns-rhel9-operator:v1.4.2",
        },
        ("kuadrant-operator", "authorino", "authorino-operator", "limitador-operator"),
    ),
    "rhods-operator": Offered(
        {
            "stable-3.x": "rhods-operator.3.2.0",
            "fast-3.x": "rhods-operator.3.3.0",
            "stable": "rhods-operator.2.25.0",
            "stable-2.25": "rhods-operator.2.25.0",
        },
        "fast-3.x",
        "redhat-operators",
        {"rhods-operator": "registry.redhat.io/rhoai/rhods-operator:v3.2.0"},
        ("opendatahub-3.5",),
    ),
    "servicemeshoperator3": Offered(
        {"stable": "servicemeshoperator3.v3.3.1", "stable-3.3": "servicemeshoperator3.v3.3.1"},
        "stable",
        "redhat-operators",
        {"servicemesh-operator3": "registry.redhat.io/openshift-service-mesh/istio-rhel9-operator:3.3.1"},
        ("sail-operator", "istio"),
    ),
    "serverless-operator": Offered(
        {"stable": "serverless-operator.v1.38.0"},
        "stable",
        "redhat-operators",
        {"knative-operator-webhook": "registry.redhat.io/openshift-serverless-1/knative-operator:1.38.0"},
        ("knative-operator",),
    ),
    "nfd": Offered(
        {"stable": "nfd.4.20.0-202510"},
        "stable",
        "redhat-operators",
        {"nfd-controller-manager": "registry.redhat.io/openshift4/nfd-operator:v4.20"},
        ("nfd-openshift",),
        all_namespaces=False,
    ),
    "gpu-operator-certified": Offered(
        {"v26.7": "gpu-operator-certified.v26.7.0", "stable": "gpu-operator-certified.v26.7.0"},
        "v26.7",
        "certified-operators",
        {"gpu-operator": "nvcr.io/nvidia/gpu-operator:v26.7.0"},
        ("nvidia-gpu-operator",),
        all_namespaces=False,
        examples=_CLUSTER_POLICY,
    ),
}


def package_manifests() -> list[Object]:
    """For a cluster that is made: what OperatorHub offers."""
    return [_manifest(package, offered) for package, offered in CATALOG.items()]


def _manifest(package: str, offered: Offered) -> Object:
    mode = "AllNamespaces" if offered.all_namespaces else "OwnNamespace"
    about = {
        "installModes": [
            {"type": each, "supported": each == mode}
            for each in ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")
        ],
        "annotations": {"alm-examples": offered.examples},
    }
    return {
        "apiVersion": "packages.operators.coreos.com/v1",
        "kind": "PackageManifest",
        "metadata": {"name": package, "namespace": "openshift-marketplace"},
        "status": {
            "packageName": package,
            "catalogSource": offered.catalog,
            "catalogSourceNamespace": "openshift-marketplace",
            "defaultChannel": offered.default,
            "channels": [
                {"name": channel, "currentCSV": csv, "currentCSVDesc": about | {"version": csv.partition(".")[2]}}
                for channel, csv in offered.channels.items()
            ],
        },
    }


def lifecycle_manager(world: World) -> Iterator[Deed]:
    if not world.serves(kinds.SUBSCRIPTION, kinds.CSV, kinds.INSTALL_PLAN, kinds.OPERATOR_GROUP):
        return
    for subscription in world.all(kinds.SUBSCRIPTION):
        if not is_ending(subscription):
            yield from _subscription(world, subscription)
    for csv in world.all(kinds.CSV):
        offered = _offered(name(csv))
        if offered is not None and not is_ending(csv):
            yield from _csv(world, csv, offered)
    for group in world.all(kinds.OPERATOR_GROUP):
        targets = group.get("spec", {}).get("targetNamespaces") or [""]
        yield Status(group, {"namespaces": targets, "lastUpdated": _SINCE})


def _offered(csv: str) -> Offered | None:
    return next((each for each in CATALOG.values() if csv in each.channels.values()), None)


def _subscription(world: World, subscription: Object) -> Iterator[Deed]:
    where, spec = namespace(subscription), mapping(subscription, "spec")
    offered = CATALOG.get(text(spec, "name"))
    csv = offered.channels.get(text(spec, "channel") or offered.default) if offered else None
    if offered is None or csv is None or text(spec, "source") != offered.catalog:
        message = f"no operators found in package {text(spec, 'name')} in the catalog referenced by the subscription"
        yield _stuck(subscription, "ResolutionFailed", "ConstraintsNotSatisfiable", message)
        return
    groups = [each for each in world.all(kinds.OPERATOR_GROUP) if namespace(each) == where]
    if len(groups) != 1:
        return  # nothing is resolved in such a namespace; the catalog operator only logs it
    plan = world.one(kinds.INSTALL_PLAN, f"install-{name(subscription)[:20]}", where)
    made = _install_plan(subscription, csv)
    if plan is None:
        yield Make(owned(made, subscription), "catalog")
        return
    approved = flag(plan, "spec", "approved")
    installed = world.one(kinds.CSV, csv, where)
    done = installed is not None and text(installed, "status", "phase") == "Succeeded"
    phase = "RequiresApproval" if not approved else "Complete" if done else "Installing"
    yield Status(plan, {"phase": phase, "catalogSources": [], "plan": []})
    if approved and text(subscription, "status", "installedCSV") != csv:
        yield Make(_csv_of(subscription, csv, offered), "catalog")
        package = text(spec, "name")
        yield from (
            Make(each, "catalog") for component in offered.brings for each in _definitions(component, package, where)
        )
    yield Status(subscription, _status(subscription, name(plan), csv, approved, done))


def _stuck(subscription: Object, type: str, reason: str, message: str) -> Deed:
    told = {"type": type, "status": "True", "reason": reason, "message": message, "lastTransitionTime": _SINCE}
    return Status(subscription, {"conditions": [told], "lastUpdated": _SINCE})


def _install_plan(subscription: Object, csv: str) -> Object:
    approval = text(subscription, "spec", "installPlanApproval") or "Automatic"
    called = f"install-{name(subscription)[:20]}"
    return {
        "apiVersion": _V1,
        "kind": "InstallPlan",
        "metadata": {"name": called, "namespace": namespace(subscription)},
        "spec": {
            "approval": approval,
            "approved": approval == "Automatic",
            "clusterServiceVersionNames": [csv],
        },
    }


def _status(subscription: Object, plan: str, csv: str, approved: bool, done: bool) -> Mapping[str, Any]:
    healthy = {
        "type": "CatalogSourcesUnhealthy",
        "status": "False",
        "reason": "AllCatalogSourcesHealthy",
        "message": "all available catalogsources are healthy",
        "lastTransitionTime": _SINCE,
    }
    pending = {
        "type": "InstallPlanPending",
        "status": "True",
        "reason": "RequiresApproval",
        "lastTransitionTime": _SINCE,
    }
    where = namespace(subscription)
    reference = {"apiVersion": _V1, "kind": "InstallPlan", "name": plan, "namespace": where}
    return {
        "state": "AtLatestKnown" if done else "UpgradePending",
        "currentCSV": csv,
        **({"installedCSV": csv} if approved else {}),
        "installPlanRef": reference,
        "installplan": {**{key: reference[key] for key in ("apiVersion", "kind", "name")}, "uuid": "x"},
        "conditions": [healthy] if approved else [healthy, pending],
        "lastUpdated": _SINCE,
    }


def _csv_of(subscription: Object, csv: str, offered: Offered) -> Object:
    package, where = text(subscription, "spec", "name"), namespace(subscription)
    version = csv.partition(".")[2].lstrip("v")
    modes = ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")
    wanted = "AllNamespaces" if offered.all_namespaces else "OwnNamespace"
    owned_kinds = [
        {"name": name(each), "kind": each["spec"]["names"]["kind"], "version": each["spec"]["versions"][0]["name"]}
        for component in offered.brings
        for each in definitions(component)
    ]
    return {
        "apiVersion": _V1,
        "kind": "ClusterServiceVersion",
        "metadata": {
            "name": csv,
            "namespace": where,
            "labels": {f"operators.coreos.com/{package}.{where}": ""},
            "annotations": {"alm-examples": offered.examples},
        },
        "spec": {
            "displayName": package,
            "version": version,
            "installModes": [{"type": each, "supported": each == wanted} for each in modes],
            "install": {"strategy": "deployment", "spec": {"deployments": []}},
            "customresourcedefinitions": {"owned": owned_kinds},
        },
    }


def _definitions(component: str, package: str, where: str) -> Iterator[Object]:
    for each in definitions(component):
        yield labelled(each, **{"olm.managed": "true", f"operators.coreos.com/{package}.{where}": ""})


def _csv(world: World, csv: Object, offered: Offered) -> Iterator[Deed]:
    """Its Deployments have the environment that the Subscription's config asks for."""
    where, up = namespace(csv), True
    env = items(_subscription_of(world, csv), "spec", "config", "env")
    for called, image in offered.deployments.items():
        made = workload(called, where, image, {"name": called, "olm.managed": "true", "olm.owner": name(csv)})
        made["spec"]["template"]["spec"]["containers"][0]["env"] = [dict(each) for each in env]
        yield Make(owned(made, csv), "olm")
        found = world.one(kinds.DEPLOYMENT, called, where)
        up = up and found is not None and is_available(found)
    phase, reason = ("Succeeded", "InstallSucceeded") if up else ("Installing", "InstallWaiting")
    yield Status(csv, {"phase": phase, "reason": reason, "lastUpdateTime": _SINCE, "lastTransitionTime": _SINCE})
    if up:
        yield from _operands(offered, csv)


def _subscription_of(world: World, csv: Object) -> Object:
    for each in world.all(kinds.SUBSCRIPTION):
        if namespace(each) == namespace(csv) and text(each, "status", "currentCSV") == name(csv):
            return each
    return {}


_INSTANCE = {"app.kubernetes.io/instance": "cert-manager"}


def _operands(offered: Offered, csv: Object) -> Iterator[Deed]:
    """cert-manager's operator makes them of a CertManager that it makes itself."""
    for where, deployments in offered.operands.items():
        owner = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}}
        yield Make(owner, "operator")
        for called in deployments:
            yield Make(
                workload(called, where, f"registry.redhat.io/x/{called}:v1", {"app": called, **_INSTANCE}), "operator"
            )


PLAYERS = (lifecycle_manager,)
