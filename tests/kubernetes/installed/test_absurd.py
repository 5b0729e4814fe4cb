"""Objects that no API server would hold: every check says something sensible, and none of them stumbles."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.cluster import kinds
from maas.cluster.stack import ours
from maas.readiness.judging import judge
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.installed.planting import healthy

_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([None, 1, "x", [], {}]),
    st.just({"": None, "name": [], "type": {}, "status": 7}),
    st.just("9" * 5000),
    st.just("2026-99-99T99:99:99Z"),
)
_CHANGED = (kinds.GATEWAY, kinds.HTTP_ROUTE, *ours.POLICIES, kinds.CERTIFICATE, kinds.SECRET, kinds.INFERENCE_SERVICE)
_KINDS = {kind.name for kind in (*_CHANGED, kinds.DEPLOYMENT, kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.POD)}
_WHERE = ("llm", "kuadrant-system")


def _paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for step, inside in steps for path in ((*so_far, step), *_paths(inside, (*so_far, step)))]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_check_stumbles_whatever_an_object_holds(data: st.DataObject) -> None:
    scenario = healthy(data.draw(st.booleans()))
    objects = [copy.deepcopy(dict(each)) for each in scenario.objects]
    chosen = [
        o for o in objects if o["kind"] in _KINDS and o["metadata"].get("namespace") in ("llm", "kuadrant-system")
    ]
    for _ in range(data.draw(st.integers(1, 6))):
        object = data.draw(st.sampled_from(chosen))
        possible = [path for path in _paths(object) if path not in (("kind",), ("apiVersion",))]
        *path, last = data.draw(st.sampled_from(possible))
        inside = object
        for step in path:
            inside = inside[step]
        inside[last] = copy.deepcopy(data.draw(_JUNK))
    findings = judge(_read(scenario, objects), scenario.asked, only=["MAAS-3"])
    assert not [f for f in findings if "should not happen" in f.message]


def _read(scenario: Scenario, objects: list[dict[str, Any]]) -> Any:
    return scenario.changed(lambda _: objects).facts()
