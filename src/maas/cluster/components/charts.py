"""What steps of Helm charts have in common: which version, in which namespace, and what shows that it runs."""

from collections.abc import Mapping

from maas.cluster.components.pins import pins
from maas.cluster.components.versions import version
from maas.cluster.kinds import CRD, DEPLOYMENT
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Wait
from maas.cluster.wanted import NOTHING, PART_OF, Site

_START = 600.0  # seconds for images to be pulled and pods to start


def fitting(key: str, site: Site) -> str:
    """The version to bring of a component: the newest that the cluster carries, by pins.toml.

    Where the cluster is older than all of them, the oldest; the preflight check says what is wrong with that.
    """
    pin, found = pins()[key], version(site.kubernetes)
    if found is None or not pin.kubernetes.too_old(found) or not pin.older:
        return pin.version
    older = pin.fitting(found)
    return (older or pin.older[-1]).version


def its_namespace(name: str, labels: Mapping[str, str] = NOTHING) -> Apply:
    """Made before the chart: Helm's --create-namespace would leave it without labels."""
    metadata = {"name": name, "labels": {PART_OF: "maas", **labels}}
    return Apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, adopt=True)


def runs(deployment: str, namespace: str, patience: float = _START) -> Wait:
    what = f"Deployment {namespace}/{deployment} is available"
    return Wait(DEPLOYMENT, deployment, namespace, conditions.available, what, patience)


def crd_served(plural: str, group: str) -> Wait:
    crd = f"{plural}.{group}"
    return Wait(CRD, crd, "", conditions.established, f"CRD {crd} is Established", 60.0)
