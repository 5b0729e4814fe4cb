"""What all components have in common: who installed them, which version, and whether their workloads are up."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from maas.cluster.components.versions import tag, version
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CRD, DAEMON_SET, DEPLOYMENT, Kind
from maas.cluster.objects import Object, annotation, at, condition, items, label, name, number, place, text


class By(StrEnum):
    helm = "Helm"
    olm = "OLM"
    platform = "the platform"  # comes with OpenShift and belongs to one of its operators
    openshift_ai = "OpenShift AI"
    addon = "an add-on of the cloud"
    manifests = "manifests"


@dataclass(frozen=True)
class Installation:
    """One copy of a component; nothing stops people from having two.

    told_by: the object whose field told the version, for evidence: ("Deployment istio-system/istiod", "image", "…").
    """

    by: By
    namespace: str
    version: str  # "1.30.3"; "" if nothing tells it
    told_by: tuple[str, str, str]


_ADD_ON_LABELS = ("eks.amazonaws.com/component", "addonmanager.kubernetes.io/mode", "kubernetes.azure.com/managedby")


def installed_by(object: Object) -> By:
    """Read from what the tools leave on what they create. Where nothing is left, somebody applied manifests."""
    if label(object, "olm.owner") or label(object, "olm.managed") or _operator_label(object):
        return By.olm
    if label(object, "app.kubernetes.io/managed-by") == "Helm" or annotation(object, "meta.helm.sh/release-name"):
        return By.helm
    if any(label(object, key) for key in _ADD_ON_LABELS):
        return By.addon
    return By.manifests


def _operator_label(object: Object) -> bool:
    labels = at(object, "metadata", "labels")
    return isinstance(labels, dict) and any(str(key).startswith("operators.coreos.com/") for key in labels)


def images(workload: Object) -> list[str]:
    return [text(each, "image") for each in items(workload, "spec", "template", "spec", "containers")]


def image_version(workload: Object) -> str:
    """The first container's tag if it is a version, else the label app.kubernetes.io/version."""
    first = next(iter(images(workload)), "")
    labelled = label(workload, "app.kubernetes.io/version")
    return next((each for each in (tag(first), labelled) if version(each)), "")


def installation(deployment: Object) -> Installation:
    found = image_version(deployment)
    told = "label app.kubernetes.io/version" if found == label(deployment, "app.kubernetes.io/version") else "image"
    seen = (f"Deployment {place(deployment)}", told, found or next(iter(images(deployment)), ""))
    where = text(deployment, "metadata", "namespace")
    return Installation(installed_by(deployment), where, found.removeprefix("v"), seen)


def deployments(facts: Facts, *names: str, in_namespace: str | None = None) -> list[Object]:
    """Those of one of these names, in any namespace or in one. Raises NotRead."""
    return [
        each
        for each in facts.all(DEPLOYMENT)
        if name(each) in names and in_namespace in (None, text(each, "metadata", "namespace"))
    ]


def daemon_sets(facts: Facts, in_namespace: str) -> list[Object]:
    """Raises NotRead."""
    return [each for each in facts.all(DAEMON_SET) if text(each, "metadata", "namespace") == in_namespace]


def shortage(deployment: Object) -> str:
    """Why a Deployment does not serve, in a few words; "" if it does."""
    wanted = number(deployment, "spec", "replicas")
    if wanted == 0:
        return "scaled to 0 replicas"
    available = number(deployment, "status", "availableReplicas") or 0
    told = condition(deployment, "Available")
    if told and text(told, "status") == "True":
        return ""
    if not told and available >= (wanted or 1):
        return ""
    why = ": ".join(part for part in (text(told, "reason"), text(told, "message")) if part)
    return f"{available} of {1 if wanted is None else wanted} replicas available" + (f" ({why})" if why else "")


def environment(deployment: Object) -> dict[str, str]:
    """The variables of all its containers that have a plain value."""
    return {text(each, "name"): text(each, "value") for each in _variables(deployment)}


def _variables(deployment: Object) -> Iterator[Object]:
    for container in items(deployment, "spec", "template", "spec", "containers"):
        yield from items(container, "env")


def crd(facts: Facts, kind: Kind) -> Object | None:
    """Its CustomResourceDefinition. Raises NotRead."""
    return facts.one(CRD, kind.key)
