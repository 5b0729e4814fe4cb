"""A whole installation on Kubernetes, by somebody who has the printed role and no other right: made, found to be whole,
taken away, killed at every turn, and made again. One cluster lives through it all; each test tells a part.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from maas.cluster import rbac, sites
from maas.cluster.plan.model import Plan
from maas.cluster.plan.planning import every_step
from maas.cluster.uninstalling import Stay
from maas.cluster.wanted import Target, Wanted
from maas.domain import platform_file
from tests.kubernetes.charts.stand_ins import mirrored
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.front import Call, front
from tests.kubernetes.installation import audit, killing
from tests.kubernetes.installation.installing import Heard, Installer
from tests.kubernetes.installation.stages import kubernetes
from tests.kubernetes.installation.state import Place, State, differences, settled, versions

INSTALLER = "installer"
pytestmark = pytest.mark.timeout(400)  # the first test lives through the whole story


@dataclass(frozen=True)
class Story:
    """What was seen of it, in the order of what happened."""

    before: State
    first: Heard
    installed: State
    untouched: tuple[dict[Place, str], dict[Place, str]]  # before and after the second run
    second: Plan
    calls: Sequence[Call]
    deaths_of_uninstalling: Sequence[str]
    uninstalled: State
    deaths_of_installing: Sequence[str]
    again: State
    stays: Sequence[Stay]
    after: State
    audit: Path


@pytest.fixture(scope="module")
def story(helm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    site = sites.assumed(Target.kubernetes)
    wanted = Wanted(platform_file.load(platform_file.default_text()), site)
    mirror = mirrored(every_step(wanted), folder / "mirror")
    killing.warm()
    with kubernetes(*audit.options(folder, INSTALLER)) as cluster:
        cluster.allow(INSTALLER, *rbac.cluster_role("kubernetes")["rules"])
        yield _told(cluster, folder, mirror)


def _told(cluster: Cluster, folder: Path, mirror: Path) -> Story:
    installer = Installer(cluster.kubeconfig(INSTALLER), mirror)
    before = settled(cluster)
    first = Heard()
    installer.install(first)
    installed, known = settled(cluster), versions(cluster)
    with front(cluster) as counted:
        second = Installer(cluster.kubeconfig(INSTALLER, url=counted.url), mirror).install()
    untouched = known, versions(cluster)
    deaths = killing.until_it_ends(killing.Uninstall(installer), folder / "removed", folder / "log")
    uninstalled = settled(cluster)
    more_deaths = killing.until_it_ends(killing.Install(installer), folder / "made", folder / "log")
    again = settled(cluster)
    stays = installer.uninstall()
    return Story(
        *(before, first, installed, untouched, second, counted.calls),
        *(deaths, uninstalled, more_deaths, again, stays, settled(cluster), folder),
    )


def test_it_runs_to_the_end_in_an_order_that_works(story: Story) -> None:
    order = story.first.steps
    assert order.index("policies") < order.index("models"), "no model is there before its policies"
    assert order.index("istio") < order.index("kuadrant-operator"), "which looks for Istio only when it starts"
    assert ("inferenceservices.serving.kserve.io", "llm", "simulator") in story.installed


def test_run_again_it_has_nothing_to_do_and_writes_nothing(story: Story) -> None:
    assert story.second.is_empty, [step.key for step in story.second.steps]
    before, after = story.untouched
    assert before == after
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    writing = [call for call in story.calls if call.method != "GET" and not call.target.startswith(reviews)]
    assert {(call.method, call.target.partition("?")[2]) for call in writing} <= {("POST", "dryRun=All")}


def test_killed_at_each_turn_it_comes_to_the_same_state(story: Story) -> None:
    assert not differences(story.installed, story.again)
    died = {place.partition(":")[0] for place in story.deaths_of_installing}
    assert died >= set(story.first.steps), "it was killed in each step"


def test_uninstalling_leaves_exactly_what_was_there_before(story: Story) -> None:
    assert not differences(story.before, story.after)
    assert not story.stays


def test_uninstalling_that_was_killed_at_each_turn_leaves_the_same(story: Story) -> None:
    assert not differences(story.before, story.uninstalled)
    assert len(story.deaths_of_uninstalling) > 15


def test_nothing_was_denied_to_who_has_the_printed_role_alone(story: Story) -> None:
    assert not audit.denied(story.audit)


def test_no_right_of_the_role_is_there_in_vain(story: Story) -> None:
    granted = audit.granted(rbac.cluster_role("kubernetes")["rules"])
    unused = granted - audit.used(story.audit)
    assert {each for each in unused if not _explained(each)} == set()


def _explained(permission: audit.Permission) -> bool:
    return permission[0] in ("get", "list")
