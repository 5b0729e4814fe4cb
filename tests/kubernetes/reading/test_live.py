"""Reading a whole cluster: everything that is there, and why the rest is not; never longer than there is time."""

import asyncio
import gc
import io
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.facts.model import Cause, Facts, NotRead, Step, Unread
from maas.cluster.failures import LoginFailed, Unreachable
from maas.cluster.kinds import ALL, AUTH_POLICY, CRD, GATEWAY, INGRESS_CONFIG, NODE, POD, ROUTE, SECRET, Kind
from maas.cluster.objects import name
from tests.kubernetes.connection.configs import write
from tests.kubernetes.connection.test_plugins import credential, plugin, script
from tests.kubernetes.played import Answer, Request, Server, listed, playing, status
from tests.kubernetes.reading.pretending import LOCATIONS, ORDINARY, aggregated, pod, pretending, read, with_api


def unread(facts: Facts) -> Mapping[str, Unread]:
    return {key: found for key, found in facts.lists.items() if isinstance(found, Unread)}


def test_everything_that_is_served_is_read(tmp_path: Path) -> None:
    facts = read(tmp_path, pretending({POD: [pod("a")], NODE: [{"metadata": {"name": "n"}}]}))
    assert set(facts.lists) == {kind.key for kind in ALL}
    assert unread(facts) == {}
    assert [name(each) for each in facts.all(POD)] == ["a"]
    assert facts.version == {"gitVersion": "v1.34.4", "major": "1", "minor": "34"}
    assert facts.serves(GATEWAY) and facts.source.live
    assert facts.probe("access") == [
        {
            "verb": "*", "group": "*", "resource": "*", "subresource": "", "namespace": "",
            "allowed": True, "reason": "",
        }
    ]  # fmt: skip


def test_objects_say_what_they_are(tmp_path: Path) -> None:
    """Items of a list don't, and metadata calls itself PartialObjectMetadata."""
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "x"}}
    facts = read(tmp_path, pretending({NODE: [{"metadata": {"name": "n"}}], CRD: [partial]}))
    assert [(each["apiVersion"], each["kind"]) for each in (*facts.all(NODE), *facts.all(CRD))] == [
        ("v1", "Node"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ]


def test_what_is_denied_is_unread_with_the_servers_words(tmp_path: Path) -> None:
    denied = [path for index, path in enumerate(LOCATIONS) if index % 2]

    async def spoil(request: Request) -> Any:
        return status(403, f"{request.path} is forbidden") if request.path in denied else ORDINARY

    facts = read(tmp_path, pretending({}, spoil))
    assert set(unread(facts)) == {LOCATIONS[path].key for path in denied}
    assert {each.cause for each in unread(facts).values()} == {Cause.denied}
    kind = LOCATIONS[denied[0]]
    assert unread(facts)[kind.key].reason == f"listing {kind.key} was denied: {denied[0]} is forbidden"


def test_one_list_that_fails_spoils_no_other(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        return Answer(200, b"<html>") if request.path == "/api/v1/pods" else ORDINARY

    facts = read(tmp_path, pretending({}, spoil))
    assert list(unread(facts)) == ["pods"]
    assert unread(facts)["pods"].cause is Cause.failed
    assert "did not answer in JSON" in unread(facts)["pods"].reason


@pytest.mark.parametrize("hanging", ["/api/v1/pods", "/apis", "/version", "/api", ""])
def test_past_the_deadline_the_rest_is_unread(tmp_path: Path, hanging: str) -> None:
    async def spoil(request: Request) -> Any:
        if hanging in ("", request.path):
            await asyncio.sleep(60)
        return ORDINARY

    deadline = 8.0 if hanging in ("/api", "/apis") else 3.0
    began = time.monotonic()
    facts = read(tmp_path, pretending({}, spoil), deadline=deadline)
    assert time.monotonic() - began < deadline + 3
    timeouts = {each.cause for each in unread(facts).values()} | {
        each.cause for each in (facts.version, facts.apis) if isinstance(each, Unread)
    }
    assert timeouts == {Cause.timeout}
    if hanging == "/api/v1/pods":
        assert (
            unread(facts)["pods"].reason == "listing pods was not done within the 3 seconds there were for everything"
        )
        assert list(unread(facts)) == ["pods"]
    if hanging.startswith("/api") and hanging != "/api/v1/pods":
        assert unread(facts) == {} and isinstance(facts.apis, Unread)  # kinds are asked for all the same
    if not hanging:
        assert set(unread(facts)) == {kind.key for kind in ALL}
        with pytest.raises(NotRead):
            facts.all(POD)


def test_without_discovery_a_kind_that_is_not_there_is_absent(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        if request.path in ("/api", "/apis"):
            return status(403, "no discovery for you")
        return (
            status(404, "the server could not find the requested resource") if "kuadrant" in request.path else ORDINARY
        )

    facts = read(tmp_path, pretending({POD: [pod("a")]}, spoil))
    assert isinstance(facts.apis, Unread) and facts.apis.cause is Cause.denied
    assert len(facts.all(POD)) == 1
    assert not any("kuadrant" in key for key in facts.lists)


@pytest.mark.parametrize("code", [429, 500, 503])
def test_server_that_only_fails_gives_facts_all_the_same(tmp_path: Path, code: int) -> None:
    async def spoil(request: Request) -> Any:
        return status(code, "no")

    facts = read(tmp_path, pretending({}, spoil), deadline=4.0)
    assert set(unread(facts)) == {kind.key for kind in ALL}
    assert isinstance(facts.version, Unread) and isinstance(facts.probes["access"], Unread)


def test_server_that_drops_connections_now_and_then(tmp_path: Path) -> None:
    calls = 0

    async def spoil(request: Request) -> Any:
        nonlocal calls
        calls += 1
        return None if calls % 3 == 0 else ORDINARY

    assert unread(read(tmp_path, pretending({}, spoil))) == {}


def test_nobody_to_talk_to_is_an_error(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        return status(401, "Unauthorized")

    with pytest.raises(LoginFailed, match="does not accept the credentials"):
        read(tmp_path, pretending({}, spoil))

    async def gone(api: Any, server: Server) -> None:
        await live.read(api, deadline=5.0, tools=False)

    api = connect(None, write(tmp_path / "c", "https://api.cluster.invalid"))
    with pytest.raises(Unreachable, match="cannot be resolved"):
        asyncio.run(gone(api, Server("")))


def _with_plugin(tmp_path: Path, body: str, deadline: float) -> Facts:
    program = script(tmp_path / "plugin", body)
    user = plugin(program, interactiveMode="IfAvailable")

    async def run() -> Facts:
        async with (
            playing(pretending({})) as server,
            connect(None, write(tmp_path / "c", server.url, user=user)) as api,
        ):
            return await live.read(api, deadline=deadline, tools=False)

    return asyncio.run(run())


def test_logging_in_that_hangs_ends_at_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    began = time.monotonic()
    with pytest.raises(LoginFailed, match=r"Logging in to context here .* was not done within 0.5 seconds"):
        _with_plugin(tmp_path, "sleep 60", 0.5)
    assert time.monotonic() - began < 5


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_people_may_take_longer_than_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal())
    facts = _with_plugin(tmp_path, f"sleep 6; echo '{credential(token='abc')}'", 5.0)
    assert unread(facts) == {}


def test_the_collector_is_on_again_afterwards(tmp_path: Path) -> None:
    read(tmp_path, pretending({}))
    assert gc.isenabled()

    async def spoil(request: Request) -> Any:
        return status(401, "Unauthorized")

    with pytest.raises(LoginFailed):
        read(tmp_path, pretending({}, spoil))
    assert gc.isenabled()


def test_older_servers_are_asked_group_by_group(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        if request.path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if request.path == "/apis":
            both = [{"groupVersion": "x.example/v1"}]
            known = [{"groupVersion": f"route.openshift.io/{v}"} for v in ("v1beta1", "v1")]
            return {
                "kind": "APIGroupList",
                "groups": [
                    {"name": "route.openshift.io", "versions": known, "preferredVersion": known[1]},
                    {"name": "x.example", "versions": both},
                ],
            }
        if request.path == "/api/v1":
            return {"kind": "APIResourceList", "resources": [{"name": "pods"}, {"name": "pods/log"}]}
        if request.path.startswith("/apis/route.openshift.io/v1") and not request.path.endswith("routes"):
            return {"kind": "APIResourceList", "resources": [{"name": "routes"}]}
        return ORDINARY

    facts = read(tmp_path, pretending({POD: [pod("a")]}, spoil))
    assert set(facts.lists) == {POD.key, ROUTE.key}
    assert isinstance(facts.apis, Mapping)
    assert list(facts.apis) == ["v1", "route.openshift.io/v1", "route.openshift.io/v1beta1", "x.example/v1"]


def test_another_version_is_asked_for_where_ours_is_not_served(tmp_path: Path) -> None:
    beta = Kind("Gateway", "gateways", "gateway.networking.k8s.io", ("v1beta1",))

    async def spoil(request: Request) -> Any:
        if request.path == "/apis":
            return aggregated([beta])
        if request.path.endswith("v1beta1/gateways"):
            return listed("Gateway", {"metadata": {"name": "g"}})
        return ORDINARY

    facts = read(tmp_path, pretending({}, spoil))
    assert [each["apiVersion"] for each in facts.all(GATEWAY)] == ["gateway.networking.k8s.io/v1beta1"]
    assert facts.served_versions(GATEWAY) == ["v1beta1"]


def test_a_registered_api_without_its_server_is_unread_not_absent(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        if request.path != "/apis":
            return ORDINARY
        stale = {"version": "v1", "freshness": "Stale", "resources": []}
        group = {"metadata": {"name": "route.openshift.io"}, "versions": [stale]}
        return {"kind": "APIGroupDiscoveryList", "items": [group]}

    facts = read(tmp_path, pretending({}, spoil))
    assert unread(facts)[ROUTE.key].reason == "the API route.openshift.io is registered, but its server does not answer"


def test_a_kind_that_goes_away_meanwhile_is_absent(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        return status(404, "gone") if request.path.endswith("/gateways") else ORDINARY

    assert GATEWAY.key not in read(tmp_path, pretending({}, spoil)).lists


def test_progress_is_told(tmp_path: Path) -> None:
    steps: list[Step] = []

    async def use(api: Any, server: Server) -> None:
        await live.read(api, deadline=20, watch=steps.append, tools=False)

    with_api(tmp_path, pretending({POD: [pod("a"), pod("b")]}), use)
    assert steps[-1].done == steps[-1].of == len(ALL)
    assert Step("pods", 0, len(ALL), 2) in steps or any(s.what == "pods" and s.objects == 2 for s in steps)


def test_a_full_openshift_cluster_takes_few_calls(tmp_path: Path) -> None:
    async def use(api: Any, server: Server) -> int:
        await live.read(api, deadline=20, tools=False)
        return len(server.asked)

    ingress = {"metadata": {"name": "cluster"}, "spec": {"domain": "apps.cluster.invalid"}}
    assert with_api(tmp_path, pretending({INGRESS_CONFIG: [ingress]}), use) <= len(ALL) + 5


def test_keys_that_authorino_does_not_watch_are_found_and_nothing_else_of_them(tmp_path: Path) -> None:
    key = {"apiKey": {"selector": {"matchLabels": {"app": "maas"}}}}
    policy = {"metadata": {"name": "p", "namespace": "llm"}, "spec": {"rules": {"authentication": {"keys": key}}}}
    user = {"secret.kuadrant.io/user-id": "bob"}

    def secret(name: str, labels: dict[str, str], annotations: dict[str, str]) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "llm", "labels": labels, "annotations": annotations}}

    secrets = [
        secret("stray", {"app": "maas"}, user),
        secret("watched", {"app": "maas", "authorino.kuadrant.io/managed-by": "authorino"}, user),
        secret("no-key", {"app": "maas"}, {}),
        secret("of-others", {"app": "shop"}, user),
    ]
    asked: list[str] = []

    async def note(request: Request) -> Any:
        asked.extend([request.query.get("labelSelector", "")] if request.path == "/api/v1/secrets" else [])
        return ORDINARY

    facts = read(tmp_path, pretending({AUTH_POLICY: [policy], SECRET: secrets}, note))
    assert facts.probe("stray_keys") == [{"namespace": "llm", "name": "stray"}]
    assert asked == ["authorino.kuadrant.io/managed-by", "app=maas,!authorino.kuadrant.io/managed-by"]


ABSURD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "name", "namespace", "items", "spec", "status", "kind", "versions", "resources"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.dictionaries(st.sampled_from([*LOCATIONS, "/version", "/api", "/apis"]), ABSURD, max_size=20))
def test_whatever_the_server_says_there_are_facts(tmp_path: Path, answers: dict[str, Any]) -> None:
    async def spoil(request: Request) -> Any:
        if request.path not in answers:
            return ORDINARY
        return Answer(200, json.dumps(answers[request.path]).encode())

    facts = read(tmp_path, pretending({}, spoil), deadline=15)
    assert isinstance(facts, Facts)
    assert all(each.cause is Cause.failed for each in unread(facts).values())
