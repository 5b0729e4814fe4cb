"""The same cluster, live on a real API server and from a snapshot taken of it, is judged the same; and as offline."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from maas.cluster.connection import connect
from maas.cluster.facts import live as live_facts
from maas.cluster.facts import snapshot, snapshot_writing
from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked
from maas.readiness.judging import judge
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.living import live
from tests.kubernetes.clusters.scenario import Scenario

_OF_THE_READING = "MAAS-9"  # checks of how the facts were read: a snapshot's files
# What was tried on a live cluster and not written into an object: tools at hand, names resolved, a dry run.
_TRIED = {"MAAS-112", "MAAS-113", "MAAS-152", "MAAS-159", "MAAS-222"}


def read(cluster: Cluster) -> Facts:
    async def all_of_it() -> Facts:
        async with connect(kubeconfig=cluster.kubeconfig()) as api:
            return await live_facts.read(api, deadline=60, watch=None, logs=True)

    return asyncio.run(all_of_it())


def said(facts: Facts, asked: Asked) -> list[tuple[str, str, str, str]]:
    found = judge(facts, asked, skip=[_OF_THE_READING])
    return [(each.code, each.status, each.about, each.message) for each in found]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("made", typical.ALL, ids=lambda made: str(made.__name__))
def test_live_from_a_snapshot_and_offline(made: Callable[[], Scenario], tmp_path: Path) -> None:
    scenario = made()
    with live(scenario) as cluster:
        facts = read(cluster)
    snapshot_writing.write(facts, tmp_path / "snapshot.tar.gz")
    assert said(snapshot.read(tmp_path / "snapshot.tar.gz"), scenario.asked) == said(facts, scenario.asked)
    offline, found = (
        {(code, status, about) for code, status, about, _ in said(each, scenario.asked) if code not in _TRIED}
        for each in (scenario.facts(), facts)
    )
    assert (offline - found, found - offline) == (set(), set())
