"""What is behind a condition that does not come, by the kind of object, where its pods say nothing."""

import re
from collections.abc import Callable, Iterator, Mapping

from maas.cluster import kinds
from maas.cluster.applying import absent_kinds
from maas.cluster.applying.explained import NOTHING, Explained, within
from maas.cluster.objects import Object, condition, items, text
from maas.cluster.plan.model import Wait


def explained(wait: Wait, why: str, found: Object | None) -> Explained:
    """why: as it was seen last."""
    if why.startswith("the API server does not answer"):
        return Explained(
            "the connection to the API server was lost while we waited",
            ("See whether the cluster can be reached. What was begun is whole.",),
            ("kubectl get --raw '/readyz?verbose'",),
        )
    of_kind = _BY_KIND.get(wait.kind.name)
    made = of_kind(wait, why, found) if of_kind else NOTHING
    return made if made != NOTHING or found is not None else _absent(wait)


def _absent(wait: Wait) -> Explained:
    where = within(wait.namespace)
    return Explained(
        f"nobody has made {wait.kind.name} {wait.name}: its controller or operator does not run, or refuses to",
        ("See what its operator says.",),
        (f"kubectl get pods{where or ' -A'}", f"kubectl get events{where or ' -A'} --sort-by=.lastTimestamp | tail"),
    )


def _gateway(wait: Wait, why: str, gateway: Object | None) -> Explained:
    if gateway is None:
        return NOTHING
    called = text(gateway, "spec", "gatewayClassName")
    if told := "; ".join(_listeners(gateway)):
        return Explained(
            told,
            ("Mend what the listener names: its certificate's Secret, its port, its host.",),
            (f"kubectl get secrets{within(wait.namespace)}", _yaml(wait)),
        )
    if "AddressNotAssigned" in why:
        return Explained(
            "nothing gives its Service an address: the cluster has no load balancer, or it has no address left",
            ("Install one (MetalLB, a cloud's controller), or reach the gateway from within the cluster.",),
            (f"kubectl get service {wait.name}-{called}{within(wait.namespace)}",),
        )
    if not any(text(each, "status") == "True" for each in items(gateway, "status", "conditions")):
        return Explained(
            f"no controller looks after GatewayClass {called}: Istio does not run, or does not know the class",
            ("See whether the class is accepted and its controller runs.",),
            (f"kubectl get gatewayclass {called} -o yaml", "kubectl get deployments -A | grep istiod"),
        )
    return Explained(commands=(_yaml(wait),))


def _listeners(gateway: Object) -> Iterator[str]:
    for listener in items(gateway, "status", "listeners"):
        for type in ("ResolvedRefs", "Accepted", "Programmed"):
            found = condition(listener, type, "conditions")
            if text(found, "status") == "False" and text(found, "reason") not in ("Pending", "AddressNotAssigned"):
                said = ": ".join(filter(None, (text(found, "reason"), text(found, "message"))))
                yield f"listener {text(listener, 'name')}: {type} is False: {said}"
                break


def _crd(wait: Wait, why: str, found: Object | None) -> Explained:
    if found is None:
        return absent_kinds.of(wait.name)
    if "NamesAccepted is False" in why:
        return Explained(
            "another CRD on this cluster already has its names",
            ("Two versions of a component, or two components, do not go together: remove the one that is not needed.",),
            (f"kubectl get crd | grep {wait.name.partition('.')[0]}",),
        )
    return Explained(
        "the API server has not taken the CRD into service: it is overloaded, or its CRD controller does not run",
        ("See what the API server says of itself.",),
        (f"kubectl get crd {wait.name} -o yaml", "kubectl get --raw '/readyz?verbose'"),
    )


def _csv(wait: Wait, why: str, csv: Object | None) -> Explained:
    missing = [
        f"{text(each, 'kind')} {text(each, 'name')} ({text(each, 'status')})"
        for each in items(csv, "status", "requirementStatus")
        if text(each, "status") not in ("Present", "Created", "")
    ]
    if "TooManyOperatorGroups" in why or "UnsupportedOperatorGroup" in why:
        return Explained(
            f"namespace {wait.namespace} has no OperatorGroup that suits the operator, or more than one",
            ("Exactly one OperatorGroup may be there: delete the other one.",),
            (f"oc get operatorgroups -n {wait.namespace} -o yaml",),
        )
    cause = f"the operator lacks {', '.join(missing)}" if missing else "OLM could not start the operator"
    return Explained(
        cause,
        ("See what its Deployment and OLM say.",),
        (
            f"oc describe csv {wait.name} -n {wait.namespace}",
            f"oc get deployments,pods -n {wait.namespace}",
            "oc logs -n openshift-operator-lifecycle-manager deploy/olm-operator --tail=50",
        ),
    )


def _subscription(wait: Wait, why: str, found: Object | None) -> Explained:
    plan = text(found, "status", "installPlanRef", "name")
    if "approve" in why:
        patch = '\'{"spec":{"approved":true}}\''
        return Explained(
            f"the Subscription asks for manual approval, and InstallPlan {plan} was not approved",
            ("Approve it, or run the command again and agree when you are asked.",),
            (f"oc patch installplan {plan} -n {wait.namespace} --type=merge -p {patch}",),
        )
    if "ResolutionFailed" in why:
        return Explained(
            "OLM finds no way to install it: its catalog, its channel, or another Subscription of the namespace",
            ("One Subscription that cannot be resolved blocks all others of its namespace.",),
            (
                f"oc get subscriptions -n {wait.namespace}",
                "oc get catalogsources -n openshift-marketplace",
                f"oc get packagemanifest {text(found, 'spec', 'name') or wait.name}",
            ),
        )
    return Explained(
        "OLM has not got round to it: its catalog is not reachable, or its pods do not run",
        ("See whether the catalog is READY and OLM runs.",),
        (
            "oc get catalogsources -n openshift-marketplace",
            "oc get pods -n openshift-operator-lifecycle-manager",
            f"oc describe subscription.operators.coreos.com {wait.name} -n {wait.namespace}",
        ),
    )


def _install_plan(wait: Wait, why: str, found: Object | None) -> Explained:
    if "approve" not in why:
        return NOTHING
    patch = '\'{"spec":{"approved":true}}\''
    return Explained(
        "its Subscription asks for manual approval",
        ("Approve it, or run the command again and agree when you are asked.",),
        (f"oc patch installplan {wait.name} -n {wait.namespace} --type=merge -p {patch}",),
    )


def _cluster_policy(wait: Wait, why: str, policy: Object | None) -> Explained:
    told = [text(condition(policy or {}, each), "reason") for each in ("Ready", "Error")]
    if "NoGPUNodes" in told or "NFDLabelsMissing" in told:
        return Explained(
            "no node of the cluster is known to have an NVIDIA GPU",
            ("Add a node with a GPU; Node Feature Discovery has to have labelled it.",),
            ("kubectl get nodes -l feature.node.kubernetes.io/pci-10de.present=true",),
        )
    return Explained(
        "drivers and device plugin are not up on all nodes with a GPU",
        ("See which of its pods does not get ready; drivers take 10 to 20 minutes.",),
        ("kubectl get pods -A | grep -E 'nvidia|gpu-'", "maas doctor"),
    )


def _policy(wait: Wait, why: str, found: Object | None) -> Explained:
    if "MissingDependency" in why:
        return Explained(
            "Kuadrant's operator looks for Gateway API and Istio only when it starts, and has not seen them",
            ("Restart it.",),
            ("kubectl rollout restart deployment/kuadrant-operator-controller-manager -n kuadrant-system",),
        )
    if "not in the path to any existing routes" in why:
        return Explained(
            "no HTTPRoute is attached to the gateway: without one, no policy of it is enforced",
            ("See why the routes are not attached.",),
            (f"kubectl get httproutes{within(wait.namespace)} -o yaml",),
        )
    return NOTHING


def _certificate(wait: Wait, why: str, found: Object | None) -> Explained:
    return Explained(
        "cert-manager has not issued it",
        ("See what it says of the request, and whether the issuer is Ready.",),
        (
            f"kubectl describe certificates,certificaterequests{within(wait.namespace)}",
            "kubectl get issuers,clusterissuers -A",
        ),
    )


def _route(wait: Wait, why: str, found: Object | None) -> Explained:
    if re.search(r"BackendNotFound|RefNotPermitted", why):
        return Explained(
            "the Service that it sends requests to is not there, or is in a namespace that does not allow it",
            ("See whether the model's Service is there.",),
            (f"kubectl get services,referencegrants{within(wait.namespace)}",),
        )
    if "NotAllowedByListeners" in why or "NoMatchingListenerHostname" in why:
        return Explained(
            "no listener of the gateway takes the route: its namespace or its host does not fit",
            ("Compare the route's host with the listeners' hosts.",),
            (f"kubectl get gateways,httproutes{within(wait.namespace)} -o yaml",),
        )
    return NOTHING


def _claim(wait: Wait, why: str, claim: Object | None) -> Explained:
    wanted = text(claim, "spec", "storageClassName")
    return Explained(
        f"no volume of StorageClass {wanted} was made for it" if wanted else "no StorageClass is the default one",
        ("See which classes there are, and what their provisioner says. A class can be made the default:",),
        (
            f"kubectl describe pvc {wait.name}{within(wait.namespace)}",
            "kubectl get storageclass",
            "kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true",
        ),
    )


def _going(wait: Wait, why: str, found: Object | None) -> Explained:
    if "held by" not in why:
        return NOTHING
    return Explained(
        "whoever put the finalizer there has to take it away, and does not: its controller may be gone",
        ("See whether that controller runs.",),
        (_yaml(wait),),
    )


def _yaml(wait: Wait) -> str:
    return f"kubectl get {wait.kind.key} {wait.name}{within(wait.namespace)} -o yaml"


_BY_KIND: Mapping[str, Callable[[Wait, str, Object | None], Explained]] = {
    kinds.GATEWAY.name: _gateway,
    kinds.CRD.name: _crd,
    kinds.CSV.name: _csv,
    kinds.SUBSCRIPTION.name: _subscription,
    kinds.INSTALL_PLAN.name: _install_plan,
    kinds.CLUSTER_POLICY.name: _cluster_policy,
    kinds.KUADRANT.name: _policy,
    kinds.AUTH_POLICY.name: _policy,
    kinds.RATE_LIMIT_POLICY.name: _policy,
    kinds.TOKEN_RATE_LIMIT_POLICY.name: _policy,
    kinds.CERTIFICATE.name: _certificate,
    kinds.HTTP_ROUTE.name: _route,
    kinds.NAMESPACE.name: _going,
    "PersistentVolumeClaim": _claim,
}
