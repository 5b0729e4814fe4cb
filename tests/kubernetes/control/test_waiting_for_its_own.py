"""A change waits for the models that it touches, and for no others."""

from typing import Any

import pytest

from maas.cluster.applying import Told
from maas.cluster.control import changing
from maas.cluster.kinds import INFERENCE_SERVICE
from maas.cluster.plan.conditions import ready
from maas.cluster.plan.model import Apply, Delete, Plan, Step, Wait


def model(name: str, **requests: str) -> dict[str, Any]:
    container = {"name": "kserve-container", "resources": {"requests": requests}}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": "llm"},
        "spec": {"predictor": {"containers": [container]}},
    }


def waits(*names: str) -> tuple[Wait, ...]:
    return tuple(Wait(INFERENCE_SERVICE, each, "llm", ready, f"{each} is Ready") for each in names)


def names(plan: Plan) -> list[str]:
    return [wait.name for step in plan.steps for wait in step.waits]


def test_removing_a_model_waits_for_no_other() -> None:
    gone = Delete(INFERENCE_SERVICE, "old", "llm", "it is no longer wanted")
    plan = Plan([Step("models", "models", "", (gone,), waits("pending"))])
    assert names(changing._without_others(plan)) == []
    elsewhere = Plan([Step("routes", "routes", "", (gone,)), Step("models", "models", "", (), waits("pending"))])
    assert [step.key for step in changing._without_others(elsewhere).steps] == ["routes"]


def test_adding_one_waits_for_it_alone() -> None:
    plan = Plan([Step("models", "models", "", (Apply(model("new")),), waits("new", "pending"))])
    assert names(changing._without_others(plan)) == ["new"]


def test_what_was_cut_short_is_waited_for() -> None:
    plan = Plan([Step("models", "models", "", (), waits("pending"))])
    assert names(changing._without_others(plan)) == ["pending"]


class Noting(changing.Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def noted(self, step: Step, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize(("requests", "said"), [({"nvidia.com/gpu": "1"}, True), ({"cpu": "1"}, False)])
def test_a_model_that_asks_for_gpus_where_there_are_none_is_told_of(requests: dict[str, str], said: bool) -> None:
    told = Noting()
    asked: Told = told
    changing._tell_of_gpus(asked, Plan([Step("models", "models", "", (Apply(model("new", **requests)),))]))
    assert told.said == (["no node has a GPU now: new will wait until one has"] if said else [])
