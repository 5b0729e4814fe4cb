"""What we made and nobody wants any more goes; nothing else ever does."""

from typing import Any

import pytest

from maas.cluster import kinds
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import (
    AUTH_POLICY,
    CRD,
    DEPLOYMENT,
    GATEWAY,
    HTTP_ROUTE,
    INFERENCE_SERVICE,
    NAMESPACE,
    RATE_LIMIT_POLICY,
    SECRET,
    SERVICE,
    SUBSCRIPTION,
)
from maas.cluster.objects import Object
from maas.cluster.plan.model import Plan, Step
from maas.cluster.plan.planning import reduced
from tests.kubernetes.plan.making import actions, config_map, facts, made, ours, step


def pruned(*found: Object, steps: tuple[Step, ...] = (), **options: Any) -> Plan:
    return reduced(steps, facts(*found, **options), "llm")


def test_a_model_taken_out_goes_with_all_that_was_made_for_it() -> None:
    model, route = made(INFERENCE_SERVICE, "qwen3"), made(HTTP_ROUTE, "qwen3")
    service, kept = made(SERVICE, "qwen3"), made(INFERENCE_SERVICE, "simulator")
    plan = pruned(*map(ours, (model, route, service, kept)), steps=(step("models", kept),))
    assert actions(plan.steps) == {"removed models": ["Delete qwen3", "Delete qwen3"], "leftovers": ["Delete qwen3"]}
    assert plan.steps[0].affects == "who asks for qwen3 gets 404"


def test_it_goes_before_other_models_start_and_the_rest_after_all() -> None:
    """A new model may need the GPU of the old one; new limits are there before old ones go."""
    old, new = made(INFERENCE_SERVICE, "old"), made(INFERENCE_SERVICE, "new")
    limits, others = made(RATE_LIMIT_POLICY, "requests"), made(AUTH_POLICY, "who")
    plan = pruned(ours(old), ours(limits), steps=(step("models", new), step("policies", others)))
    assert [each.key for each in plan.steps] == ["policies", "removed models", "models", "leftovers"]
    assert set(plan.steps[-1].needs) == {"policies", "models", "removed models"}


@pytest.mark.parametrize(
    "found",
    [
        made(INFERENCE_SERVICE, "theirs"),
        ours(made(INFERENCE_SERVICE, "elsewhere", "team-b")),
        ours(made(SUBSCRIPTION, "gpu-operator-certified")),
        ours(made(GATEWAY, "another")),
        ours(made(NAMESPACE, "another", "")),
        ours({**made(CRD, "gateways.gateway.networking.k8s.io", "")}),
        ours(
            {
                **made(SERVICE, "qwen3-predictor"),
                "metadata": {**made(SERVICE, "x")["metadata"], "ownerReferences": [{}]},
            }
        ),
    ],
)
def test_what_never_goes(found: Object) -> None:
    """What others made, what is elsewhere, components, what holds other things, and what a controller made of ours."""
    assert pruned(found).is_empty


def test_keys_are_for_the_command_that_revokes_them() -> None:
    key = made(SECRET, "key-1")
    key["metadata"]["labels"] |= {"authorino.kuadrant.io/managed-by": "authorino"}
    assert pruned(ours(key)).is_empty


def test_secrets_that_something_wanted_names_stay() -> None:
    """Their values are known only where the model was added: a plan made elsewhere does not have them."""
    kept, named, left = (ours(made(SECRET, each)) for each in ("mounted", "in-a-variable", "of-a-model-that-went"))
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "in-a-variable", "key": "key"}}}]
    spec = {"volumes": [{"secret": {"secretName": "mounted"}}], "containers": [{"name": "a", "env": env}]}
    wanted = made(DEPLOYMENT, "elsewhere", spec={"template": {"spec": spec}})
    plan = pruned(kept, named, left, ours(wanted), steps=(step("models", wanted),))
    assert actions(plan.steps) == {"leftovers": ["Delete of-a-model-that-went"]}


def test_a_list_that_was_not_read_prunes_nothing() -> None:
    unread = {SERVICE.key: Unread(Cause.denied, "no"), INFERENCE_SERVICE.key: Unread(Cause.timeout, "slow")}
    assert pruned(unread=unread).is_empty


def test_what_is_going_already_is_not_told_again() -> None:
    found = dict(ours(made(SERVICE, "old")))
    found["metadata"] = {**found["metadata"], "deletionTimestamp": "2026-09-20T06:00:00Z"}
    assert pruned(found).is_empty


def test_shared_namespaces_are_tidied_only_by_the_only_installation() -> None:
    old = ours(config_map("old", "kuadrant-system"))
    wanted = step("one", config_map("new", "kuadrant-system"))
    assert "leftovers" in actions(pruned(old, steps=(wanted,)).steps)
    other = ours(made(GATEWAY, "maas-gateway", "team-b"))
    assert "leftovers" not in actions(pruned(old, other, steps=(wanted,)).steps)


def test_nothing_is_pruned_unasked() -> None:
    assert reduced([], facts(ours(made(SERVICE, "old")))).is_empty


def test_kinds_that_are_pruned_are_among_those_that_are_read() -> None:
    from maas.cluster.plan import pruning

    known = {kind.key.partition("@")[0] for kind in (*kinds.ALL, *kinds.OURS)}
    assert {kind.key.partition("@")[0] for kind in (*pruning._AT_WORK, *pruning._LATER)} <= known
