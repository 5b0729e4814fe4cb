"""Taints and tolerations, as Kubernetes matches them."""

from typing import Any

import pytest

from maas.cluster.nodes import described, foreign_taints, is_usable
from tests.kubernetes.nodes.made import node


@pytest.mark.parametrize(
    ("toleration", "covered"),
    [
        ({"key": "team", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "team", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}, True),
        ({"key": "team", "value": "ml"}, True),
        ({"key": "team", "value": "web"}, False),
        ({"key": "team"}, False),
        ({"key": "other", "value": "ml"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, False),
        ({}, False),
    ],
)
def test_tolerations(toleration: dict[str, Any], covered: bool) -> None:
    tainted = node("a", taints=["team=ml:NoSchedule"])
    assert (foreign_taints(tainted, [toleration]) == []) is covered
    assert is_usable(tainted, [toleration]) is covered


def test_one_toleration_for_each_taint() -> None:
    tainted = node("a", taints=["team=ml:NoSchedule", "gpu:NoExecute"])
    assert [described(each) for each in foreign_taints(tainted, [{"key": "team", "operator": "Exists"}])] == [
        "gpu:NoExecute"
    ]


def test_what_kubernetes_taints_itself_is_told_by_conditions() -> None:
    assert is_usable(node("a", taints=["node.kubernetes.io/disk-pressure:NoSchedule"]))
    assert not is_usable(node("a", ready="False", taints=["node.kubernetes.io/not-ready:NoExecute"]))
