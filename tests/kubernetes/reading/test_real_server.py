"""A real API server: what it serves, what RBAC keeps from whom, and every verb of changes."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from maas.cluster.api import Api
from maas.cluster.changes import Change, Verb, edit, restart, set_labels
from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.failures import Conflicting, Denied, LoginFailed, Missing, Refused, Untrusted
from maas.cluster.kinds import CONFIG_MAP, DEPLOYMENT, GATEWAY, NAMESPACE, NODE, POD, SECRET, SERVICE
from maas.cluster.objects import annotation, at, label, name, text
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.front import Fault, front

T = TypeVar("T")
NOW = 1_790_000_000.0


def using(kubeconfig: Path, use: Callable[[Api], Awaitable[T]]) -> T:
    async def run() -> T:
        async with connect(kubeconfig=kubeconfig) as api:
            return await use(api)

    return asyncio.run(run())


def facts(kubeconfig: Path, **asked: Any) -> Facts:
    return using(kubeconfig, lambda api: live.read(api, deadline=60, tools=False, **asked))


@pytest.fixture
def admin(cluster: Cluster) -> Iterator[httpx.Client]:
    with cluster.client() as client:
        yield client


@pytest.fixture
def space(admin: httpx.Client) -> str:
    """A namespace for one test."""
    made = f"reading-{uuid.uuid4().hex[:8]}"
    admin.post("/api/v1/namespaces", json={"metadata": {"name": made}}).raise_for_status()
    return made


def make(admin: httpx.Client, path: str, body: dict[str, Any]) -> None:
    admin.post(path, json=body).raise_for_status()


DEPLOYED = {
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}},
    },
}


def test_administrators_read_everything_there_is(cluster: Cluster, admin: httpx.Client, space: str) -> None:
    make(admin, f"/apis/apps/v1/namespaces/{space}/deployments", DEPLOYED)
    found = facts(cluster.kubeconfig())
    assert not [key for key, each in found.lists.items() if isinstance(each, Unread)]
    mine = found.one(DEPLOYMENT, "web", space)
    assert mine is not None and (mine["apiVersion"], mine["kind"]) == ("apps/v1", "Deployment")
    assert "managedFields" not in mine["metadata"]
    assert not found.serves(GATEWAY) and GATEWAY.key not in found.lists
    assert found.serves(NODE) and found.served_versions(DEPLOYMENT) == ["v1"]
    assert text(found.version, "gitVersion").startswith("v1.")
    assert [entry["verb"] for entry in found.probe("access") or ()] == ["*"]


def test_who_may_read_little_learns_what_was_not_read(cluster: Cluster, admin: httpx.Client, space: str) -> None:
    user = f"eve-{space}"
    cluster.allow(user, {"apiGroups": [""], "resources": ["namespaces", "services"], "verbs": ["list"]})
    found = facts(cluster.kubeconfig(user))
    assert space in {name(each) for each in found.all(NAMESPACE)}
    assert not isinstance(found.lists[SERVICE.key], Unread)
    denied = found.lists[POD.key]
    assert isinstance(denied, Unread) and denied.cause is Cause.denied
    assert denied.reason.startswith(f'listing pods was denied: pods is forbidden: User "{user}" cannot list')
    entries = found.probe("access")
    assert entries and not any(entry["allowed"] for entry in entries)


def test_who_may_do_one_thing_is_told_so(cluster: Cluster, space: str) -> None:
    user = f"ann-{space}"
    cluster.allow(user, {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]})
    allowed = [entry for entry in facts(cluster.kubeconfig(user)).probe("access") or () if entry["allowed"]]
    assert [(entry["verb"], entry["resource"]) for entry in allowed] == [("create", "namespaces")]


def test_impersonation_is_passed_on(cluster: Cluster, tmp_path: Path) -> None:
    config = json.loads(cluster.kubeconfig().read_text())
    config["users"][0]["user"] |= {"as": "nobody-at-all"}
    (tmp_path / "c").write_text(json.dumps(config))
    denied = facts(tmp_path / "c").lists[POD.key]
    assert isinstance(denied, Unread) and 'User "nobody-at-all"' in denied.reason


def test_a_token_that_nobody_knows(cluster: Cluster) -> None:
    with pytest.raises(LoginFailed, match=r"\(401\)") as caught:
        facts(cluster.kubeconfig(token="s3cret"))
    assert "s3cret" not in str(caught.value)


def test_its_certificate_is_not_trusted_without_its_authority(cluster: Cluster, tmp_path: Path) -> None:
    config = json.loads(cluster.kubeconfig().read_text())
    del config["clusters"][0]["cluster"]["certificate-authority"]
    (tmp_path / "c").write_text(json.dumps(config))
    with pytest.raises(Untrusted):
        facts(tmp_path / "c")


def test_more_than_a_page(cluster: Cluster, admin: httpx.Client, space: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maas.cluster.api._PAGE", 3)
    for index in range(10):
        port = [{"port": 80}]
        make(
            admin, f"/api/v1/namespaces/{space}/services", {"metadata": {"name": f"s{index}"}, "spec": {"ports": port}}
        )

    async def listed(api: Api) -> tuple[list[str], int]:
        services = await api.list(SERVICE, "v1")
        return [name(each) for each in services if at(each, "metadata", "namespace") == space], api.traffic.calls

    names, calls = using(cluster.kubeconfig(), listed)
    assert names == [f"s{index}" for index in range(10)]
    assert calls >= 4


def test_a_list_expired_by_compaction_is_begun_anew(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own 410: for a continue token of a revision that never was kept."""

    async def listed(api: Api) -> int:
        found = await api.list(NAMESPACE, "v1")
        return len(found)

    monkeypatch.setattr("maas.cluster.api._PAGE", 2)
    with front(cluster, faults=(Fault("continue=", status=410, times=1),)) as before:
        assert using(cluster.kubeconfig(url=before.url), listed) >= 4
        assert [call.status for call in before.calls].count(410) >= 1


def test_keys_are_not_in_the_facts(cluster: Cluster, admin: httpx.Client, space: str) -> None:
    for called, value in (("one", "canary-a"), ("two", "canary-a"), ("three", "canary-b")):
        labels = {"authorino.kuadrant.io/managed-by": "authorino"}
        body = {"metadata": {"name": called, "labels": labels}, "stringData": {"api_key": value}}
        make(admin, f"/api/v1/namespaces/{space}/secrets", body)
    make(admin, f"/api/v1/namespaces/{space}/secrets", {"metadata": {"name": "other"}, "stringData": {"x": "canary"}})
    found = facts(cluster.kubeconfig())
    mine = {name(each): at(each, "data", "api_key") for each in found.all(SECRET) if space in str(each["metadata"])}
    assert set(mine) == {"one", "two", "three"}
    assert mine["one"] == mine["two"] != mine["three"]
    assert "canary" not in str(found.lists) and "Y2FuYXJ5" not in str(found.lists)


@pytest.mark.parametrize("dry_run", [True, False])
def test_every_verb_of_a_change(cluster: Cluster, admin: httpx.Client, space: str, dry_run: bool) -> None:
    make(admin, f"/apis/apps/v1/namespaces/{space}/deployments", DEPLOYED)
    where = f"/apis/apps/v1/namespaces/{space}/deployments/web"
    applied = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": space},
        "data": {"a": "1"},
    }
    replicas = [{"op": "replace", "path": "/spec/replicas", "value": 3}]

    async def change(api: Api) -> list[Any]:
        changes = [
            set_labels(DEPLOYMENT, "web", {"team": "x"}, space),
            edit(DEPLOYMENT, "web", space, replicas),
            restart(DEPLOYMENT, "web", space),
            Change(Verb.apply, CONFIG_MAP, "settings", space, applied),
            Change(Verb.delete, DEPLOYMENT, "web", space),
        ]
        return [await api.carry_out(each, dry_run=dry_run, now=NOW) for each in changes]

    before = admin.get(where).json()
    labelled, edited, restarted, made, _ = using(cluster.kubeconfig(), change)
    assert label(labelled, "team") == "x"
    assert at(edited, "spec", "replicas") == 3
    stamp = at(restarted, "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")
    assert stamp == "2026-09-21T14:13:20Z"
    assert made["metadata"]["managedFields"][0]["manager"] == "maas"
    if dry_run:
        assert admin.get(where).json() == before  # its resourceVersion, too
        assert admin.get(f"/api/v1/namespaces/{space}/configmaps/settings").status_code == 404
    else:
        assert admin.get(where).status_code == 404 or "deletionTimestamp" in admin.get(where).json()["metadata"]
        assert admin.get(f"/api/v1/namespaces/{space}/configmaps/settings").json()["data"] == {"a": "1"}


def test_changes_that_are_refused_say_by_what(cluster: Cluster, admin: httpx.Client, space: str) -> None:
    make(admin, f"/apis/apps/v1/namespaces/{space}/deployments", DEPLOYED)
    user = f"joe-{space}"
    cluster.allow(user, {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]})
    wrong = Change(Verb.patch, DEPLOYMENT, "web", space, {"spec": {"replicas": -1}})
    own = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": space}}
    taken = Change(Verb.apply, DEPLOYMENT, "web", space, {**own, "spec": {"replicas": 7}})

    async def carried_out(api: Api, change: Change) -> None:
        await api.carry_out(change, dry_run=True, now=NOW)

    expected = [
        ("admin", wrong, Refused, f"changing deployments.apps {space}/web: .*spec.replicas"),
        ("admin", restart(DEPLOYMENT, "gone", space), Missing, f"deployments.apps {space}/gone: .*not found"),
        ("admin", Change(Verb.delete, GATEWAY, "g", space), Missing, r"the cluster does not serve this API \(404\)"),
        ("admin", taken, Conflicting, "conflict"),
        (user, restart(DEPLOYMENT, "web", space), Denied, f'was denied: .*User "{user}" cannot patch'),
    ]
    for who, change, error, said in expected:
        with pytest.raises(error, match=said):
            using(cluster.kubeconfig(who), lambda api, change=change: carried_out(api, change))  # type: ignore[misc]


def test_a_change_finds_the_version_that_is_served(cluster: Cluster, admin: httpx.Client, space: str) -> None:
    from dataclasses import replace

    make(admin, f"/apis/apps/v1/namespaces/{space}/deployments", DEPLOYED)
    kind = replace(DEPLOYMENT, versions=("v9", "v1"))
    changed = using(
        cluster.kubeconfig(),
        lambda api: api.carry_out(set_labels(kind, "web", {"x": "y"}, space), dry_run=False, now=NOW),
    )
    assert label(changed, "x") == "y" and annotation(changed, "x") == ""


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/pods", status=500, times=2),
        Fault("/nodes", status=429, retry_after=1, times=1),
        Fault("/services", drop=True, times=2),
        Fault("/deployments", half=True, times=2),
        Fault("/version", status=503, times=1),
    ],
    ids=lambda fault: f"{fault.path}",
)
def test_what_a_network_does_now_and_then_is_not_noticed(cluster: Cluster, fault: Fault) -> None:
    with front(cluster, faults=(fault,)) as before:
        found = facts(cluster.kubeconfig(url=before.url))
    assert not [key for key, each in found.lists.items() if isinstance(each, Unread)]
    assert before.most_together <= 8
