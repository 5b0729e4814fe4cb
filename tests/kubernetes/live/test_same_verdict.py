"""The same cluster, live on a real API server and from a snapshot taken of it, is judged the same; and as offline."""

from collections.abc import Callable
from pathlib import Path

import pytest

from maas.cluster.facts import snapshot, snapshot_writing
from tests.kubernetes.clusters import others, typical
from tests.kubernetes.clusters.living import live
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.live.reading import read, said

# What was tried on a live cluster and not written into an object: tools at hand, names resolved, a dry run.
_TRIED = {"MAAS-112", "MAAS-113", "MAAS-152", "MAAS-159", "MAAS-222"}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("made", [*typical.ALL, others.by_others], ids=lambda made: str(made.__name__))
def test_live_from_a_snapshot_and_offline(made: Callable[[], Scenario], tmp_path: Path) -> None:
    scenario = made()
    with live(scenario) as cluster:
        facts = read(cluster.kubeconfig())
    snapshot_writing.write(facts, tmp_path / "snapshot.tar.gz")
    assert said(snapshot.read(tmp_path / "snapshot.tar.gz"), scenario.asked) == said(facts, scenario.asked)
    offline, found = (
        {(code, status, about) for code, status, about, _ in said(each, scenario.asked) if code not in _TRIED}
        for each in (scenario.facts(), facts)
    )
    assert (offline - found, found - offline) == (set(), set())
