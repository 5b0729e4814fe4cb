"""What a dry run and a diff say of a plan, on a real API server, which stays as it is."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.applying import Changed, Outcome, Rehearsed, differences, rehearse
from maas.cluster.kinds import Kind
from maas.cluster.objects import items
from maas.cluster.plan.model import Apply, Chart, Delete, Plan, Step
from tests.kubernetes.applying.failing import deployment
from tests.kubernetes.applying.stage import config_map, stage, step
from tests.kubernetes.applying.webhooks import configuration
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.seeding import seed
from tests.ports import free_port

CONFIG_MAP = Kind("ConfigMap", "configmaps")


def rehearsed(cluster: Cluster, *steps: Step) -> list[Rehearsed]:
    async def run() -> list[Rehearsed]:
        async with stage(cluster) as here:
            return await rehearse(Plan(steps), here.api, now=0.0)

    return asyncio.run(run())


def changed(cluster: Cluster, *steps: Step) -> Sequence[Changed]:
    async def run() -> Sequence[Changed]:
        async with stage(cluster) as here:
            return await differences(Plan(steps), here.api, now=0.0)

    return asyncio.run(run())


def applied(cluster: Cluster, *steps: Step) -> None:
    async def run() -> None:
        async with stage(cluster) as here:
            await here.carry_out(steps)

    asyncio.run(run())


def everything(cluster: Cluster) -> Any:
    with cluster.client() as client:
        return [client.get(path).json()["items"] for path in ("/api/v1/configmaps", "/api/v1/namespaces")]


def gateway(where: str, **spec: Any) -> dict[str, Any]:
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    metadata = {"name": "maas-gateway", "namespace": where, "labels": {"app.kubernetes.io/part-of": "maas"}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": metadata,
        "spec": {"gatewayClassName": "istio", "listeners": [listener], **spec},
    }


def named(name: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "maas"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def test_what_the_server_takes_and_what_it_refuses(cluster: Cluster) -> None:
    before = everything(cluster)
    wrong = config_map("wrong", **{"bad key": "x"})
    found = rehearsed(cluster, step("some", config_map("fine"), wrong, gateway("default")))
    assert [(each.about, each.outcome) for each in found] == [
        ("ConfigMap default/fine", Outcome.accepted),
        ("ConfigMap default/wrong", Outcome.refused),
        ("Gateway default/maas-gateway", Outcome.accepted),
    ]
    assert "bad key" in found[1].why
    assert everything(cluster) == before, "nothing is changed by it"


def test_what_is_others_would_stay_as_it_is(cluster: Cluster) -> None:
    seed(cluster, [{**config_map("others"), "data": {"mode": "theirs"}}])
    wanted = step("only", config_map("others", mode="ours"))
    assert rehearsed(cluster, wanted)[0].why == "it is there already and not ours: left alone"
    assert changed(cluster, wanted)[0].lines == []


def test_what_comes_with_an_earlier_step_is_said_so(cluster: Cluster) -> None:
    policy = {"apiVersion": "kuadrant.io/v1", "kind": "AuthPolicy", "metadata": {"name": "x", "namespace": "default"}}
    chart = Chart("istiod", "istio-system", "istiod", "1.30.3")
    found = rehearsed(cluster, step("policies", policy), Step("istio", "", "", (chart,)))
    assert [each.outcome for each in found] == [Outcome.later, Outcome.later]
    assert found[0].why == "the cluster does not serve authpolicies.kuadrant.io yet: it comes with an earlier step"


def test_an_object_whose_namespace_is_yet_to_be_made_is_tried_elsewhere(cluster: Cluster) -> None:
    bad = gateway("coming", listeners="none")
    found = rehearsed(
        cluster, step("namespaces", named("coming")), step("gateway", gateway("coming")), step("bad", bad)
    )
    assert [each.outcome for each in found] == [Outcome.accepted, Outcome.accepted, Outcome.refused]
    assert found[1].why == "tried in namespace default: coming is yet to be made"
    assert found[1].about == found[2].about == "Gateway coming/maas-gateway"


def _brought(name: str) -> Step:
    """A chart, and a few fields of the Deployment that it makes."""
    env = [{"name": "FAILURE_MODE", "value": "deny"}]
    spec = {"template": {"spec": {"containers": [{"name": "server", "env": env}]}}}
    partial = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"}}
    chart = Chart(name, "default", name, "1.0.0")
    return Step("operator", "", "", (chart, Apply({**partial, "spec": spec}, adopt=True, brought=True)))


def test_fields_of_what_a_chart_is_to_make_are_not_tried_without_it(cluster: Cluster) -> None:
    """By themselves they are no Deployment, and the server would refuse them."""
    wanted = _brought("coming")
    chart, fields = rehearsed(cluster, wanted)
    assert (fields.about, fields.outcome) == ("Deployment default/coming", Outcome.later)
    assert fields.why == "the chart before it makes it" and chart.outcome is Outcome.later
    alone = replace(wanted, actions=tuple(replace(a, brought=False) for a in wanted.actions if isinstance(a, Apply)))
    assert rehearsed(cluster, alone)[0].outcome is Outcome.refused
    shown = changed(cluster, wanted)
    assert [each.note for each in shown if each.about == fields.about] == [fields.why]


def test_they_are_tried_on_what_it_has_made(cluster: Cluster) -> None:
    seed(cluster, [deployment("there", "default")])
    _, fields = rehearsed(cluster, _brought("there"))
    assert fields.outcome is Outcome.accepted and fields.after is not None
    (container,) = items(fields.after, "spec", "template", "spec", "containers")
    assert container["image"] == "example.com/server:1.0", "the rest is the chart's"
    assert container["env"] == [{"name": "FAILURE_MODE", "value": "deny"}]
    with cluster.client() as client:
        stored = client.get("/apis/apps/v1/namespaces/default/deployments/there").json()
    assert "env" not in stored["spec"]["template"]["spec"]["containers"][0], "a rehearsal changes nothing"


@pytest.mark.usefixtures("one_attempt")
def test_a_webhook_that_does_not_answer_refuses(cluster: Cluster) -> None:
    seed(cluster, [named("picky")])
    asked = configuration(cluster, "picky.example.com", free_port(), "picky")
    seed(cluster, [asked])
    found = rehearsed(cluster, step("only", config_map("maas", "picky")))
    assert found[0].outcome is Outcome.refused and "picky.example.com" in found[0].why


def test_what_would_change_in_each_object(cluster: Cluster) -> None:
    applied(cluster, step("old", config_map("changes", kept="1", old="2"), config_map("stays", a="1")))
    doomed = Step("gone", "", "", (Delete(CONFIG_MAP, "stays", "default", "not wanted"),))
    wanted = step("new", config_map("changes", kept="1", new="3"), config_map("made", a="1"))
    found = {each.about: each for each in changed(cluster, wanted, doomed)}
    assert list(found) == ["ConfigMap default/changes", "ConfigMap default/made", "ConfigMap default/stays"]
    lines = found["ConfigMap default/changes"].lines
    assert "+  new: '3'" in lines and "-  old: '2'" in lines and "   kept: '1'" in lines
    assert found["ConfigMap default/made"].before is None and found["ConfigMap default/stays"].after is None
    assert not [line for line in lines if "resourceVersion" in line or "managedFields" in line]


def test_what_stays_is_not_shown(cluster: Cluster) -> None:
    wanted = step("same", config_map("same", a="1"))
    applied(cluster, wanted)
    assert changed(cluster, wanted) == []


def test_values_of_secrets_are_never_shown_but_that_they_change_is(cluster: Cluster) -> None:
    metadata = {"name": "keys", "namespace": "default", "labels": {"app.kubernetes.io/part-of": "maas"}}
    old, new = (
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"same": "alike", "key": value}}
        for value in ("sk-old-value-1", "sk-new-value-2")
    )
    applied(cluster, step("old", old))
    found = changed(cluster, step("new", new))[0]
    assert "-  key: (hidden)" in found.lines and "+  key: (hidden, another value)" in found.lines
    assert "   same: (hidden)" in found.lines
    every = "\n".join(found.lines) + repr(found.before) + repr(found.after)
    assert "sk-old" not in every and "sk-new" not in every and "c2st" not in every


def test_what_cannot_be_tried_is_shown_as_it_is_wanted(cluster: Cluster) -> None:
    policy = {
        "apiVersion": "kuadrant.io/v1",
        "kind": "AuthPolicy",
        "metadata": {"name": "x", "namespace": "default"},
        "spec": {"targetRef": {"kind": "Gateway", "name": "maas-gateway"}},
    }
    found = changed(cluster, step("policies", policy))[0]
    assert "+    name: maas-gateway" in found.lines and "comes with an earlier step" in found.note


def test_a_new_kind_is_shown_without_its_fields() -> None:
    """They are thousands of lines. Of a kind that changes, they are what changes."""
    version = {"name": "v1", "schema": {"openAPIV3Schema": {"type": "object"}}, "served": True}
    crd = {"kind": "CustomResourceDefinition", "metadata": {"name": "x.y"}, "spec": {"versions": [version]}}
    other = {**crd, "spec": {"versions": [{**version, "schema": {"openAPIV3Schema": {"type": "string"}}}]}}
    made = Changed(step("gateway-api"), "CRD x.y", None, crd).lines
    assert any("schema: (left out)" in line for line in made) and not any("openAPIV3Schema" in line for line in made)
    assert "+      openAPIV3Schema:" not in made
    assert any(line.startswith("+") and "string" in line for line in Changed(step("x"), "CRD x.y", crd, other).lines)
