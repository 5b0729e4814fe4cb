"""OpenShift Serverless (Knative): only wanted where OpenShift AI 2.x is to run KServe in its Serverless mode."""

from maas.cluster.components import olm, rhoai
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import KNATIVE_SERVING
from maas.cluster.objects import Object


def operators(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.SERVERLESS)


def servings(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return list(facts.all(KNATIVE_SERVING))


def needed(facts: Facts) -> bool:
    """Raises NotRead."""
    return any(rhoai.wants_serverless(cluster) for cluster in rhoai.clusters(facts))
