"""The printed role holds what every variant of an installation writes, and no more than it says."""

from collections.abc import Iterator

import pytest

from maas.cluster import kinds, rbac, sites
from maas.cluster.access import Permission, needed
from maas.cluster.plan.model import Apply, Approve, Restart, Step
from maas.cluster.plan.planning import every_step
from maas.cluster.uninstalling.parts import PARTS
from maas.cluster.wanted import Target, Wanted
from maas.domain import platform_file
from maas.models.gpus import of_product
from maas.models.sizing.fit import Device
from tests.kubernetes.installation.audit import Permission as Allowed
from tests.kubernetes.installation.audit import granted

_MODELS = """\
  qwen3:
    runtime: vllm
    weights: Qwen/Qwen3-0.6B
  elsewhere:
    runtime: external
    url: https://models.example.com/v1
"""


def _wanted(target: Target) -> Wanted:
    known = of_product("Tesla-T4")
    assert known is not None
    site = sites.assumed(target, Device(known.name, 15360 * 2**20, 75))
    text = platform_file.default_text()
    head, models, rest = text.partition("models:\n")
    return Wanted(platform_file.load(head + models + _MODELS + rest), site, gpu_operator=True)


def _written(steps: list[Step]) -> Iterator[tuple[str, Allowed]]:
    for step in steps:
        for action in step.actions:
            if isinstance(action, Apply):
                kind = kinds.of(action.object)
                yield from ((step.key, (verb, kind.group, kind.plural)) for verb in ("create", "patch", "delete"))
            elif isinstance(action, Restart):
                yield step.key, ("patch", action.kind.group, action.kind.plural)
            elif isinstance(action, Approve):
                yield step.key, ("patch", "operators.coreos.com", "installplans")


@pytest.mark.parametrize("target", list(Target))
def test_whatever_a_step_writes_may_be_written_and_removed_again(target: Target) -> None:
    allowed = granted(rbac.cluster_role(target)["rules"])
    missing = {wanted for wanted in _written(every_step(_wanted(target))) if wanted[1] not in allowed}
    assert not missing


@pytest.mark.parametrize("target", list(Target))
def test_whatever_is_read_may_be_read(target: Target) -> None:
    allowed = granted(rbac.cluster_role(target)["rules"])
    theirs = ("openshift.io", "coreos.com", "opendatahub.io", "knative.dev", "maistra.io", "sailoperator.io")
    for kind in (*kinds.ALL, *kinds.OURS):
        if target is Target.openshift or not kind.group.endswith(theirs):
            assert {("get", kind.group, kind.plural), ("list", kind.group, kind.plural)} <= allowed, kind.key


@pytest.mark.parametrize("target", list(Target))
def test_what_the_preflight_check_asks_for_is_in_the_role(target: Target) -> None:
    assert {_named(each) for each in needed(target)} <= granted(rbac.cluster_role(target)["rules"])


def _named(permission: Permission) -> Allowed:
    below = f"/{permission.subresource}" if permission.subresource else ""
    return permission.verb, permission.group, f"{permission.resource}{below}"


@pytest.mark.parametrize("target", list(Target))
def test_nothing_but_reading_is_allowed_by_a_star(target: Target) -> None:
    for rule in rbac.cluster_role(target)["rules"]:
        assert "*" not in [*rule["apiGroups"], *rule["verbs"]]
        assert "*" not in rule["resources"] or set(rule["verbs"]) == {"get", "list"}


def test_on_openshift_it_gives_no_way_to_more_rights() -> None:
    """There, OLM gives operators theirs. On Kubernetes charts do, and the role says that it escalates."""
    assert rbac.escalates("kubernetes")
    assert not rbac.escalates("openshift")
    writes = {"create", "patch", "update", "bind", "escalate"}
    rights = {each for each in granted(rbac.cluster_role("openshift")["rules"]) if each[1].startswith("rbac.")}
    assert not {verb for verb, _, _ in rights} & writes


def test_a_part_is_removed_before_those_that_it_needs() -> None:
    order = [part.key for part in PARTS]
    for part in PARTS:
        assert all(order.index(part.key) < order.index(needed) for needed in part.needs), part.key


def test_the_objects_bind_a_service_account_of_its_own() -> None:
    namespace, account, role, binding = rbac.objects("kubernetes")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"][0]["name"] == account["metadata"]["name"]
    assert account["metadata"]["namespace"] == namespace["metadata"]["name"]
