"""Red Hat OpenShift AI and its upstream Open Data Hub: they bring KServe, and own its configuration.

2.x serves DataScienceCluster v1, with a Serverless mode that needs Service Mesh 2 and Serverless. 3.x serves v2, and v1
without those fields: what is written into them is dropped without a word.
"""

from maas.cluster.components import olm
from maas.cluster.components.versions import at_least, version
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DATA_SCIENCE_CLUSTER, DSC_INITIALIZATION
from maas.cluster.objects import Object, condition, items, mapping, text

APPLICATIONS = ("redhat-ods-applications", "opendatahub")  # where KServe's controller runs


def operators(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.RHOAI, olm.ODH)


def clusters(facts: Facts) -> list[Object]:
    """DataScienceClusters: there ought to be one. Raises NotRead."""
    return list(facts.all(DATA_SCIENCE_CLUSTER))


def initializations(facts: Facts) -> list[Object]:
    """DSCInitializations: there ought to be one. Raises NotRead."""
    return list(facts.all(DSC_INITIALIZATION))


def is_3(facts: Facts) -> bool:
    """By its version, or if nothing tells it, by the API that it serves. Raises NotRead."""
    told = [each.version for each in operators(facts)]
    told += [text(each, "status", "release", "version") for each in clusters(facts)]
    found = next((number for each in told if (number := version(each))), None)
    return at_least(found, (3,)) if found else "v2" in facts.served_versions(DATA_SCIENCE_CLUSTER)


def kserve(cluster: Object) -> Object:
    return mapping(cluster, "spec", "components", "kserve")


def manages_kserve(cluster: Object) -> bool:
    return text(kserve(cluster), "managementState") == "Managed"


def wants_serverless(cluster: Object) -> bool:
    """2.x: KServe's default mode is Serverless until somebody says otherwise, and brings Knative unless Removed."""
    if text(cluster, "apiVersion").endswith("/v2") or not manages_kserve(cluster):
        return False
    if text(kserve(cluster), "defaultDeploymentMode") == "RawDeployment":
        return text(kserve(cluster), "serving", "managementState") == "Managed"
    return (
        bool(mapping(kserve(cluster), "serving")) and text(kserve(cluster), "serving", "managementState") != "Removed"
    )


def kserve_version(cluster: Object) -> str:
    """Which KServe it says it has brought; "" if it does not say."""
    releases = items(cluster, "status", "components", "kserve", "releases")
    return next((text(each, "version") for each in releases if "kserve" in text(each, "name").lower()), "")


def kserve_is_ready(cluster: Object) -> bool:
    """Whatever else of it is not."""
    return text(condition(cluster, "KserveReady"), "status") == "True"


def headed(cluster: Object) -> str:
    """Headed or Headless: whether a model's Service gets an address of its own. Headless is the default."""
    return text(kserve(cluster), "rawDeploymentServiceConfig") or "Headless"


def bad_conditions(object: Object) -> list[Object]:
    """Those that are False, the specific ones before the summaries."""
    every = items(object, "status", "conditions")
    false = [each for each in every if each.get("status") == "False" and each.get("reason") != "Removed"]
    summaries = ("Ready", "ComponentsReady", "Available", "ReconcileComplete", "Progressing", "Degraded", "Upgradeable")
    specific = [each for each in false if each.get("type") not in summaries]
    return specific or [each for each in false if each.get("type") in ("Ready", "ComponentsReady", "Available")]
