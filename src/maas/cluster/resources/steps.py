"""All of our own objects as steps, as for an empty cluster; planning takes out what is there already."""

from maas.cluster import document
from maas.cluster.plan.model import Step
from maas.cluster.resources import (
    certificates,
    gateway,
    metrics,
    models,
    namespaces,
    network_policies,
    policies,
    routes,
)
from maas.cluster.wanted import Wanted


def steps(wanted: Wanted) -> list[Step]:
    """Raises MaasError for what maas.yaml wants and the cluster cannot give."""
    return [
        *namespaces.steps(wanted),
        *document.steps(wanted),
        *certificates.steps(wanted),
        *gateway.steps(wanted),
        *routes.steps(wanted),
        *policies.steps(wanted),
        *models.steps(wanted),
        *network_policies.steps(wanted),
        *metrics.steps(wanted),
    ]
