"""What a snapshot holds only a part of is no ground for saying that all is well."""

from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import DEPLOYMENT, NETWORK_POLICY, POD, QUOTA, Kind
from maas.readiness.findings import Status
from tests.kubernetes.clusters.making import made
from tests.kubernetes.nodes.made import A10G, node
from tests.kubernetes.offline import asked, facts, found

HELD = "the snapshot holds objects of 2 namespaces only"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("MAAS-123", POD),
        ("MAAS-123", DEPLOYMENT),
        ("MAAS-126", QUOTA),
        ("MAAS-131", POD),
        ("MAAS-143", QUOTA),
        ("MAAS-155", NETWORK_POLICY),
        ("MAAS-156", NETWORK_POLICY),
        ("MAAS-157", NETWORK_POLICY),
    ],
)
def test_a_part_proves_nothing(code: str, kind: Kind) -> None:
    whole = facts(node("g", gpus=1, labels=A10G))
    (before,) = {each.status for each in found(code, whole, asked(gpu=True))}
    assert before in (Status.passed, Status.skipped)
    (said,) = found(code, replace(whole, partial={kind.key: HELD}), asked(gpu=True))
    assert (said.status, said.message) == (Status.unknown, HELD)


@pytest.mark.parametrize(
    ("code", "objects"),
    [
        ("MAAS-131", [node("a")]),
        ("MAAS-155", [made("networking.k8s.io/v1", "NetworkPolicy", "deny", "llm", spec={"podSelector": {}})]),
    ],
)
def test_what_is_wrong_in_a_part_is_wrong(code: str, objects: list[dict[str, Any]]) -> None:
    part = replace(facts(*objects), partial={POD.key: HELD, NETWORK_POLICY.key: HELD})
    assert found(code, part, asked(gpu=True))[0].status is Status.failed


@pytest.mark.parametrize("number", range(101, 160))
def test_where_nothing_was_read_nothing_passes_but_what_was_tried(number: int) -> None:
    from maas.cluster.kinds import ALL

    denied = Unread(Cause.denied, "it was denied")
    nothing = replace(facts(unread=dict.fromkeys(ALL, denied)), apis=denied, version=denied)
    for each in found(f"MAAS-{number}", nothing, asked(gpu=True)):
        assert each.status is not Status.passed, each
        assert "should not happen" not in each.message
