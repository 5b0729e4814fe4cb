"""The Operator Lifecycle Manager: which operators it was asked for, and what became of it.

A CSV of an operator that watches all namespaces is copied into each of them: only originals are looked at. One
operator is one package; its CSVs are called PACKAGE.vX.Y.Z, apart from those in _CSV_PREFIX.
"""

from dataclasses import dataclass

from maas.cluster.components.state import By, Installation
from maas.cluster.components.versions import version, written
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CATALOG_SOURCE, CSV, SUBSCRIPTION
from maas.cluster.objects import Object, flag, label, name, namespace, place, text


@dataclass(frozen=True)
class Package:
    """An operator of the stack, as OperatorHub has it."""

    name: str
    title: str
    namespace: str  # where it is usually installed
    catalog: str
    csv_prefix: str = ""  # of its CSVs' names, where it is not the package's name
    all_namespaces: bool = True  # what its OperatorGroup has to choose; otherwise its own namespace

    @property
    def prefix(self) -> str:
        return f"{self.csv_prefix or self.name}."


_RED_HAT = "redhat-operators"
SERVICE_MESH_2 = Package("servicemeshoperator", "OpenShift Service Mesh 2", "openshift-operators", _RED_HAT)
SERVICE_MESH_3 = Package("servicemeshoperator3", "OpenShift Service Mesh 3", "openshift-operators", _RED_HAT)
SAIL = Package("sailoperator", "Sail operator", "openshift-operators", "community-operators")
SERVERLESS = Package("serverless-operator", "OpenShift Serverless", "openshift-serverless", _RED_HAT)
RHOAI = Package("rhods-operator", "Red Hat OpenShift AI", "redhat-ods-operator", _RED_HAT)
ODH = Package("opendatahub-operator", "Open Data Hub", "openshift-operators", "community-operators")
CERT_MANAGER = Package(
    "openshift-cert-manager-operator",
    "cert-manager operator for OpenShift",
    "cert-manager-operator",
    _RED_HAT,
    "cert-manager-operator",
    all_namespaces=False,
)
CERT_MANAGER_COMMUNITY = Package(
    "cert-manager", "cert-manager (community)", "openshift-operators", "community-operators"
)
NFD = Package("nfd", "Node Feature Discovery", "openshift-nfd", _RED_HAT, all_namespaces=False)
GPU = Package(
    "gpu-operator-certified", "NVIDIA GPU Operator", "nvidia-gpu-operator", "certified-operators", all_namespaces=False
)
RHCL = Package("rhcl-operator", "Red Hat Connectivity Link", "kuadrant-system", _RED_HAT)
KUADRANT = Package("kuadrant-operator", "Kuadrant", "kuadrant-system", "kuadrant-operator-catalog")
AUTHORINO = Package("authorino-operator", "Authorino", "kuadrant-system", _RED_HAT)
LIMITADOR = Package("limitador-operator", "Limitador", "kuadrant-system", _RED_HAT)
DNS = Package("dns-operator", "Kuadrant DNS", "kuadrant-system", _RED_HAT)
LWS = Package("leader-worker-set", "LeaderWorkerSet", "openshift-lws-operator", _RED_HAT, all_namespaces=False)

STACK = (
    SERVICE_MESH_2, SERVICE_MESH_3, SAIL, SERVERLESS, RHOAI, ODH, CERT_MANAGER, CERT_MANAGER_COMMUNITY, NFD, GPU, RHCL,
    KUADRANT, AUTHORINO, LIMITADOR, DNS, LWS,
)  # fmt: skip


NAMES = frozenset(package.name for package in STACK)


@dataclass(frozen=True)
class Operator:
    """One that OLM was asked for, or runs. Either may be missing: a Subscription without CSV, a CSV left behind."""

    package: Package
    subscription: Object | None
    csv: Object | None

    @property
    def ready(self) -> bool:
        return text(self.csv, "status", "phase") == "Succeeded"

    @property
    def version(self) -> str:
        found = version(text(self.csv, "spec", "version")) or version(name(self.csv or {}).partition(".")[2])
        return written(found) if found else ""

    @property
    def namespace(self) -> str:
        return namespace(self.csv or self.subscription or {})

    @property
    def installation(self) -> Installation:
        if self.csv is None:
            return Installation(By.olm, self.namespace, "", (f"Subscription {place(self.subscription or {})}", "", ""))
        seen = (f"ClusterServiceVersion {place(self.csv)}", "spec.version", self.version)
        return Installation(By.olm, self.namespace, self.version, seen)


def is_copy(csv: Object) -> bool:
    return bool(label(csv, "olm.copiedFrom")) or text(csv, "status", "reason") == "Copied"


def csvs(facts: Facts) -> list[Object]:
    """The originals. Raises NotRead."""
    return [each for each in facts.all(CSV) if not is_copy(each)]


def package_of(csv: Object) -> Package | None:
    return next((package for package in STACK if name(csv).startswith(package.prefix)), None)


def subscribed(subscription: Object) -> str:
    """The package's name. Raises nothing; "" if it names none."""
    return text(subscription, "spec", "name")


def of_stack(facts: Facts) -> list[Object]:
    """Subscriptions of the stack's packages. Raises NotRead."""
    return [each for each in facts.all(SUBSCRIPTION) if subscribed(each) in NAMES]


def operators(facts: Facts, *packages: Package) -> list[Operator]:
    """What OLM knows of these packages; one entry per Subscription, and one per CSV without. Raises NotRead."""
    return [operator for package in packages for operator in _operators(facts, package)]


def _operators(facts: Facts, package: Package) -> list[Operator]:
    named = (csv for csv in facts.all(CSV) if name(csv).startswith(package.prefix))  # first: there may be thousands
    known = [csv for csv in named if not is_copy(csv) and not _replaced(csv)]
    asked = [each for each in facts.all(SUBSCRIPTION) if subscribed(each) == package.name]
    found = [Operator(package, each, _csv_of(each, known)) for each in asked]
    with_subscription = {place(each.csv) for each in found if each.csv is not None}
    return found + [Operator(package, None, csv) for csv in known if place(csv) not in with_subscription]


def _replaced(csv: Object) -> bool:
    return text(csv, "status", "phase") in ("Replacing", "Deleting")


def _csv_of(subscription: Object, known: list[Object]) -> Object | None:
    here = [csv for csv in known if namespace(csv) == namespace(subscription)]
    installed = text(subscription, "status", "installedCSV")
    return next((csv for csv in here if name(csv) == installed), next(iter(here), None))


def catalogs(facts: Facts) -> dict[str, Object]:
    """CatalogSources by name. Raises NotRead."""
    return {name(each): each for each in facts.all(CATALOG_SOURCE)}


def catalog_state(catalog: Object) -> str:
    """READY, CONNECTING, TRANSIENT_FAILURE, …; "" if OLM has not said."""
    return text(catalog, "status", "connectionState", "lastObservedState")


def copies_disabled(config: Object | None) -> bool:
    return flag(config, "spec", "features", "disableCopiedCSVs")
