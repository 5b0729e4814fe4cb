"""An operator from OperatorHub as a step: namespace, OperatorGroup, Subscription, and what shows that it runs.

The ClusterServiceVersion is named in the Subscription where catalogs could be asked: so what is installed is what was
shown, what is waited for is known beforehand, and a version that must not be used is never a stop on the way. Updates
from there on are OLM's, or people's where they approve them.

OLM works with exactly one OperatorGroup in a namespace. One that is there already is used, whoever made it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maas.cluster.components.charts import crd_served, its_namespace, runs
from maas.cluster.components.olm import Package
from maas.cluster.kinds import CSV, SUBSCRIPTION, Kind
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Action, Apply, Approve, Step, Wait
from maas.cluster.wanted import PART_OF, Offer, Site
from maas.domain.errors import Unavailable

GLOBAL = "openshift-operators"  # comes with OpenShift, and with an OperatorGroup for all namespaces
_PATIENCE = 1200.0  # seconds: catalogs are asked, bundles unpacked, images pulled; all waits of a step begin at once


@dataclass(frozen=True)
class Operator:
    """key, title, why, needs, affects: as in a Step. labels: of its namespace. environment: of its own Deployments.

    owns: kinds that it brings and that later steps write. deployments: of its namespace, for where no
    ClusterServiceVersion is known beforehand.
    """

    package: Package
    key: str
    why: str
    needs: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    owns: tuple[Kind, ...] = ()
    deployments: tuple[str, ...] = ()
    affects: str = ""


def step(site: Site, operator: Operator, *more: Wait) -> Step:
    """more: what has to be up besides. Raises Unavailable where nothing on offer may be installed."""
    package, offer = operator.package, site.operators[operator.package.name]
    if offer.refused and operator.key not in site.theirs:
        raise Unavailable(f"{package.title} cannot be installed: {offer.refused}")
    return Step(
        operator.key,
        f"{package.title}{f' ({offer.csv})' if offer.csv else f', channel {offer.channel}'}",
        operator.why,
        actions=tuple(_actions(operator, offer)),
        waits=tuple(replace(each, patience=_PATIENCE) for each in (*_waits(operator, offer), *more)),
        needs=operator.needs,
        undo=_undo(package, offer),
        affects=operator.affects,
    )


def _actions(operator: Operator, offer: Offer) -> Sequence[Action]:
    package, where = operator.package, operator.package.namespace
    found: list[Action] = []
    if where != GLOBAL:
        found.append(its_namespace(where, operator.labels))
        found += [Apply(_group(package))] if offer.group in ("", package.name) else []
    found.append(Apply(_subscription(operator, offer)))
    if offer.manual:
        found.append(Approve(package.name, where, f"InstallPlans in {where} wait for approval"))
    return found


def _group(package: Package) -> dict[str, Any]:
    spec = {} if package.all_namespaces else {"targetNamespaces": [package.namespace]}
    return _object("operators.coreos.com/v1", "OperatorGroup", package.name, package.namespace, spec)


def _subscription(operator: Operator, offer: Offer) -> dict[str, Any]:
    package = operator.package
    environment = [{"name": name, "value": value} for name, value in operator.environment.items()]
    spec = {
        "name": package.name,
        "channel": offer.channel,
        "source": offer.catalog,
        "sourceNamespace": offer.catalog_namespace,
        "installPlanApproval": "Manual" if offer.manual else "Automatic",
        **({"startingCSV": offer.starting} if offer.starting else {}),
        **({"config": {"env": environment}} if environment else {}),
    }
    return _object("operators.coreos.com/v1alpha1", "Subscription", package.name, package.namespace, spec)


def _object(api_version: str, kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {PART_OF: "maas"}} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def operand(
    api_version: str, kind: str, name: str, spec: Mapping[str, Any], namespace: str = "", *, adopt: bool = False
) -> Apply:
    """The object that tells an operator what to bring up."""
    return Apply(_object(api_version, kind, name, namespace, spec), adopt)


def _waits(operator: Operator, offer: Offer) -> Sequence[Wait]:
    package, where = operator.package, operator.package.namespace
    what = f"OLM has installed Subscription {where}/{package.name}"
    found = [Wait(SUBSCRIPTION, package.name, where, conditions.installed, what)]
    if offer.csv:
        what = f"ClusterServiceVersion {where}/{offer.csv} has succeeded"
        found.append(Wait(CSV, offer.csv, where, conditions.succeeded, what))
    else:
        found += [runs(each, where) for each in operator.deployments]
    return found + [crd_served(kind.plural, kind.group) for kind in operator.owns]


def _undo(package: Package, offer: Offer) -> str:
    csv = f" csv/{offer.csv}" if offer.csv else ""
    return f"oc delete subscription.operators.coreos.com/{package.name}{csv} -n {package.namespace}"
