"""Models that are not ready, Services that lead nowhere, pods that do not run, containers that may do too much."""

from typing import Any

import pytest

from maas.readiness.findings import Status
from tests.kubernetes.clusters.making import made
from tests.kubernetes.installed.planting import Change, both, conditioned, drop, facts, problems, put, said

MODEL, SERVICE = "InferenceService llm/simulator", "Service llm/simulator-predictor"
POD, SLICE = "Pod", "EndpointSlice llm/simulator-predictor-abcde"
CONTAINER = ("spec", "containers", 0)
CONTEXT = (*CONTAINER, "securityContext")


def of_the_model(change: Change) -> tuple[str, Change]:
    """Does it to the simulator's pod alone."""

    def changed(object: dict[str, Any]) -> None:
        if object["metadata"]["labels"].get("serving.kserve.io/inferenceservice") == "simulator":
            change(object)

    return POD, changed


def waiting(reason: str, message: str = "", **more: object) -> Change:
    status = {"state": {"waiting": {"reason": reason, "message": message}}, **more}
    return lambda pod: pod["status"]["containerStatuses"][0].update(status)


def ended(reason: str, code: int) -> dict[str, Any]:
    return {"terminated": {"reason": reason, "exitCode": code}}


def killed_for_memory(ready: bool, at: str = "2026-09-21T14:00:00Z") -> Change:
    """A quarter of an hour ago, or when it is said."""
    last = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": at}}
    state = {"lastState": last, "state": {"running": {}}, "restartCount": 1, "ready": ready}
    return lambda pod: pod["status"]["containerStatuses"][0].update(state)


def pending(type: str, reason: str, message: str, since: str = "2026-09-21T13:00:00Z") -> Change:
    def change(pod: dict[str, Any]) -> None:
        condition = {"type": type, "status": "False", "reason": reason, "message": message}
        others = [each for each in pod["status"]["conditions"] if each["type"] != type]
        pod["status"] |= {"phase": "Pending", "conditions": [*others, condition], "startTime": since}

    return change


@pytest.mark.parametrize(
    ("on", "change", "code", "status", "message", "remedy"),
    [
        (
            MODEL,
            both(
                conditioned("Ready", "False", "MinimumReplicasUnavailable"),
                conditioned("PredictorReady", "False", "MinimumReplicasUnavailable", "0 of 1"),
                put("status", "modelStatus", "lastFailureInfo", value={"reason": "ModelLoadFailed", "exitCode": 1}),
            ),
            "MAAS-341",
            Status.failed,
            "PredictorReady: MinimumReplicasUnavailable: 0 of 1; last failure ModelLoadFailed:  (exit code 1)",
            "maas doctor model simulator",
        ),
        (MODEL, drop("status"), "MAAS-341", Status.failed, "has no status: KServe has not taken it up", "describe"),
        (
            MODEL,
            put("metadata", "annotations", "serving.kserve.io/stop", value="true"),
            "MAAS-341",
            Status.warning,
            "is stopped by its annotation",
            "",
        ),
        (
            "Deployment llm/simulator-predictor",
            both(put("spec", "replicas", value=3), conditioned("Progressing", "False", "ProgressDeadlineExceeded")),
            "MAAS-342",
            Status.warning,
            "1 of 3 replicas are available (ProgressDeadlineExceeded)",
            "describe",
        ),
        (
            MODEL,
            put("status", "deploymentMode", value="Serverless"),
            "MAAS-343",
            Status.warning,
            "is served by Knative",
            "deploymentMode=Standard",
        ),
        (
            SERVICE,
            put("spec", "clusterIP", value="None"),
            "MAAS-350",
            Status.warning,
            "clients of its name must use port 8080, not 80",
            "kind: Service",
        ),
        (
            SLICE,
            put("endpoints", 0, "conditions", "ready", value=False),
            "MAAS-351",
            Status.failed,
            "has no endpoint for HTTPRoute llm/simulator: none of its 1 pods is ready",
            "kubectl get pods -n llm -l",
        ),
        (SLICE, put("endpoints", value=None), "MAAS-351", Status.failed, "has no endpoint", "kubectl get pods"),
        (
            "HTTPRoute llm/simulator",
            put("spec", "rules", 0, "backendRefs", 0, "port", value=8080),
            "MAAS-351",
            Status.failed,
            "leads to port 8080 of Service llm/simulator-predictor, which has 80",
            "port",
        ),
        (
            "HTTPRoute llm/simulator",
            put("spec", "rules", 0, "backendRefs", 0, "name", value="nobody"),
            "MAAS-351",
            Status.failed,
            "leads to Service llm/nobody, which does not exist",
            "Correct the route",
        ),
        (
            *of_the_model(waiting("ImagePullBackOff", "manifest unknown")),
            "MAAS-360",
            Status.failed,
            "cannot pull ghcr.io/llm-d/llm-d-inference-sim:v0.10.2: ImagePullBackOff: manifest unknown",
            "Correct the name or the tag",
        ),
        (
            *of_the_model(waiting("ErrImagePull", "401 Unauthorized")),
            "MAAS-360",
            Status.failed,
            "cannot pull",
            "pull secret",
        ),
        (
            *of_the_model(waiting("CrashLoopBackOff", restartCount=7, lastState=ended("Error", 134))),
            "MAAS-361",
            Status.failed,
            "kserve-container crashes (exit code 134), 7 restarts",
            "--previous",
        ),
        (
            *of_the_model(waiting("CreateContainerConfigError", 'secret "hf" not found')),
            "MAAS-361",
            Status.failed,
            'cannot be created: CreateContainerConfigError: secret "hf" not found',
            "Secret",
        ),
        (
            *of_the_model(killed_for_memory(ready=False)),
            "MAAS-362",
            Status.failed,
            "kserve-container was killed for its memory (limit 512Mi)",
            "limits.memory",
        ),
        (
            *of_the_model(pending("PodScheduled", "Unschedulable", "0/3 nodes: 3 Insufficient nvidia.com/gpu.")),
            "MAAS-363",
            Status.failed,
            "waits for a node: 0/3 nodes: 3 Insufficient nvidia.com/gpu.",
            "maas doctor gpu",
        ),
        (
            *of_the_model(pending("PodScheduled", "Unschedulable", "1 had untolerated taint {nvidia.com/gpu: yes}.")),
            "MAAS-363",
            Status.failed,
            "untolerated taint",
            "a toleration for the taint",
        ),
        (
            *of_the_model(pending("Initialized", "ContainersNotInitialized", "incomplete: [storage-initializer]")),
            "MAAS-364",
            Status.failed,
            "is stuck in its init containers for 73 minutes",
            "kubectl logs",
        ),
        (
            *of_the_model(lambda pod: pod["status"]["containerStatuses"][0].update(restartCount=9)),
            "MAAS-365",
            Status.warning,
            "kserve-container restarted 9 times",
            "--previous",
        ),
        (
            *of_the_model(both(drop("spec", "securityContext", "runAsNonRoot"), put(*CONTEXT, value={}))),
            "MAAS-370",
            Status.warning,
            "kserve-container may run as root",
            "runAsNonRoot: true",
        ),
        (*of_the_model(put(*CONTEXT, "runAsUser", value=0)), "MAAS-370", Status.warning, "may run as root", "runAs"),
        (*of_the_model(put(*CONTEXT, "privileged", value=True)), "MAAS-371", Status.warning, "is privileged", "drop"),
        (
            *of_the_model(put(*CONTEXT, "capabilities", value={"add": ["SYS_ADMIN"]})),
            "MAAS-371",
            Status.warning,
            "has SYS_ADMIN",
            "drop",
        ),
        (*of_the_model(put("spec", "hostNetwork", value=True)), "MAAS-371", Status.warning, "hostNetwork", "drop"),
        (
            *of_the_model(put(*CONTAINER, "env", value=[{"name": "HF_TOKEN", "value": "hf_secret"}])),
            "MAAS-373",
            Status.warning,
            "env HF_TOKEN holds a value in plain sight",
            "secretKeyRef",
        ),
        (
            *of_the_model(put(*CONTAINER, "args", value=["--api-key=hf_secret"])),
            "MAAS-373",
            Status.warning,
            "argument --api-key",
            "secretKeyRef",
        ),
    ],
)
def test_each_fault(on: str, change: Change, code: str, status: Status, message: str, remedy: str) -> None:
    planted = facts((on, change))
    found = problems(planted)
    assert code in found, found
    assert found[code].status is status
    assert message in found[code].message
    mended = found[code].remedy
    assert remedy in (f"{mended.text} {' '.join(mended.all_commands)}" if mended else "")
    assert "hf_secret" not in repr(said(planted))


def test_what_runs_again_after_it_was_killed_is_worth_a_word_for_a_day() -> None:
    found = problems(facts(of_the_model(killed_for_memory(ready=True))))["MAAS-362"]
    assert found.status is Status.warning
    assert "was killed for its memory (limit 512Mi), and runs again" in found.message
    assert "MAAS-362" not in problems(facts(of_the_model(killed_for_memory(True, at="2026-08-01T00:00:00Z"))))


def test_what_is_killed_now_comes_before_what_was_killed_once() -> None:
    def killed(pod: str, ready: bool) -> dict[str, Any]:
        last = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
        status = {"name": "kserve-container", "ready": ready, "lastState": last}
        return made("v1", "Pod", pod, "llm", spec={}, status={"containerStatuses": [status]})

    pods = [killed("first", True), *(killed(f"other-{n}", True) for n in range(5)), killed("last", False)]
    found = [f for f in said(facts(more=pods), "MAAS-362") if f.status in (Status.failed, Status.warning)]
    assert [(f.about, f.status) for f in found][:2] == [
        ("Pod llm/last", Status.failed),
        ("Pod llm/first", Status.warning),
    ]
    assert (found[-1].about, found[-1].status) == ("others", Status.warning)


def test_no_model_is_a_failure() -> None:
    found = problems(facts(without=["InferenceService", "HTTPRoute", "Deployment", "Pod"]))
    assert found["MAAS-340"].status is Status.failed


def test_an_init_container_that_has_just_begun_is_not_stuck() -> None:
    young = of_the_model(pending("Initialized", "ContainersNotInitialized", "", since="2026-09-21T14:10:00Z"))
    assert "MAAS-364" not in problems(facts(young))


def test_a_hundred_pods_of_one_set_are_one_finding() -> None:
    owner = {"kind": "ReplicaSet", "name": "simulator-predictor-abc"}
    crashing = {"name": "kserve-container", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    many = [
        made("v1", "Pod", f"simulator-{n}", "llm", spec={}, status={"containerStatuses": [crashing]})
        for n in range(100)
    ]
    for each in many:
        each["metadata"]["ownerReferences"] = [owner]
    found = [f for f in said(facts(more=many), "MAAS-361") if f.status is Status.failed]
    assert [f.about for f in found] == ["ReplicaSet llm/simulator-predictor-abc"]
    assert found[0].message.endswith("(and 99 more of its pods)")


def test_pods_of_others_are_nobodys_business_here() -> None:
    crashing = {"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    other = made("v1", "Pod", "shop", "shop", spec={}, status={"containerStatuses": [crashing]})
    assert "MAAS-361" not in problems(facts(more=[other]))


def test_a_consequence_names_its_cause() -> None:
    pull = of_the_model(waiting("ImagePullBackOff", "manifest unknown"))
    found = problems(facts((MODEL, conditioned("Ready", "False", "MinimumReplicasUnavailable")), pull))
    assert "MAAS-360" in found["MAAS-341"].because_of


def test_a_network_policy_for_the_models_is_enough() -> None:
    policy = made("networking.k8s.io/v1", "NetworkPolicy", "models", "llm", spec={"podSelector": {}})
    assert "MAAS-372" not in problems(facts(more=[policy]))
    assert "MAAS-372" in problems(facts(without=["NetworkPolicy"]))
    out = {**policy, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}}
    assert "MAAS-372" in problems(facts(without=["NetworkPolicy"], more=[out]))
