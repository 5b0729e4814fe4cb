"""MAAS-904 tells of lists that may not hold all there is."""

import dataclasses

from maas.readiness.findings import Status
from tests.kubernetes.offline import asked, facts, found


def test_a_cluster_itself_has_no_parts() -> None:
    (finding,) = found("MAAS-904", facts(), asked())
    assert finding.status is Status.skipped


def test_a_snapshot_of_everything_passes() -> None:
    (finding,) = found("MAAS-904", facts(live=False), asked())
    assert finding.status is Status.passed


def test_parts_are_told_some_of_them_by_name() -> None:
    partial = {f"kind{number}": f"the snapshot holds kind{number} of the namespace llm only" for number in range(7)}
    (finding,) = found("MAAS-904", dataclasses.replace(facts(live=False), partial=partial), asked())
    assert finding.status is Status.warning
    assert finding.message == "7 lists of the snapshot may not hold all there is"
    assert [seen.object for seen in finding.seen] == ["kind0", "kind1", "kind2", "kind3", "kind4", "and 2 more"]
