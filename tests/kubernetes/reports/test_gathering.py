"""What commands know before they judge: which target it is, and what was asked."""

from dataclasses import replace

from maas.cli.facts import asked, target_of
from maas.cluster import kinds
from maas.cluster.facts.model import Cause, Unread
from maas.readiness.catalogue import Phase, Target
from tests.kubernetes.offline import facts

_VERSION = {"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": {"name": "version"}}
_NOT_READ = Unread(Cause.failed, "discovery failed")


def test_openshift_is_what_serves_its_configuration() -> None:
    assert target_of(facts(serves=[kinds.CLUSTER_VERSION])) is Target.openshift
    assert target_of(facts()) is Target.kubernetes


def test_other_red_hat_apis_make_no_openshift() -> None:
    assert target_of(facts(serves=[kinds.CSV, kinds.DATA_SCIENCE_CLUSTER])) is Target.kubernetes


def test_without_discovery_its_objects_tell() -> None:
    assert target_of(replace(facts(_VERSION), apis=_NOT_READ)) is Target.openshift
    assert target_of(replace(facts(), apis=_NOT_READ)) is Target.kubernetes


def test_an_explicit_target_wins() -> None:
    assert asked(facts(), "openshift").target is Target.openshift


def test_models_may_be_lists() -> None:
    assert asked(facts(), models=["a, b", "c"]).models == {"a", "b", "c"}
    assert asked(facts(), models=[" "], phase=Phase.after).models == {"simulator"}
