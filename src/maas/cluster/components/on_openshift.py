"""The components on OpenShift, by OLM."""

from maas.cluster.plan.model import Step
from maas.cluster.wanted import Wanted


def steps(wanted: Wanted) -> list[Step]:
    return []
