"""Plans on a real API server: in order, side by side, whatever breaks meanwhile, and nothing done twice."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maas.cluster import kinds
from maas.cluster.applying import StepFailed, carry_out
from maas.cluster.connection import connect
from maas.cluster.helm_failures import explained
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object
from maas.cluster.plan import conditions
from maas.cluster.plan.model import (
    Apply,
    Chart,
    Delete,
    Manifest,
    Mark,
    Plan,
    Release,
    Restart,
    Seen,
    Stage,
    Step,
    Wait,
)
from maas.cluster.plan.planning import reduced
from tests.kubernetes.applying.stage import Heard, Hurried, NoHelm, Patient, config_map, stage, step, until, yes
from tests.kubernetes.applying.webhooks import configuration, webhook
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.front import Fault, front
from tests.kubernetes.seeding import seed
from tests.ports import free_port

CONFIG_MAP = Kind("ConfigMap", "configmaps")


def carried_out(cluster: Cluster, *steps: Step, clock: Any = None, url: str | None = None, **options: Any) -> list[str]:
    async def run() -> list[str]:
        async with stage(cluster, clock, url=url) as here:
            await here.carry_out(steps, **options)
            return here.heard.words

    return asyncio.run(run())


def get(cluster: Cluster, path: str) -> Any:
    with cluster.client() as client:
        return client.get(path).json()


def data(cluster: Cluster, named: str) -> Any:
    return get(cluster, f"/api/v1/namespaces/default/configmaps/{named}")


def exists(named: str, patience: float = 300.0) -> Wait:
    return Wait(CONFIG_MAP, named, "default", conditions.exists, f"ConfigMap {named} is there", patience)


def test_steps_come_after_those_they_need(cluster: Cluster) -> None:
    words = carried_out(
        cluster,
        step("last", config_map("c"), needs=("middle", "not in the plan")),
        step("middle", config_map("b"), needs=("first",), waits=[exists("a")]),
        step("first", config_map("a")),
    )
    assert [word for word in words if word.endswith(("begun", "done"))] == [
        *("first begun", "first done", "middle begun", "middle done", "last begun", "last done")
    ]


def test_steps_that_do_not_need_each_other_run_side_by_side(cluster: Cluster) -> None:
    """Each waits for what the other makes."""
    one = Step("one", "", "", (Apply(config_map("made-by-one")),), (exists("made-by-two"),))
    two = Step("two", "", "", (Apply(config_map("made-by-two")),), (exists("made-by-one"),))
    words = carried_out(cluster, one, two)
    assert set(words) >= {"one done", "two done"}


def test_what_is_made_is_ours_and_says_what_was_wanted(cluster: Cluster) -> None:
    words = carried_out(cluster, step("only", config_map("ours", mode="a")))
    metadata = data(cluster, "ours")["metadata"]
    assert metadata["labels"] == {"app.kubernetes.io/part-of": "maas", "app.kubernetes.io/managed-by": "maas"}
    assert len(metadata["annotations"]["maas.io/applied"]) == 16
    assert "only acted: made" in words


def test_what_is_others_is_left_alone(cluster: Cluster) -> None:
    seed(cluster, [{**config_map("theirs"), "data": {"mode": "theirs"}}])
    before = data(cluster, "theirs")
    words = carried_out(cluster, step("only", config_map("theirs", mode="ours")))
    assert data(cluster, "theirs") == before
    assert "only acted: it is there already and not ours: left alone" in words


def test_what_is_adopted_keeps_what_others_wrote_and_never_becomes_ours(cluster: Cluster) -> None:
    seed(cluster, [{**config_map("shared"), "data": {"theirs": "1"}}])
    words = carried_out(cluster, step("only", config_map("shared", ours="2"), adopt=True))
    found = data(cluster, "shared")
    assert found["data"] == {"theirs": "1", "ours": "2"}
    assert "app.kubernetes.io/managed-by" not in found["metadata"]["labels"]
    assert "only acted: it was there already: only what we need was set" in words
    release = Release(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared", "namespace": "default"}}, ""
    )
    carried_out(cluster, Step("gone", "", "", (release,)))
    assert data(cluster, "shared")["data"] == {"theirs": "1"}


def test_a_field_that_is_not_wanted_any_more_goes(cluster: Cluster) -> None:
    """And fields of others in an object of ours stay."""
    carried_out(cluster, step("only", config_map("fields", old="1", kept="2")))
    with cluster.client() as client:
        path = "/api/v1/namespaces/default/configmaps/fields"
        client.patch(path, json={"data": {"by-hand": "3"}}, headers={"Content-Type": "application/merge-patch+json"})
    carried_out(cluster, step("only", config_map("fields", kept="2")))
    assert data(cluster, "fields")["data"] == {"kept": "2", "by-hand": "3"}


def test_a_second_time_nothing_is_written(cluster: Cluster) -> None:
    wanted = step("only", config_map("twice", a="1"), waits=[exists("twice")])
    carried_out(cluster, wanted)
    before = data(cluster, "twice")["metadata"]["resourceVersion"]
    carried_out(cluster, wanted)
    assert data(cluster, "twice")["metadata"]["resourceVersion"] == before, "even without a plan that knows better"

    async def planned() -> Sequence[Step]:
        async with stage(cluster) as here:
            return reduced([wanted], await here.facts()).steps

    assert asyncio.run(planned()) == []


def test_deleting_is_sure_of_whose_it_is(cluster: Cluster) -> None:
    seed(cluster, [config_map("not-ours")])
    carried_out(cluster, step("made", config_map("is-ours")))
    doomed = tuple(Delete(CONFIG_MAP, each, "default", "", if_ours=True) for each in ("not-ours", "is-ours", "neither"))
    words = carried_out(cluster, Step("gone", "", "", doomed))
    assert data(cluster, "not-ours")["kind"] == "ConfigMap" and data(cluster, "is-ours")["reason"] == "NotFound"
    assert [w for w in words if "acted" in w] == [
        "gone acted: it is not ours any more: left alone",
        "gone acted",
        "gone acted: it has gone already",
    ]


def test_marks_restarts_and_manifests(cluster: Cluster, tmp_path: Path) -> None:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
    metadata = {"name": "operator", "namespace": "default"}
    seed(cluster, [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}])
    written = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-a-file", "namespace": "default"}}'
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "some.yaml").write_text(written)
    actions = (
        Restart(kinds.DEPLOYMENT, "operator", "default", "to see"),
        Mark(kinds.DEPLOYMENT, "operator", "default", {"metadata": {"annotations": {"noted": "yes"}}}, ""),
        Mark(kinds.DEPLOYMENT, "not there", "default", {}, ""),
        Manifest("some.yaml", "https://example.com/some.yaml"),
    )
    words = carried_out(cluster, Step("all", "", "", actions), mirror=tmp_path)
    found = get(cluster, "/apis/apps/v1/namespaces/default/deployments/operator")
    assert "kubectl.kubernetes.io/restartedAt" in found["spec"]["template"]["metadata"]["annotations"]
    assert found["metadata"]["annotations"]["noted"] == "yes" and "all acted: it has gone already" in words
    labels = data(cluster, "from-a-file")["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/part-of": "maas", "app.kubernetes.io/managed-by": "maas"}


def test_what_is_being_deleted_is_let_go_and_made_anew(cluster: Cluster) -> None:
    held = config_map("going", old="1")
    seed(cluster, [{**held, "metadata": {**held["metadata"], "finalizers": ["example.com/held"]}}])
    path = "/api/v1/namespaces/default/configmaps/going"
    with cluster.client() as client:
        old = client.delete(path).json()["metadata"]["uid"]

    async def run() -> list[str]:
        async with stage(cluster, Patient()) as here:
            at_work = asyncio.create_task(here.carry_out([step("only", config_map("going", new="2"))]))
            await here.heard.until("is being deleted")
            async with cluster.async_client() as client:
                kind = {"Content-Type": "application/merge-patch+json"}
                await client.patch(path, json={"metadata": {"finalizers": None}}, headers=kind)
            await at_work
            return here.heard.words

    words = asyncio.run(run())
    found = data(cluster, "going")
    assert found["data"] == {"new": "2"} and found["metadata"]["uid"] != old
    assert "only noted: ConfigMap going is being deleted: waiting until it has gone" in words


@pytest.mark.usefixtures("one_attempt")
def test_a_webhook_that_is_not_up_yet_is_waited_for(cluster: Cluster) -> None:
    metadata = {"name": "late"}
    seed(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    port = free_port()
    seed(cluster, [configuration(cluster, "late.example.com", port, "late")])

    async def run() -> list[str]:
        async with stage(cluster, Patient()) as here:
            at_work = asyncio.create_task(here.carry_out([step("only", config_map("maas", "late"))]))
            await here.heard.until("does not answer yet")
            with webhook(cluster, port):
                await at_work
            return here.heard.words

    words = asyncio.run(run())
    assert "only noted: webhook late.example.com does not answer yet: trying again" in words
    assert words[-1] == "only done"


@pytest.mark.usefixtures("one_attempt")
def test_a_server_that_stumbles_costs_time_only(cluster: Cluster) -> None:
    with front(cluster) as before:
        before.faults = [
            Fault("/configmaps/stumbles", status=503, times=2),
            Fault("/configmaps/stumbles", drop=True, times=1),
        ]
        words = carried_out(cluster, step("only", config_map("stumbles"), waits=[exists("stumbles")]), url=before.url)
    assert words[-1] == "only done"
    assert any("trying again" in word for word in words)


@pytest.mark.usefixtures("one_attempt")
def test_a_server_that_stays_away_is_told_after_the_patience(cluster: Cluster) -> None:
    with front(cluster) as before:
        before.faults = [Fault("/configmaps/away", status=503, times=10_000)]
        with pytest.raises(StepFailed) as failed:
            carried_out(cluster, step("only", waits=[exists("away")]), url=before.url)
    assert "the connection to the API server was lost while we waited" in str(failed.value)


@pytest.mark.usefixtures("one_attempt")
def test_a_write_that_never_gets_through_is_told_after_the_patience(cluster: Cluster) -> None:
    with front(cluster) as before:
        before.faults = [Fault("/configmaps/lost", method="PATCH", drop=True)]
        with pytest.raises(StepFailed) as failed:
            carried_out(cluster, step("only", config_map("lost")), url=before.url)
    assert "the API server does not answer as it should" in str(failed.value)
    assert "kubectl get --raw '/readyz?verbose'" in str(failed.value)


@pytest.mark.parametrize("wait", [exists("unseen"), replace(exists("unseen"), tried=config_map("unseen"))])
def test_what_may_not_be_looked_at_is_told_at_once(cluster: Cluster, wait: Wait) -> None:
    async def run() -> None:
        async with connect(kubeconfig=cluster.kubeconfig("nobody")) as api:
            plan = Plan([step("only", waits=[wait])])
            await carry_out(plan, api, NoHelm(), Heard(), Hurried(), timeout=60, ask=yes)

    with pytest.raises(StepFailed) as failed:
        asyncio.run(run())
    assert 'User "nobody" may not do this' in str(failed.value) and "maas rbac" in str(failed.value)


class NoNetwork(NoHelm):
    async def upgrade_install(
        self, chart: Chart, *, dry_run: bool = False, noted: Callable[[str], None] = lambda _: None
    ) -> None:
        raise explained("pull", chart.release, chart.namespace, chart, "Error: dial tcp: lookup x: no such host")


def test_what_to_do_about_charts_is_said_once(cluster: Cluster) -> None:
    """Also where two fail at the same time."""
    charts = (Chart(key, "default", key, "1", "https://charts.example.com") for key in ("one", "two"))
    steps = [replace(step(chart.release), actions=(chart,)) for chart in charts]

    async def run() -> None:
        async with connect(kubeconfig=cluster.kubeconfig()) as api:
            await carry_out(Plan(steps), api, NoNetwork(), Heard(), Hurried(), timeout=1, ask=yes)

    with pytest.raises(StepFailed) as failed:
        asyncio.run(run())
    words = " ".join(str(failed.value).split())
    assert words.count("no such host") == 2
    assert words.count("Charts come from the internet") == 1
    assert "What to do Charts come from the internet" in words


def test_a_kind_that_comes_while_we_try_is_waited_for(cluster: Cluster) -> None:
    metadata = {"name": "first", "namespace": "default"}
    wanted = {"apiVersion": "late.example.com/v1", "kind": "Widget", "metadata": metadata}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "late.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}

    async def run() -> list[str]:
        async with stage(cluster, Patient()) as here:
            at_work = asyncio.create_task(here.carry_out([step("only", wanted)]))
            await here.heard.until("does not serve")
            async with cluster.async_client() as client:
                path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
                await client.post(path, json={**definition, "metadata": {"name": "widgets.late.example.com"}})
            await at_work
            return here.heard.words

    assert asyncio.run(run())[-1] == "only done"


def test_hopeless_has_to_last(cluster: Cluster) -> None:
    """Controllers say so in passing; half a minute of it is enough, and no more is waited for."""
    seed(cluster, [config_map("judged")])
    looks: list[int] = []

    def judged(found: Object | None) -> Seen:
        looks.append(1)
        return Seen(Stage.hopeless if len(looks) != 3 else Stage.waiting, "Invalid: never")

    wait = Wait(CONFIG_MAP, "judged", "default", judged, "it is judged well", 900.0)
    with pytest.raises(StepFailed) as failed:
        carried_out(cluster, step("only", waits=[wait]))
    assert "no waiting will help" in str(failed.value) and 4 < len(looks) < 30


def test_good_enough_is_taken_when_patience_ends(cluster: Cluster) -> None:
    def judged(found: Object | None) -> Seen:
        return Seen(Stage.waiting, "no address", enough=True)

    words = carried_out(
        cluster, step("only", waits=[Wait(CONFIG_MAP, "x", "default", judged, "it has an address", 60.0)])
    )
    assert words[-2:] == ["only noted: it has an address: no address", "only done"]


def test_what_can_only_be_tried_is_tried(cluster: Cluster) -> None:
    """A dry run that is refused, until it is not."""
    bad, good = ({**config_map("tried"), "data": value} for value in ({"bad key": "x"}, {"good": "x"}))
    wait = Wait(CONFIG_MAP, "tried", "default", conditions.taken, "the server takes it", 60.0)
    carried_out(cluster, step("only", waits=[replace(wait, tried=good)]))
    with pytest.raises(StepFailed) as failed:
        carried_out(cluster, step("only", waits=[replace(wait, tried=bad)]))
    assert "bad key" in str(failed.value)
    assert data(cluster, "tried")["reason"] == "NotFound"


def test_the_time_for_everything_ends_single_waits(cluster: Cluster) -> None:
    with pytest.raises(StepFailed) as failed:
        carried_out(cluster, step("only", waits=[exists("never", patience=3600.0)]), seconds=30.0)
    assert "waited 30 s for it; then the time for all steps was over" in " ".join(str(failed.value).split())
    assert failed.value.report.cut_short


def test_a_wait_that_ends_by_itself_blames_no_other_time(cluster: Cluster) -> None:
    with pytest.raises(StepFailed) as failed:
        carried_out(cluster, step("only", waits=[exists("never", patience=30.0)]), seconds=3600.0)
    assert "all steps" not in str(failed.value)
    assert not failed.value.report.cut_short


def test_others_finish_what_they_are_at_when_one_fails(cluster: Cluster) -> None:
    bad = {**config_map("bad"), "data": {"bad key": "x"}}
    with pytest.raises(StepFailed) as failed:
        carried_out(
            cluster,
            step("bad", bad),
            step("good", config_map("finished"), waits=[exists("never")]),
            step("after", config_map("not-begun"), needs=("good",)),
        )
    assert failed.value.report.step.key == "bad"
    assert data(cluster, "not-begun")["reason"] == "NotFound"


def test_ctrl_c_between_writes_tells_what_was_done(cluster: Cluster) -> None:
    async def run() -> tuple[list[str], bool]:
        async with stage(cluster, Patient()) as here:
            steps = [
                step("first", config_map("before-the-end")),
                step("second", waits=[exists("never")], needs=("first",)),
            ]
            at_work = asyncio.create_task(here.carry_out(steps))
            await here.heard.until("second waits")
            at_work.cancel()
            await asyncio.wait([at_work])
            return here.heard.words, at_work.cancelled()

    words, cancelled = asyncio.run(run())
    assert cancelled and words[-1] == "stopped: ['first'] done, ['second'] under way"


def test_a_write_that_was_begun_is_finished_when_we_are_stopped(cluster: Cluster) -> None:
    with front(cluster) as before:
        before.faults = [Fault("/configmaps/slow", delay=0.5, times=2)]

        async def run() -> None:
            async with stage(cluster, Patient(), url=before.url) as here:
                at_work = asyncio.create_task(here.carry_out([step("only", config_map("slow"))]))
                await until(lambda: before.faults[0].seen == 2)
                at_work.cancel()
                await asyncio.wait([at_work])
                assert [call.status for call in before.calls if call.method == "PATCH"] == [201], "before we end"

        asyncio.run(run())
    assert data(cluster, "slow")["kind"] == "ConfigMap"


_PROGRAM = """
import asyncio, sys
from tests.kubernetes.applying import test_carrying_out as here
asyncio.run(here.many(sys.argv[1]))
"""


def _many() -> list[Step]:
    return [
        step(f"s{number}", *(config_map(f"many-{number}-{each}") for each in range(10)), needs=(f"s{number - 1}",))
        for number in range(8)
    ]


async def many(kubeconfig: str) -> None:
    """For another process, that is killed half-way."""
    async with connect(kubeconfig=Path(kubeconfig)) as api:
        await carry_out(Plan(_many()), api, NoHelm(), Heard(), Patient(), timeout=60, ask=yes)


def test_killed_half_way_a_second_run_goes_on(cluster: Cluster) -> None:
    child = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(cluster.kubeconfig())], env=os.environ)
    names = "/api/v1/namespaces/default/configmaps"
    end = time.monotonic() + 30
    while len([each for each in get(cluster, names)["items"] if "many-" in each["metadata"]["name"]]) < 15:
        assert child.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()

    async def again() -> tuple[int, int]:
        async with stage(cluster) as here:
            plan = reduced(_many(), await here.facts())
            await here.carry_out(plan)
            left = sum(len(each.actions) for each in plan.steps)
            return left, len(reduced(_many(), await here.facts()).steps)

    left, afterwards = asyncio.run(again())
    assert 0 < left <= 65, "what was done is not done again"
    assert afterwards == 0
