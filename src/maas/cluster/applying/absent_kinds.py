"""A kind that the cluster does not serve: which component brings it, and what to do where it has gone."""

from maas.cluster.applying.explained import Explained


def of(crd: str) -> Explained:
    """crd: "gateways.gateway.networking.k8s.io"."""
    return Explained(
        f"the cluster does not serve {crd}: its CustomResourceDefinition is not there. {_brought(crd)}",
        ("See what the checks say of the component. Where somebody removed the CRD, bring the component anew.",),
        (f"kubectl get crd {crd}", "maas preflight"),
    )


def going(crd: str) -> Explained:
    return Explained(
        f"CustomResourceDefinition {crd} is being deleted, with all that is of its kind. {_brought(crd)}",
        ("Wait until it has gone. Whoever put a finalizer on what is left has to take it away.",),
        (f"kubectl get crd {crd} -o yaml", f"kubectl get {crd} -A"),
    )


def _brought(crd: str) -> str:
    from maas.cluster.uninstalling.parts import PARTS  # removing is carried out by this package

    group = crd.partition(".")[2]
    titles = list(dict.fromkeys(part.title for part in PARTS if part.brings(group)))
    return f"It comes with {' or '.join(titles)}" if titles else "The component that brings it is not whole"
