"""Which platform a cluster is, in which version, and who runs it."""

import re
from enum import StrEnum

from maas.cluster.facts.model import Facts, NotRead, Unread
from maas.cluster.kinds import CLUSTER_VERSION, INFRASTRUCTURE, NAMESPACE
from maas.cluster.objects import Object, at, items, name, text

Version = tuple[int, int, int]
_VERSION = re.compile(r"v?([0-9]{1,6})\.([0-9]{1,6})(?:\.([0-9]{1,6}))?", re.ASCII)


class Managed(StrEnum):
    """OpenShift that somebody else runs."""

    rosa = "Red Hat OpenShift Service on AWS (ROSA)"
    osd = "OpenShift Dedicated (OSD)"
    aro = "Azure Red Hat OpenShift (ARO)"


def parsed(version: str) -> Version | None:
    """ "v1.31.4-eks-2d5f260" → (1, 31, 4); None if it does not begin like a version."""
    match = _VERSION.match(version)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def is_openshift(facts: Facts) -> bool:
    """Raises NotRead."""
    if isinstance(facts.apis, Unread):
        if facts.known(CLUSTER_VERSION):
            return True
        raise NotRead(facts.apis)
    return any(key.startswith("config.openshift.io/") for key in facts.apis)


def openshift_version(facts: Facts) -> str:
    """What runs: the newest completed update; what is wished for while none is complete. "" if unknown.

    Raises NotRead.
    """
    found = facts.one(CLUSTER_VERSION, "version")
    if found is None:
        return ""
    complete = (text(each, "version") for each in items(found, "status", "history") if _is_complete(each))
    return next(complete, "") or text(found, "status", "desired", "version")


def kubernetes_version(facts: Facts) -> str:
    """ "v1.31.4-eks-2d5f260"; "" if the server did not say. Raises NotRead."""
    if isinstance(facts.version, Unread):
        raise NotRead(facts.version)
    major, minor = text(facts.version, "major"), text(facts.version, "minor")
    return text(facts.version, "gitVersion") or (f"v{major}.{minor}" if major and minor else "")


def managed(facts: Facts) -> Managed | None:
    """Who cannot tell is None: without Infrastructure and namespaces nobody can."""
    infrastructure = next((each for each in facts.known(INFRASTRUCTURE) if name(each) == "cluster"), {})
    tags = _tags(infrastructure)
    if tags.get("red-hat-clustertype") == "rosa":
        return Managed.rosa
    if tags.get("red-hat-clustertype") == "osd" or tags.get("red-hat-managed") == "true":
        return Managed.osd
    return Managed.aro if _is_aro(facts) else None


def cloud(facts: Facts) -> str:
    """ "AWS", "Azure", "BareMetal", "None"; "" if unknown."""
    infrastructure = next((each for each in facts.known(INFRASTRUCTURE) if name(each) == "cluster"), {})
    return text(infrastructure, "status", "platformStatus", "type")


def _is_complete(update: Object) -> bool:
    return text(update, "state") == "Completed"


def _tags(infrastructure: Object) -> dict[str, str]:
    status = at(infrastructure, "status", "platformStatus")
    lists = (("aws", "resourceTags"), ("gcp", "resourceTags"), ("gcp", "resourceLabels"))
    tags = [tag for where in lists for tag in items(status, *where)]
    return {text(tag, "key"): text(tag, "value") for tag in tags}


def _is_aro(facts: Facts) -> bool:
    """ARO's own operator runs in every ARO cluster, and in none besides."""
    if any(name(each) == "openshift-azure-operator" for each in facts.known(NAMESPACE)):
        return True
    return not isinstance(facts.apis, Unread) and any(key.startswith("aro.openshift.io/") for key in facts.apis)
