"""Which logs are read, and how much of them."""

from pathlib import Path
from typing import Any

import pytest

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFERENCE_SERVICE, POD
from tests.kubernetes.played import Answer, Request, status
from tests.kubernetes.reading.pretending import ORDINARY, pretending, read

RUNNING = {"state": {"running": {}}, "ready": True, "restartCount": 0}
CRASHING = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "ready": False, "restartCount": 4}
FAILED = {"state": {"terminated": {"exitCode": 1}}, "ready": False, "restartCount": 0}
STARTING = {"state": {"waiting": {"reason": "ContainerCreating"}}, "ready": False, "restartCount": 0}


def pod(name: str, namespace: str, state: Any, owner: str = "ReplicaSet", **status: Any) -> Any:
    return {
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [{"kind": owner, "name": "o"}]},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", **state}], **status},
    }


def logs(tmp_path: Path, *pods: Any, answer: Any = None) -> tuple[Facts, list[Request]]:
    asked: list[Request] = []

    async def spoil(request: Request) -> Any:
        if not request.path.endswith("/log"):
            return ORDINARY
        asked.append(request)
        if answer is not None:
            return answer
        return Answer(200, f"of {request.path.split('/')[-2]}\nlast {request.query.get('previous', '')}".encode())

    model = {"metadata": {"name": "m", "namespace": "models-of-team"}}
    return read(tmp_path, pretending({POD: pods, INFERENCE_SERVICE: [model]}, spoil), logs=True), asked


def test_operators_and_pods_in_trouble_are_read(tmp_path: Path) -> None:
    facts, asked = logs(
        tmp_path,
        pod("operator", "kuadrant-system", RUNNING),
        pod("agent", "nvidia-gpu-operator", RUNNING, owner="DaemonSet"),
        pod("bad-agent", "nvidia-gpu-operator", FAILED, owner="DaemonSet"),
        pod("well", "models-of-team", RUNNING),
        pod("crashing", "models-of-team", CRASHING),
        pod("starting", "models-of-team", STARTING),
        pod("foreign", "elsewhere", CRASHING),
    )
    assert [(log.pod, log.previous) for log in facts.logs] == [
        ("operator", False),
        ("crashing", True),
        ("bad-agent", False),
    ]
    assert facts.logs[0].lines == ("of operator", "last ")
    assert all(r.query["tailLines"] == "400" and r.query["limitBytes"] == "262144" for r in asked)


def test_the_run_before_a_restart_is_read_as_well(tmp_path: Path) -> None:
    facts, _ = logs(tmp_path, pod("flaky", "models-of-team", {**RUNNING, "restartCount": 2}))
    assert [(log.pod, log.container, log.previous) for log in facts.logs] == [
        ("flaky", "main", False),
        ("flaky", "main", True),
    ]


def test_no_more_than_forty_containers_those_in_trouble_first(tmp_path: Path) -> None:
    many = [pod(f"operator-{n:02}", "kserve", RUNNING) for n in range(60)]
    facts, _ = logs(tmp_path, *many, pod("z-crashing", "kserve", CRASHING))
    assert len({(log.pod, log.container) for log in facts.logs}) == 40
    assert "z-crashing" in {log.pod for log in facts.logs}


@pytest.mark.parametrize("answer", [status(403, "no logs"), status(400, "container is waiting")])
def test_a_log_that_is_not_given_is_left_out(tmp_path: Path, answer: Any) -> None:
    facts, asked = logs(tmp_path, pod("operator", "kuadrant-system", RUNNING), answer=answer)
    assert facts.logs == [] and len(asked) == 1


def test_absurdly_many_lines_are_cut_to_the_last(tmp_path: Path) -> None:
    body = Answer(200, b"\n".join(b"%d \xff" % n for n in range(1000)))
    facts, _ = logs(tmp_path, pod("operator", "kuadrant-system", RUNNING), answer=body)
    assert len(facts.logs[0].lines) == 400
    assert facts.logs[0].lines[-1] == "999 \N{REPLACEMENT CHARACTER}"


def test_without_being_asked_for_none_is_read(tmp_path: Path) -> None:
    asked: list[str] = []

    async def spoil(request: Request) -> Any:
        asked.append(request.path)
        return ORDINARY

    read(tmp_path, pretending({POD: [pod("operator", "kuadrant-system", RUNNING)]}, spoil))
    assert not [path for path in asked if path.endswith("/log")]
