"""A cluster that somebody exported by hand gives the facts that it gives live, on a real API server."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from maas.cluster.connection import connect
from maas.cluster.facts import live as live_facts
from maas.cluster.facts import snapshot
from maas.cluster.facts.model import Facts, Unread
from maas.cluster.kinds import ALL, SECRET, Kind
from maas.cluster.objects import Object, place
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.living import live
from tests.kubernetes.snapshots import trees


def _read(cluster: Cluster) -> Facts:
    async def all_of_it() -> Facts:
        async with connect(kubeconfig=cluster.kubeconfig()) as api:
            return await live_facts.read(api, deadline=60, logs=False)

    return asyncio.run(all_of_it())


def _exported(client: httpx.Client, kind: Kind, version: str) -> dict[str, Any] | None:
    """As `kubectl get KIND -A -o yaml`; None where the cluster does not serve it."""
    prefix = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    answer = client.get(f"{prefix}/{kind.plural}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    found = answer.raise_for_status().json()
    own = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
    return trees.list_of(*({**own, **each} for each in found["items"]))


def _without_kind(objects: Sequence[Object] | Unread) -> dict[str, Any]:
    """An API server leaves the kind away in a list."""
    assert not isinstance(objects, Unread), objects
    return {place(each): {key: each[key] for key in each if key not in ("kind", "apiVersion")} for each in objects}


@pytest.mark.timeout(240)
def test_every_kind_is_the_same(tmp_path: Path) -> None:
    with live(typical.ALL[-1]()) as cluster:
        facts = _read(cluster)
        with cluster.client() as client:
            for kind in ALL:
                served = facts.served_versions(kind)
                version = next((each for each in kind.versions if each in served), "")
                if version and (document := _exported(client, kind, version)):
                    data = yaml.dump(document, Dumper=yaml.CSafeDumper)
                    (tmp_path / f"{kind.key}.yaml").write_text(data)
    exported = snapshot.read(tmp_path)
    assert not exported.unreadable
    assert not exported.partial
    assert exported.lists.keys() == facts.lists.keys()
    for kind in ALL:
        if kind is not SECRET and kind.key in facts.lists:
            assert _without_kind(exported.lists[kind.key]) == _without_kind(facts.lists[kind.key]), kind.key
        assert exported.serves(kind) == facts.serves(kind), kind.key
