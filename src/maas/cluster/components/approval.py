"""What an InstallPlan would install, before somebody agrees to it.

OLM resolves all Subscriptions of a namespace together: a plan may hold what an operator depends on, and updates of
operators that have nothing to do with ours. Whoever approves one approves all of it.
"""

from maas.cluster.components import olm
from maas.cluster.components.offers import pin_of
from maas.cluster.components.versions import version
from maas.cluster.objects import Object, name, namespace, texts


def holds(plan: Object) -> tuple[str, ...]:
    """ClusterServiceVersions by name."""
    return tuple(texts(plan, "spec", "clusterServiceVersionNames"))


def question(plan: Object, package: str, why: str) -> str:
    """Of a plan that a Subscription to this package waits for."""
    prefix = next((each.prefix for each in olm.STACK if each.name == package), f"{package}.")
    ours = [each for each in holds(plan) if each.startswith(prefix)]
    others = [each for each in holds(plan) if not each.startswith(prefix)]
    also = f" With it come, or are updated: {', '.join(others)}." if others else ""
    what = ", ".join(ours) or f"nothing of {package}"
    return f"Approve InstallPlan {namespace(plan)}/{name(plan)}? It installs {what}.{also} {why}"


def refusal(plan: Object) -> str:
    """Why it must not be approved by us, whoever agrees: "" if it may be."""
    for csv in holds(plan):
        package = olm.package_of({"metadata": {"name": csv}})
        found = version(csv.partition(".")[2])
        if package and found and (bad := pin_of(package).why_bad(found)):
            return (
                f"InstallPlan {namespace(plan)}/{name(plan)} would install {csv}, and it must not be used: {bad}. "
                f"Have the catalog updated to a newer {package.title}; what is installed stays until then"
            )
    return ""
