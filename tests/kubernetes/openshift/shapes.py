"""OpenShift with nothing of the stack on it, what catalogs offer there, and what steps would apply."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maas.cluster import sites
from maas.cluster.components.steps import steps as steps_of
from maas.cluster.facts.model import Facts
from maas.cluster.facts.packages import PROBE, kept
from maas.cluster.objects import Object, mapping, name
from maas.cluster.plan.model import Apply, Step
from maas.cluster.wanted import Site, Wanted
from maas.domain.platform import Platform
from maas.readiness.catalogue import Asked, Target
from tests.kubernetes.clusters import platforms
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.installation.olm import package_manifests

NOTHING = Platform({}, {})


def bare(version: str, kubernetes: str, *more: Object, probes: Mapping[str, Any] | None = None, **how: Any) -> Scenario:
    """As it comes from the installer. how: see platforms.openshift."""
    nodes = platforms.openshift_nodes(kubernetes)
    objects = (*platforms.openshift(version, nodes, **how), *more)
    return Scenario(
        f"OpenShift {version}",
        kubernetes,
        Asked(Target.openshift),
        ("olm", "openshift-api", *(("gateway-api",) if tuple(map(int, version.split("."))) >= (4, 19) else ())),
        objects,
        probes=probes or {},
    )


def offering(**packages: Sequence[Object]) -> dict[str, Any]:
    """The probe: what the stand-in for OperatorHub offers, but for these packages (with _ for -)."""
    usual = {name(each): [kept(each)] for each in package_manifests()}
    return {PROBE: {**usual, **{package.replace("_", "-"): list(found) for package, found in packages.items()}}}


def offered(package: str, channels: Mapping[str, str], default: str = "", **more: Any) -> dict[str, Any]:
    """One catalog's, as it is kept. channels: versions by name. more: fields of it, "entries" of every channel."""
    entries = [{"name": f"{package}.v{each}", "version": each} for each in more.pop("entries", ())]
    return {
        "catalog": "redhat-operators",
        "namespace": "openshift-marketplace",
        "default": default or next(iter(channels), ""),
        "channels": [
            {"name": channel, "csv": f"{package}.v{version}", "version": version, "entries": entries}
            for channel, version in channels.items()
        ],
        **more,
    }


def wanted(site: Site, *, gpu_operator: bool = False) -> Wanted:
    return Wanted(NOTHING, site, gpu_operator=gpu_operator)


def steps(facts: Facts, *, gpu_operator: bool = False, upgrade: bool = False) -> list[Step]:
    return steps_of(wanted(sites.of(facts, upgrade=upgrade), gpu_operator=gpu_operator))


def objects(found: Iterable[Step], kind: str = "") -> list[Object]:
    """Those that are applied."""
    applied = [action.object for step in found for action in step.actions if isinstance(action, Apply)]
    return [each for each in applied if kind in ("", each["kind"])]


def subscriptions(found: Iterable[Step]) -> dict[str, Mapping[str, Any]]:
    """Their specs by name."""
    return {name(each): mapping(each, "spec") for each in objects(found, "Subscription")}


def one(found: Iterable[Step], key: str) -> Step:
    return next(step for step in found if step.key == key)
