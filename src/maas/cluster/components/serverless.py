"""OpenShift Serverless (Knative): only wanted where OpenShift AI 2.x is to run KServe in its Serverless mode."""

from maas.cluster.components import olm, olm_install, rhoai
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import KNATIVE_SERVING
from maas.cluster.objects import Object
from maas.cluster.plan.model import Step
from maas.cluster.wanted import Site


def operators(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.SERVERLESS)


def servings(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return list(facts.all(KNATIVE_SERVING))


def needed(facts: Facts) -> bool:
    """Raises NotRead."""
    return any(rhoai.wants_serverless(cluster) for cluster in rhoai.clusters(facts))


def steps(site: Site) -> list[Step]:
    """OpenShift AI makes the KnativeServing itself."""
    if not site.serverless:
        return []
    operator = olm_install.Operator(
        olm.SERVERLESS,
        "serverless",
        "the OpenShift AI that is there runs KServe on Knative",
        owns=(KNATIVE_SERVING,),
    )
    return [olm_install.step(site, operator)]
