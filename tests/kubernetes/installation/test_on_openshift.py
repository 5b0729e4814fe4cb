"""A whole installation on OpenShift 4.20, by somebody who has the printed role and no other right: its own gateway, and
operators by OLM. As on Kubernetes, one cluster lives through the story.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from maas.cluster import rbac
from maas.cluster.uninstalling import Stay
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.installation import audit, killing
from tests.kubernetes.installation.installing import Installer
from tests.kubernetes.installation.stages import openshift
from tests.kubernetes.installation.state import State, differences, settled
from tests.kubernetes.installation.story import (
    INSTALLER,
    Beginning,
    assert_nothing_was_denied,
    assert_the_second_run_did_nothing,
    begun,
    unused,
)

pytestmark = pytest.mark.timeout(400)  # the first test lives through the whole story
_PLATFORMS = ("istio.io", "openshift-ingress")  # what the ingress operator brought for our GatewayClass, and keeps


@dataclass(frozen=True)
class Story:
    """What was seen of it, in the order of what happened."""

    beginning: Beginning
    kept: Sequence[Stay]
    without_platform: State
    again: State
    deaths_of_uninstalling: Sequence[str]
    after: State
    deaths_of_installing: Sequence[str]
    once_more: State


@pytest.fixture(scope="module")
def story(helm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    killing.warm()
    with openshift(*audit.options(folder, INSTALLER)) as cluster:
        cluster.allow(INSTALLER, *rbac.cluster_role("openshift")["rules"])
        yield _told(cluster, folder, Installer(cluster.kubeconfig(INSTALLER)))


def _told(cluster: Cluster, folder: Path, installer: Installer) -> Story:
    beginning = begun(cluster, installer, folder)
    kept = installer.uninstall(keep_operators=True)
    without_platform = settled(cluster)
    installer.install()
    again = settled(cluster)
    deaths = killing.until_it_ends(killing.Uninstall(installer), folder / "removed", folder / "log", thorough=False)
    after = settled(cluster)
    more_deaths = killing.until_it_ends(killing.Install(installer), folder / "made", folder / "log")
    return Story(
        beginning=beginning,
        kept=kept,
        without_platform=without_platform,
        again=again,
        deaths_of_uninstalling=deaths,
        after=after,
        deaths_of_installing=more_deaths,
        once_more=settled(cluster),
    )


def test_it_runs_to_the_end_in_an_order_that_works(story: Story) -> None:
    order = story.beginning.first.steps
    assert order.index("policies") < order.index("models"), "no model is there before its policies"
    assert order.index("gateway-class") < order.index("kuadrant-operator"), "which looks for Istio when it starts"
    assert ("routes.route.openshift.io", "llm", "maas") in story.beginning.installed
    assert ("subscriptions.operators.coreos.com", "kuadrant-system", "rhcl-operator") in story.beginning.installed


def test_operators_that_are_kept_go_on_and_take_the_platform_again(story: Story) -> None:
    left = story.without_platform
    assert ("namespaces", "", "llm") not in left
    assert ("kuadrants.kuadrant.io", "kuadrant-system", "kuadrant") in left
    assert ("deployments.apps", "redhat-ods-operator", "rhods-operator") in left
    assert {"Kuadrant", "OpenShift AI", "cert-manager"} <= {stay.what for stay in story.kept}
    assert not differences(story.beginning.installed, story.again)


def test_run_again_it_has_nothing_to_do_and_writes_nothing(story: Story) -> None:
    assert_the_second_run_did_nothing(story.beginning)


def test_killed_at_each_turn_it_comes_to_the_same_state(story: Story) -> None:
    assert not differences(story.beginning.installed, story.once_more)
    died = {place.partition(":")[0] for place in story.deaths_of_installing}
    assert died <= set(story.beginning.first.steps)
    assert len(died) >= killing.OFTEN


def test_uninstalling_that_was_killed_at_each_turn_leaves_exactly_what_was_there_before(story: Story) -> None:
    assert [each for each in differences(story.beginning.before, story.after) if not _is_of_the_platform(each)] == []
    assert len(story.deaths_of_uninstalling) >= killing.OFTEN


def _is_of_the_platform(difference: str) -> bool:
    return any(each in difference for each in _PLATFORMS)


def test_nothing_was_denied_to_who_has_the_printed_role_alone(story: Story) -> None:
    assert_nothing_was_denied(story.beginning)


def test_no_right_of_the_role_is_there_in_vain(story: Story) -> None:
    assert unused("openshift", story.beginning.audit) - set(_explained()) == set()


def _explained() -> Iterator[audit.Permission]:
    """What this story does not come to, by why not."""
    on_request = {
        "nvidia.com": ("clusterpolicies",),
        "nfd.openshift.io": ("nodefeaturediscoveries",),
        "sailoperator.io": ("istios", "istiocnis"),  # before 4.19
        "maistra.io": ("servicemeshcontrolplanes", "servicemeshmembers"),  # where Service Mesh 2 is
        "": ("persistentvolumeclaims", "serviceaccounts", "secrets"),  # of models with weights; keys
        "policy": ("poddisruptionbudgets",),  # of models elsewhere, which pods of ours lead to
        "apps": ("deployments",),  # likewise; restarts of operators that were there
    }
    for group, resources in on_request.items():
        yield from ((verb, group, each) for each in resources for verb in ("create", "patch", "delete"))
    yield "create", "route.openshift.io", "routes/custom-host"  # asked for by OpenShift's own API server
    yield "patch", "operators.coreos.com", "installplans"  # where people approve what OLM installs
    yield from ((verb, "dscinitialization.opendatahub.io", "dscinitializations") for verb in ("create", "patch"))
