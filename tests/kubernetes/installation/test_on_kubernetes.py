"""A whole installation on Kubernetes, by somebody who has the printed role and no other right: made, found to be whole,
taken away, killed at every turn, made again, and taken away from people who have come to use parts of it.

One cluster lives through it all, for CRDs cost seconds of an API server's time; each test tells a part of its story.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from maas.cluster import rbac, sites
from maas.cluster.components import kuadrant
from maas.cluster.plan.model import Delete, Uninstall
from maas.cluster.plan.planning import every_step
from maas.cluster.uninstalling import Removal, Stay
from maas.cluster.wanted import Target, Wanted
from maas.domain import platform_file
from tests.kubernetes.charts.stand_ins import mirrored
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import labelled_namespace, made, namespace
from tests.kubernetes.installation import audit, killing
from tests.kubernetes.installation.installing import Installer
from tests.kubernetes.installation.stages import kubernetes, removed
from tests.kubernetes.installation.state import State, differences, settled
from tests.kubernetes.installation.story import (
    INSTALLER,
    Beginning,
    assert_nothing_was_denied,
    assert_the_second_run_did_nothing,
    begun,
    unused,
)
from tests.kubernetes.seeding import seed

pytestmark = pytest.mark.timeout(400)  # the first test lives through the whole story
_THEIRS = [
    labelled_namespace("kserve", {"team": "ml"}),
    made("v1", "ConfigMap", "notes", "kserve", data={"written": "before us"}),
]
_STRANGERS = [
    namespace("shop"),
    made("cert-manager.io/v1", "Issuer", "own", "shop", spec={"selfSigned": {}}),
    made("v1", "Secret", "by-hand", "kuadrant-system", type="Opaque"),
    made("v1", "ConfigMap", "notes", "llm", data={"written": "after us"}),
]


@dataclass(frozen=True)
class Story:
    """What was seen of it, in the order of what happened."""

    beginning: Beginning
    deaths_of_uninstalling: Sequence[str]
    uninstalled: State
    deaths_of_installing: Sequence[str]
    again: State
    keeping: Removal
    stays: Sequence[Stay]
    used_by_others: State
    after: State


@pytest.fixture(scope="module")
def story(helm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    wanted = Wanted(platform_file.load(platform_file.default_text()), sites.assumed(Target.kubernetes))
    mirror = mirrored(every_step(wanted), folder / "mirror")
    killing.warm()
    with kubernetes(*audit.options(folder, INSTALLER), objects=_THEIRS) as cluster:
        cluster.allow(INSTALLER, *rbac.cluster_role("kubernetes")["rules"])
        yield _told(cluster, folder, Installer(cluster.kubeconfig(INSTALLER), mirror))


def _told(cluster: Cluster, folder: Path, installer: Installer) -> Story:
    beginning = begun(cluster, installer, folder)
    deaths = killing.until_it_ends(killing.Uninstall(installer), folder / "removed", folder / "log", thorough=False)
    uninstalled = settled(cluster)
    more_deaths = killing.until_it_ends(killing.Install(installer), folder / "made", folder / "log")
    again = settled(cluster)
    keeping = installer.removal(keep_operators=True)
    seed(cluster, _STRANGERS)
    stays = installer.uninstall()
    used_by_others = settled(cluster)
    removed(cluster, *_STRANGERS)
    installer.uninstall()
    return Story(
        beginning=beginning,
        deaths_of_uninstalling=deaths,
        uninstalled=uninstalled,
        deaths_of_installing=more_deaths,
        again=again,
        keeping=keeping,
        stays=stays,
        used_by_others=used_by_others,
        after=settled(cluster),
    )


def test_it_runs_to_the_end_in_an_order_that_works(story: Story) -> None:
    order = story.beginning.first.steps
    assert order.index("policies") < order.index("models"), "no model is there before its policies"
    assert order.index("istio") < order.index("kuadrant-operator"), "which looks for Istio only when it starts"
    assert ("inferenceservices.serving.kserve.io", "llm", "simulator") in story.beginning.installed


def test_run_again_it_has_nothing_to_do_and_writes_nothing(story: Story) -> None:
    assert_the_second_run_did_nothing(story.beginning)


def test_killed_at_each_turn_it_comes_to_the_same_state(story: Story) -> None:
    assert not differences(story.beginning.installed, story.again)
    died = {place.partition(":")[0] for place in story.deaths_of_installing}
    assert died <= set(story.beginning.first.steps)
    assert len(died) >= killing.OFTEN


def test_what_others_had_before_is_adopted_and_given_back(story: Story) -> None:
    place = ("namespaces", "", "kserve")
    assert (
        story.beginning.installed[place]["labels"].items()
        >= {"team": "ml", "app.kubernetes.io/part-of": "maas"}.items()
    )
    assert "app.kubernetes.io/managed-by" not in story.beginning.installed[place]["labels"]
    assert story.uninstalled[place] == story.beginning.before[place]


def test_uninstalling_that_was_killed_at_each_turn_leaves_exactly_what_was_there_before(story: Story) -> None:
    assert not differences(story.beginning.before, story.uninstalled)
    assert len(story.deaths_of_uninstalling) >= killing.OFTEN


def test_what_somebody_else_has_come_to_use_stays_and_is_told(story: Story) -> None:
    told = {stay.what: stay.why for stay in story.stays}
    assert told["cert-manager"] == "Issuer shop/own needs it"
    assert told["Namespace kuadrant-system"] == "it holds Secret kuadrant-system/by-hand"
    assert told["Namespace llm"] == "it holds ConfigMap llm/notes"
    assert "Namespace cert-manager" in told
    left = story.used_by_others
    assert ("issuers.cert-manager.io", "shop", "own") in left
    assert ("deployments.apps", "cert-manager", "cert-manager") in left
    assert ("customresourcedefinitions.apiextensions.k8s.io", "", "issuers.cert-manager.io") in left
    groups = {place[0].partition(".")[2] for place in left}
    assert not groups & {"kuadrant.io", "serving.kserve.io", "networking.istio.io", "gateway.networking.k8s.io"}


def test_once_nobody_uses_it_any_more_uninstalling_again_leaves_what_was_there_before(story: Story) -> None:
    assert not differences(story.beginning.before, story.after)


def test_operators_that_are_kept_are_not_touched(story: Story) -> None:
    actions = [action for step in story.keeping.plan.steps for action in step.actions]
    deleted = {(each.kind.name, each.name) for each in actions if isinstance(each, Delete)}
    assert not [each for each in actions if isinstance(each, Uninstall)]
    assert {kind for kind, _ in deleted}.isdisjoint({"CustomResourceDefinition", "Kuadrant"})
    assert {name for kind, name in deleted if kind == "Namespace"} == {"llm"}
    assert {"KServe", "Kuadrant", "Istio", "cert-manager"} <= {stay.what for stay in story.keeping.stays}


def test_nothing_was_denied_to_who_has_the_printed_role_alone(story: Story) -> None:
    assert_nothing_was_denied(story.beginning)


def test_no_right_of_the_role_is_there_in_vain(story: Story) -> None:
    assert unused("kubernetes", story.beginning.audit) - set(_explained()) == set()


def _explained() -> Iterator[audit.Permission]:
    """What this story does not come to, by why not."""
    real_charts_hold = {
        "rbac.authorization.k8s.io": ("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
        "autoscaling": ("horizontalpodautoscalers",),
        "apps": ("daemonsets",),
        "batch": ("jobs",),
        "policy": ("poddisruptionbudgets",),
        "serving.kserve.io": ("clusterservingruntimes",),
        "nvidia.com": ("clusterpolicies",),  # the GPU Operator's, on request
        "monitoring.coreos.com": ("podmonitors", "servicemonitors"),  # where Prometheus' operator is
        "": ("persistentvolumeclaims",),  # of models with weights
        "admissionregistration.k8s.io": ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
    }
    for group, resources in real_charts_hold.items():
        yield from ((verb, group, each) for each in resources for verb in ("create", "patch", "delete"))
    yield "watch", "batch", "jobs"  # until the hooks of the GPU Operator's chart are done
    for each in ("roles", "clusterroles"):
        yield from ((verb, "rbac.authorization.k8s.io", each) for verb in ("bind", "escalate"))
    yield "watch", "batch", "jobs"  # hooks of real charts, which Helm waits for
    upgrades_change = {
        "": ("serviceaccounts", "secrets"),  # revoking keys patches Secrets
        "apps": ("deployments",),
        "serving.kserve.io": ("clusterstoragecontainers",),
        "admissionregistration.k8s.io": ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"),
    }
    for group, resources in upgrades_change.items():
        yield from (("patch", group, each) for each in resources)


def test_limits_fail_closed(story: Story) -> None:
    (operator,) = kuadrant.operator_deployments(story.beginning.read)
    assert kuadrant.fails_closed(operator)
