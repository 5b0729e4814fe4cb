"""What the stories of both targets have in common: how they begin, and what must be true of each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maas.cluster import rbac
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.plan.model import Plan
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.front import Call, front
from tests.kubernetes.installation import audit
from tests.kubernetes.installation.installing import Heard, Installer
from tests.kubernetes.installation.state import Place, State, settled, versions

INSTALLER = "installer"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Beginning:
    """A first run, and a second one that finds everything to be there. audit: a folder."""

    before: State
    first: Heard
    installed: State
    untouched: tuple[dict[Place, str], dict[Place, str]]  # before and after the second run
    second: Plan
    calls: Sequence[Call]  # of the second run
    read: Facts  # as for validate and doctor
    audit: Path


def begun(cluster: Cluster, installer: Installer, audited: Path) -> Beginning:
    before = settled(cluster)
    first = Heard()
    installer.install(first)
    installed, known = settled(cluster), versions(cluster)
    with front(cluster) as counted:
        second = Installer(cluster.kubeconfig(INSTALLER, url=counted.url), installer.mirror).install()
    untouched = known, versions(cluster)
    return Beginning(before, first, installed, untouched, second, counted.calls, installer.facts(), audited)


def assert_the_second_run_did_nothing(told: Beginning) -> None:
    assert told.second.is_empty, [step.key for step in told.second.steps]
    before, after = told.untouched
    assert before == after
    writing = [call for call in told.calls if call.method != "GET" and not call.target.startswith(_REVIEWS)]
    assert {(call.method, call.target.partition("?")[2]) for call in writing} <= {("POST", "dryRun=All")}


def assert_nothing_was_denied(told: Beginning) -> None:
    assert not audit.denied(told.audit)
    every = [*told.read.lists.values(), *told.read.probes.values()]
    assert not [each for each in every if isinstance(each, Unread) and each.cause is Cause.denied]


def unused(target: str, audited: Path) -> set[audit.Permission]:
    """Rights to write. Those to read follow from what is read (kinds.py): not every cluster has every kind."""
    granted = audit.granted(rbac.cluster_role(target)["rules"])
    return {each for each in granted - audit.used(audited) if each[0] not in ("get", "list")}
