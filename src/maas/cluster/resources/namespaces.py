"""The platform's own namespace. Kuadrant's and the other components' are made by those who install them."""

from maas.cluster import kinds
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Step, Wait
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import Target, Wanted

KEY = "namespaces"


def steps(wanted: Wanted) -> list[Step]:
    name = wanted.namespace
    return [
        Step(
            KEY,
            f"namespace {name}",
            "holds the gateway, the models and the policies",
            (Apply(namespace(wanted), adopt=True),),
            (Wait(kinds.NAMESPACE, name, "", conditions.exists, f"Namespace {name} is there", 30.0),),
            undo=f"kubectl delete namespace {name}",
        )
    ]


def namespace(wanted: Wanted) -> Body:
    """No sidecars: models need none, and where a mesh injects them into all, these would need NET_ADMIN.

    baseline and not restricted is enforced, since the pods of Istio's gateway, which Istio makes here, may name no
    seccomp profile; our own pods do, and keep to restricted: whoever adds one that does not is warned. OpenShift has
    its SCCs for that, and a controller that sets these labels itself.
    """
    on_kubernetes = wanted.site.target is Target.kubernetes
    return made(
        "v1", "Namespace", wanted.namespace, labels={**_NO_SIDECARS, **(_POD_SECURITY if on_kubernetes else {})}
    )


_NO_SIDECARS = {"istio-injection": "disabled"}
_POD_SECURITY = {
    "pod-security.kubernetes.io/enforce": "baseline",
    "pod-security.kubernetes.io/warn": "restricted",
    "pod-security.kubernetes.io/audit": "restricted",
}
