"""Everything that an installation writes, applied to a real API server and read back: nothing is left to do.

So the comparison knows all of the server's habits that our objects meet: defaults, quantities, what it leaves out.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from maas.cluster import kinds
from maas.cluster.kinds import ALL, OURS
from maas.cluster.objects import Object, label
from maas.cluster.plan.model import Action, Apply, Step
from maas.cluster.plan.planning import every_step, reduced
from maas.cluster.wanted import Target, Wanted
from tests.kubernetes.applying.stage import stage
from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.definitions import of_components, stored
from tests.kubernetes.front import front
from tests.kubernetes.resources.wishes import QWEN3, SIMULATOR, site, wanted

_COMPONENTS = (
    *("gateway-api", "cert-manager", "istio", "kserve", "kuadrant-operator", "openshift-api", "prometheus-operator"),
    *("olm", "opendatahub-3.5", "sail-operator", "nvidia-gpu-operator", "nfd-openshift"),
    "cert-manager-operator-openshift",
)
_EXTERNAL = "elsewhere: {runtime: external, url: https://api.example.com/openai/v1, api_key_file: /etc/key}"
_STORED = "stored: {runtime: vllm, weights: pvc://claim/some/path}"
WISHES: dict[str, Wanted] = {
    f"{target}-{name}": wish
    for target in Target
    for name, wish in {
        "simulator": wanted(on=replace(site(target), pod_monitors=True)),
        "t4": wanted(SIMULATOR, QWEN3, on=site(target, "t4"), gpu_operator=True),
        "a100": wanted(QWEN3, _STORED, _EXTERNAL, on=site(target, "a100-80", domain="models.example.com")),
        "tokens-only": wanted(on=site(target), tokens_only=True, metrics=False),
    }.items()
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running(definitions=[stored(crd) for crd in of_components(*_COMPONENTS)]) as started:
        yield started


def objects(wish: Wanted) -> list[Step]:
    """Only what is applied, and as fast as can be."""
    return [replace(step, waits=(), needs=(), actions=tuple(filter(_whole, step.actions))) for step in every_step(wish)]


def _whole(action: Action) -> bool:
    """Fields of what a chart makes are none without the chart."""
    return isinstance(action, Apply) and not action.brought


@pytest.mark.parametrize("wish", WISHES)
def test_what_was_applied_needs_nothing_more(cluster: Cluster, wish: str) -> None:
    asked = objects(WISHES[wish])

    async def run() -> tuple[Sequence[Step], int]:
        async with stage(cluster) as here:
            await here.carry_out([asked[0]])
            await here.carry_out([step for step in asked if step.key in ("namespaces", "kuadrant-operator")])
            await here.carry_out(asked)
            facts = await here.facts()
            before = here.api.traffic.calls
            left = reduced(asked, facts).steps
            return left, here.api.traffic.calls - before

    assert sum(len(step.actions) for step in asked) > 10
    left, calls = asyncio.run(run())
    assert [(step.key, step.actions) for step in left] == [] and calls == 0


@pytest.mark.parametrize("wish", WISHES)
def test_every_kind_that_is_written_or_waited_for_is_read(wish: str) -> None:
    """Else a second run would do it again, for want of knowing better."""
    known = {kind.key.partition("@")[0] for kind in (*ALL, *OURS)}
    written = {kinds.of(each).key for each in _written(WISHES[wish])}
    waited = {wait.kind.key for step in every_step(WISHES[wish]) for wait in step.waits if wait.tried is None}
    assert written - known == set()
    assert waited - known == set()


def _written(wish: Wanted) -> list[Object]:
    actions = [each for step in every_step(wish) for each in step.actions]
    return [each.object for each in actions if isinstance(each, Apply)]


@pytest.mark.parametrize("wish", WISHES)
def test_every_object_of_ours_says_that_it_belongs_to_the_platform(wish: str) -> None:
    """Kinds of OURS are read by that label."""
    every = _written(WISHES[wish])
    ours = {kind.key.partition("@")[0] for kind in OURS}
    bare = [each for each in every if kinds.of(each).key in ours and not _labelled(each)]
    assert bare == []


def _labelled(object: Object) -> bool:
    return label(object, "app.kubernetes.io/part-of") == "maas"


def test_no_list_is_asked_for_twice(cluster: Cluster) -> None:
    """Of Secrets and ConfigMaps there are several choices: a selector has no "or"; no object is in two of them."""
    with front(cluster) as before:

        async def run() -> None:
            async with stage(cluster, url=before.url) as here:
                await here.facts()

        asyncio.run(run())
        lists = [urlsplit(call.target) for call in before.calls if "limit=" in call.target]
    asked = [
        (each.path, parse_qs(each.query).get("labelSelector"), parse_qs(each.query).get("fieldSelector"))
        for each in lists
    ]
    assert len(asked) > 30 and len(asked) == len({str(each) for each in asked})
    several = {path for path, times in Counter(path for path, _, _ in asked).items() if times > 1}
    assert several == {"/api/v1/secrets", "/api/v1/configmaps"}
