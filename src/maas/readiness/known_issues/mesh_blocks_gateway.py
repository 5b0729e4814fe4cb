"""A Service Mesh that a user installed keeps OpenShift's own Gateway API from starting.

OpenShift 4.19 to 4.21 install their Istio through OLM, where it collides with a Subscription that is there already.
From 4.21.22 and 4.22 on it is built in, and nothing collides.
"""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.components.service_mesh import PLATFORM_ISTIO
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import (
    CLUSTER_OPERATOR,
    CLUSTER_VERSION,
    CSV,
    GATEWAY_CLASS,
    ISTIO,
    SMCP,
    SUBSCRIPTION,
)
from maas.cluster.objects import Object, at, condition, mapping, name, namespace, text
from maas.cluster.shell import word
from maas.readiness.catalogue import BOTH, Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, quoted, version

_CONTROLLER = "openshift.io/gateway-controller/v1"
_TWO, _THREE = _MESHES = ("servicemeshoperator", "servicemeshoperator3")
_OWNED = "ingress.operator.openshift.io/owned"  # the ingress operator's own Subscription has this annotation
_CONFLICTS = ("GatewayAPIInstallConflict", "GatewayAPIOSSMConflict")


@known_issue(
    "MAAS-409",
    "no other Service Mesh keeps OpenShift's Gateway API from starting",
    sign="OpenShift 4.19 to 4.21 with a user's Subscription of servicemeshoperator or servicemeshoperator3; "
    'GatewayClass Accepted Unknown, "Waiting for controller"; ClusterOperator ingress with GatewayAPIInstallConflict.',
    cause="OpenShift's Gateway API brings its own Service Mesh through OLM. A Subscription that is there already "
    "blocks it, so no GatewayClass is accepted and no gateway is made.",
    mend="Remove the Subscription and its ClusterServiceVersion where nothing uses that mesh; where something does, "
    "decide: use that mesh's Istio as the gateway's, or update to 4.21.22, 4.22 or newer.",
    needs=(CLUSTER_VERSION, SUBSCRIPTION),
    phases=BOTH,
    explains=(
        "MAAS-213",
        "MAAS-214",
        "MAAS-235",
    ),
)
def conflict(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = next(
        (v for each in facts.all(CLUSTER_VERSION) if (v := version(text(each, "status", "desired", "version")))), None
    )
    theirs = [each for each in facts.all(SUBSCRIPTION) if _is_foreign(each)]
    if not theirs or not found or not (4, 19, 0) <= found < (4, 21, 22):
        return
    classes = [each for each in facts.all(GATEWAY_CLASS) if text(each, "spec", "controllerName") == _CONTROLLER]
    waiting = [each for each in classes if text(condition(each, "Accepted"), "status") != "True"]
    reported = list(_reported(facts))
    subscriptions = [Seen(called(SUBSCRIPTION, each), "spec.name", text(each, "spec", "name")) for each in theirs]
    seen = (*few(subscriptions), *map(_class, waiting), *reported)
    if waiting or reported:
        message = "a Service Mesh that was installed before keeps OpenShift's Gateway API from starting"
        yield failed(message, *seen, remedy=_remedy(facts, theirs))
    elif not classes:
        message = "a Service Mesh is installed; OpenShift's own Gateway API will not start beside it"
        yield warning(message, *seen, remedy=_remedy(facts, theirs))


def _is_foreign(subscription: Object) -> bool:
    owned = _OWNED in mapping(subscription, "metadata", "annotations")
    return text(subscription, "spec", "name") in _MESHES and not owned


def _class(each: Object) -> Seen:
    accepted = condition(each, "Accepted")
    value = f"{text(accepted, 'status') or 'absent'}: {quoted(text(accepted, 'message'))}"
    return Seen(called(GATEWAY_CLASS, each), "status.conditions[Accepted]", value)


def _reported(facts: Facts) -> Iterator[Seen]:
    for each in facts.all(CLUSTER_OPERATOR):
        degraded = condition(each, "Degraded")
        if name(each) == "ingress" and any(reason in text(degraded, "reason") for reason in _CONFLICTS):
            value = f"{text(degraded, 'reason')}: {quoted(text(degraded, 'message'))}"
            yield Seen(called(CLUSTER_OPERATOR, each), "status.conditions[Degraded]", value)


def _users(facts: Facts, packages: set[str]) -> list[Object]:
    """What runs by these operators: control planes of version 2, Istios of version 3 but the ingress operator's own."""
    two = facts.all(SMCP) if _TWO in packages else ()
    three = facts.all(ISTIO) if _THREE in packages else ()
    return [*two, *(each for each in three if name(each) != PLATFORM_ISTIO)]


def _remedy(facts: Facts, theirs: list[Object]) -> Remedy:
    in_use = _users(facts, {text(each, "spec", "name") for each in theirs})
    if in_use:
        used = ", ".join(f"{at(each, 'kind') or 'mesh'} {name(each)}" for each in in_use[:3])
        return Remedy(
            f"The mesh is in use ({used}), so this is yours to decide: move what uses it and remove its Subscription, "
            "let `maas install` use its Istio as the gateway's, or update OpenShift to 4.21.22, 4.22 or newer.",
            tuple(f"oc get {SUBSCRIPTION.key}/{word(name(s))} -n {word(namespace(s))} -o yaml" for s in theirs),
        )
    why = "nothing uses this mesh"
    changes = [Change(Verb.delete, SUBSCRIPTION, name(each), namespace(each), why=why) for each in theirs]
    installed = {text(each, "status", "installedCSV"): namespace(each) for each in theirs}
    versions = [each for each in facts.known(CSV) if installed.get(name(each)) == namespace(each)]
    changes += [Change(Verb.delete, CSV, name(each), namespace(each), why=why) for each in versions]
    return Remedy("Remove the mesh that nothing uses; OpenShift then installs its own.", changes=tuple(changes))
