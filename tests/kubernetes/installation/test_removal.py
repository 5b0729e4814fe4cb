"""The plan of a removal, of what was found: in which order, what stays, and why."""

from dataclasses import replace
from typing import Any

import pytest

from maas.cluster import kinds
from maas.cluster.helm import Release
from maas.cluster.kinds import Kind
from maas.cluster.plan.model import Delete, Mark, Uninstall
from maas.cluster.plan.model import Release as Given
from maas.cluster.uninstalling import Ours, Removal, removal_of
from maas.cluster.uninstalling.model import Found, Operator

_OURS = {"app.kubernetes.io/managed-by": "maas", "app.kubernetes.io/part-of": "maas"}


def found(
    kind: Kind, name: str, namespace: str = "", /, labels: dict[str, str] | None = None, **metadata: Any
) -> Found:
    place = {"name": name, "uid": f"{kind.key}/{namespace}/{name}"} | ({"namespace": namespace} if namespace else {})
    metadata = {"labels": labels or {}, "creationTimestamp": "2026-01-01T00:00:00Z", **metadata}
    return Found(replace(kind, versions=kind.versions[:1]), {"metadata": {**place, **metadata}})


def ours(kind: Kind, name: str, namespace: str = "", **metadata: Any) -> Found:
    return found(kind, name, namespace, _OURS, **metadata)


def of_helm(kind: Kind, name: str, release: str, where: str, **annotations: str) -> Found:
    marks = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": where, **annotations}
    return found(kind, name, annotations=marks)


def release(name: str, namespace: str) -> Release:
    return Release(name, namespace, 1, "deployed", {"app.kubernetes.io/managed-by": "maas"})


def deleted(removal: Removal) -> list[str]:
    actions = [action for step in removal.plan.steps for action in step.actions]
    return [f"{each.kind.name} {each.name}" for each in actions if isinstance(each, Delete)]


def told(removal: Removal) -> dict[str, str]:
    return {stay.what: stay.why for stay in removal.stays}


_ISSUERS = of_helm(kinds.CRD, kinds.ISSUER.key, "cert-manager", "cert-manager", **{"helm.sh/resource-policy": "keep"})
_INSTALLED = Ours(
    made=(
        ours(kinds.INFERENCE_SERVICE, "sim", "llm"),
        ours(kinds.AUTH_POLICY, "auth", "llm"),
        ours(kinds.HTTP_ROUTE, "sim", "llm"),
        ours(kinds.KUADRANT, "kuadrant", "kuadrant-system"),
        ours(kinds.NAMESPACE, "llm"),
        ours(kinds.NAMESPACE, "cert-manager"),
    ),
    releases=(release("cert-manager", "cert-manager"), release("kuadrant-operator", "kuadrant-system")),
    definitions=(_ISSUERS,),
    inside={"llm": (), "cert-manager": ()},
)


def test_the_way_in_goes_first_and_namespaces_last() -> None:
    """Nobody may reach a model whose policy is gone, and whoever holds a finalizer must still be there."""
    removal = removal_of(_INSTALLED)
    order = deleted(removal)
    assert order.index("HTTPRoute sim") < order.index("AuthPolicy auth") < order.index("InferenceService sim")
    assert order.index("Kuadrant kuadrant") < order.index(f"CustomResourceDefinition {kinds.ISSUER.key}")
    assert {"Namespace llm", "Namespace cert-manager"} == set(order[-2:])
    assert not removal.stays
    keys = [step.key for step in removal.plan.steps]
    assert [step.needs for step in removal.plan.steps[1:]] == [(key,) for key in keys[:-1]]


def test_what_outlives_its_release_is_marked_before() -> None:
    step = next(step for step in removal_of(_INSTALLED).plan.steps if step.key == "remove cert-manager")
    assert [type(action) for action in step.actions] == [Mark, Uninstall]
    again = replace(_INSTALLED, releases=(), definitions=(replace(_ISSUERS, object=_marked(_ISSUERS.object)),))
    assert f"CustomResourceDefinition {kinds.ISSUER.key}" in deleted(removal_of(again)), "and found without it"


def _marked(object: Any) -> Any:
    return {"metadata": {**object["metadata"], "labels": {"maas.io/remove": "true"}}}


def test_kinds_that_are_kept_stay_with_what_is_of_them() -> None:
    removal = removal_of(_INSTALLED, keep_crds=True)
    actions = [action for step in removal.plan.steps for action in step.actions]
    assert all(each.keep_crds for each in actions if isinstance(each, Uninstall))
    assert not [each for each in deleted(removal) if each.startswith("CustomResourceDefinition")]
    assert told(removal)["the components' CustomResourceDefinitions"] == "--keep-crds"


@pytest.mark.parametrize(
    ("custom", "stays"),
    [
        (found(kinds.CERTIFICATE, "web", "shop"), True),
        (found(kinds.CERTIFICATE, "web", "shop", ownerReferences=[{"kind": "Ingress"}]), False),
        (ours(kinds.CERTIFICATE, "tls", "llm"), False),
        (of_helm(kinds.CERTIFICATE, "serving-cert", "cert-manager", "cert-manager"), False),
    ],
)
def test_a_component_that_somebody_else_uses_stays(custom: Found, stays: bool) -> None:
    """What an owner brings along is judged with its owner."""
    removal = removal_of(replace(_INSTALLED, customs=(custom,)))
    assert ("cert-manager" in told(removal)) is stays
    assert (f"CustomResourceDefinition {kinds.ISSUER.key}" not in deleted(removal)) is stays


def test_what_a_component_that_stays_needs_stays_too() -> None:
    removal = removal_of(replace(_INSTALLED, customs=(found(kinds.AUTH_POLICY, "theirs", "shop"),)))
    assert told(removal)["Kuadrant"] == "AuthPolicy shop/theirs needs it"
    assert told(removal)["cert-manager"] == "Kuadrant stays, and needs it"
    assert "Kuadrant kuadrant" not in deleted(removal)


def test_where_nobody_can_tell_who_uses_it_a_component_stays() -> None:
    removal = removal_of(replace(_INSTALLED, denied={"orders.acme.cert-manager.io": "listing was denied"}))
    assert "orders.acme.cert-manager.io is not to be told: listing was denied" in told(removal)["cert-manager"]


@pytest.mark.parametrize(
    ("thing", "stays"),
    [
        (found(Kind("ConfigMap", "configmaps"), "notes", "llm"), True),
        (found(Kind("Secret", "secrets"), "password", "llm"), True),
        (found(Kind("PersistentVolumeClaim", "persistentvolumeclaims"), "data", "llm"), True),
        (found(Kind("ConfigMap", "configmaps"), "kube-root-ca.crt", "llm"), False),
        (found(Kind("ServiceAccount", "serviceaccounts"), "default", "llm"), False),
        (found(kinds.POD, "sim-1", "llm", ownerReferences=[{"kind": "ReplicaSet"}]), False),
        (ours(kinds.SERVICE, "sim", "llm"), False),
    ],
)
def test_a_namespace_that_holds_what_is_somebody_elses_is_told_and_not_deleted(thing: Found, stays: bool) -> None:
    removal = removal_of(replace(_INSTALLED, inside={"llm": (thing,), "cert-manager": ()}))
    assert ("Namespace llm" in told(removal)) is stays
    assert ("Namespace llm" not in deleted(removal)) is stays


def test_what_was_adopted_is_given_back_and_never_deleted() -> None:
    removal = removal_of(replace(_INSTALLED, adopted=(found(kinds.NAMESPACE, "kuadrant-system"),)))
    given = [each for step in removal.plan.steps for each in step.actions if isinstance(each, Given)]
    assert [each.object for each in given] == [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kuadrant-system"}}
    ]
    assert "Namespace kuadrant-system" not in deleted(removal)


def test_an_operator_goes_with_its_version_and_group() -> None:
    subscription = ours(kinds.SUBSCRIPTION, "rhcl-operator", "kuadrant-system")
    csv = found(kinds.CSV, "rhcl-operator.v1.4.2", "kuadrant-system")
    group = ours(kinds.OPERATOR_GROUP, "rhcl-operator", "kuadrant-system")
    operators = (Operator(subscription, "rhcl-operator", csv),)
    order = deleted(removal_of(Ours(made=(subscription, group), operators=operators)))
    assert order == [
        "Subscription rhcl-operator",
        "ClusterServiceVersion rhcl-operator.v1.4.2",
        "OperatorGroup rhcl-operator",
    ]
    kept = removal_of(Ours(made=(subscription, group), operators=operators), keep_operators=True)
    assert not deleted(kept)
    assert told(kept) == {"Kuadrant": "--keep-operators"}
