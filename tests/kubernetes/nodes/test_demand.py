"""What pods request of nodes is added up as the scheduler does."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.demand import PODS, free, of_pod, requested, waiting
from maas.cluster.facts.model import Cause, NotRead, Unread
from maas.cluster.kinds import POD
from tests.kubernetes.nodes.made import container, node, pod
from tests.kubernetes.offline import facts

GIB = 2**30


def test_containers_and_overhead_are_added() -> None:
    made = pod("a", containers=[container(cpu="250m", memory="1Gi"), container(cpu="1", memory="512Mi")])
    made["spec"]["overhead"] = {"cpu": "100m"}
    assert of_pod(made) == {"cpu": 1350, "memory": GIB + GIB // 2}


def test_an_init_container_counts_only_where_it_asks_for_more() -> None:
    small = pod("a", containers=[container(cpu="1")], inits=[container(cpu="200m")])
    large = pod("a", containers=[container(cpu="1")], inits=[container(cpu="3"), container(cpu="2")])
    assert of_pod(small) == {"cpu": 1000}
    assert of_pod(large) == {"cpu": 3000}


def test_sidecars_run_beside_all_that_comes_after_them() -> None:
    inits = [container(cpu="500m", restartPolicy="Always"), container(cpu="2")]
    assert of_pod(pod("a", containers=[container(cpu="1")], inits=inits)) == {"cpu": 2500}
    assert of_pod(pod("a", containers=[container(cpu="3")], inits=inits)) == {"cpu": 3500}


def test_what_the_pod_asks_for_as_a_whole_replaces_its_containers() -> None:
    made = pod("a", containers=[container(cpu="1", memory="1Gi")])
    made["spec"]["resources"] = {"requests": {"cpu": "4"}}
    assert of_pod(made) == {"cpu": 4000, "memory": GIB}


cpus = st.integers(0, 8000)
inits = st.lists(st.tuples(cpus, st.booleans()), max_size=5)


@given(st.lists(cpus, max_size=4), inits)
def test_a_pod_requests_the_peak_of_its_life(main: list[int], starting: list[tuple[int, bool]]) -> None:
    """Against a walk through its life: each init container beside the sidecars so far, then all containers."""
    running, peak = 0, 0
    for cpu, stays in starting:
        peak = max(peak, running + cpu)
        running += cpu if stays else 0
    peak = max(peak, running + sum(main))
    made = pod(
        "a",
        containers=[container(cpu=f"{cpu}m") for cpu in main],
        inits=[container(cpu=f"{cpu}m", **({"restartPolicy": "Always"} if stays else {})) for cpu, stays in starting],
    )
    assert of_pod(made).get("cpu", 0) == peak


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_pods_that_ended_hold_nothing(phase: str) -> None:
    assert requested([pod("a", on="n", containers=[container(cpu="1")], phase=phase)]) == {}


@given(st.lists(st.tuples(st.sampled_from(["n1", "n2", ""]), cpus), max_size=20))
def test_nothing_is_lost_between_nodes(pods: list[tuple[str, int]]) -> None:
    found = requested([pod(str(i), on=on, containers=[container(cpu=f"{cpu}m")]) for i, (on, cpu) in enumerate(pods)])
    assert sum(amounts.get("cpu", 0) for amounts in found.values()) == sum(cpu for _, cpu in pods)
    assert sum(amounts[PODS] for amounts in found.values()) == len(pods)


def test_free_is_what_is_allocatable_and_not_requested() -> None:
    cluster = facts(
        node("n", cpu="4", memory="16Gi", gpus=2),
        pod("a", on="n", containers=[container(cpu="1500m", memory="2Gi", **{"nvidia.com/gpu": "1"})]),
        pod("greedy", on="other", containers=[container(cpu="64")]),
        pod("waits", containers=[container(cpu="7")]),
    )
    assert free(cluster)["n"] | {"pods": 0} == {
        "cpu": 2500,
        "memory": 14 * GIB,
        "nvidia.com/gpu": 1,
        "ephemeral-storage": 200 * GIB,
        "pods": 0,
    }
    assert free(cluster)["n"]["pods"] == 109
    assert waiting(cluster) == {"cpu": 7000, "pods": 1}


def test_a_node_is_never_less_than_empty() -> None:
    cluster = facts(node("n", cpu="1"), pod("a", on="n", containers=[container(cpu="64")]))
    assert free(cluster)["n"]["cpu"] == 0


def test_pods_that_nobody_read_are_no_room() -> None:
    cluster = facts(node("n"), unread={POD: Unread(Cause.denied, "listing pods was denied")})
    with pytest.raises(NotRead, match="denied"):
        free(cluster)


def test_twenty_thousand_pods_take_well_under_half_a_second() -> None:
    pods: list[dict[str, Any]] = [
        pod(
            f"p{i}",
            on=f"n{i % 1000}",
            containers=[container(cpu=f"{100 + i % 50}m", memory="256Mi"), container(cpu="10m")],
        )
        for i in range(20_000)
    ]
    spent = []
    for _ in range(3):
        start = time.process_time()
        requested(pods)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.5
