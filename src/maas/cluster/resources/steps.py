"""All of our own objects as steps, as for an empty cluster; planning takes out what is there already."""

from maas.cluster import document
from maas.cluster.plan.model import Step
from maas.cluster.resources import certificates, gateway, models, namespaces, network_policies, policies, routes
from maas.cluster.wanted import Wanted


def steps(wanted: Wanted) -> list[Step]:
    """Raises InvalidInput for what maas.yaml wants and a cluster cannot give."""
    return [
        *namespaces.steps(wanted),
        *document.steps(wanted),
        *certificates.steps(wanted),
        *gateway.steps(wanted),
        *models.steps(wanted),
        *routes.steps(wanted),
        *policies.steps(wanted),
        *network_policies.steps(wanted),
    ]
