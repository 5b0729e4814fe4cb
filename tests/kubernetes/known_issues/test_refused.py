"""MAAS-424 and MAAS-425: why there is no pod to look at, and what of the past or of others is no reason."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from maas.cluster.objects import name
from maas.readiness.doctor import Topic, diagnose
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters.making import SINCE, Object, condition, event, made
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.known_issues.planted import KUBERNETES, LLM, first_status, pod_of, unready, vllm


def found(code: str, *new: Object) -> Finding:
    (finding,) = judge(scenario(*new).facts(), scenario(*new).asked, only=[code])
    return finding


def scenario(*new: Object) -> Scenario:
    base = KUBERNETES().after()
    return replace(base, objects=(*base.objects, *new))


def podless(message: str) -> list[Object]:
    model = unready(vllm("m"))
    deployment(model)["status"].update({"replicas": 0, "updatedReplicas": 0})
    refused = event("ReplicaSet", "m-predictor-5f6d8c", LLM, "FailedCreate", f"Error creating: pods {message}")
    return [*(each for each in model if each["kind"] != "Pod"), refused]


def deployment(model: list[Object]) -> Object:
    return next(each for each in model if each["kind"] == "Deployment")


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ('"m" is forbidden: exceeded quota: compute, requested: cpu=4', "quota"),
        ('"m" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot', "pod-security"),
        ('"m" is forbidden: unable to validate against any security context constraint', "restricted-v2"),
        ('"m" is forbidden: maximum cpu usage per Container is 2, but limit is 4', "LimitRange"),
        ('"m" is forbidden: error looking up service account llm/kserve: serviceaccount "x"', "service account"),
        ('failed calling webhook "x.example.com": no endpoints available', "webhook"),
        ("what nobody has seen yet", "Do what the message asks for"),
    ],
)
def test_who_refuses_decides_the_advice_which_is_never_done(message: str, advice: str) -> None:
    finding = found("MAAS-424", *podless(message))
    assert (finding.status, finding.about) == (Status.failed, "Deployment llm/m-predictor")
    assert finding.remedy and advice in finding.remedy.text and not finding.remedy.changes


def test_the_doctor_tells_it_as_the_cause_of_its_model() -> None:
    facts = scenario(*podless("exceeded quota")).facts()
    findings = judge(facts, scenario().asked)
    (cause,) = diagnose(facts, findings, Topic.model, "m").causes
    assert cause.finding.code == "MAAS-424"
    assert "MAAS-341" in {each.code for each in cause.consequences}


def test_the_doctor_of_a_model_does_not_send_to_itself() -> None:
    facts = scenario(*unready(vllm("m"))).facts()
    findings = judge(facts, scenario().asked)
    (cause,) = diagnose(facts, findings, Topic.model, "m").causes
    assert cause.finding.code == "MAAS-341" and cause.finding.remedy
    assert not any("maas doctor model" in each for each in cause.finding.remedy.commands)
    (generally,) = (each.remedy for each in diagnose(facts, findings).findings if each.code == "MAAS-341")
    assert generally and "maas doctor model m" in generally.commands


def test_a_deployment_may_tell_it_itself() -> None:
    model = unready(vllm("m"))
    failure = condition("ReplicaFailure", True, "FailedCreate", 'pods "m" is forbidden: exceeded quota: gpus')
    deployment(model)["status"]["conditions"] = [failure]
    assert "exceeded quota" in found("MAAS-424", *model).message


def _done(model: list[Object]) -> list[Object]:
    """Long since: the pods are there."""
    return [*vllm("m"), model[-1]]


def _made_since(model: list[Object]) -> list[Object]:
    """The pod is there now, though it is not ready."""
    return [*unready(vllm("m")), model[-1]]


def _of_another(model: list[Object]) -> list[Object]:
    other = event("ReplicaSet", "mm-predictor-5f6d8c", LLM, "FailedCreate", "exceeded quota")
    return [*model[:-1], other]


@pytest.mark.parametrize("change", [_done, _made_since, _of_another], ids=lambda change: str(change.__name__))
def test_what_is_past_or_of_another_is_no_reason(change: Callable[[list[Object]], list[Object]]) -> None:
    assert found("MAAS-424", *change(podless("exceeded quota"))).status is Status.passed


def waiting(reason: str, began: bool = False) -> list[Object]:
    model = vllm("m")
    state = {"waiting": {"reason": "ContainerCreating"}}
    status = {**first_status(model), "ready": False, "state": state, "restartCount": 3 if began else 0}
    model = unready(model, phase="Pending", containerStatuses=[status])
    message = 'MountVolume.SetUp failed for volume "token" : secret "hf" not found'
    return [*model, event("Pod", pod_of(model), LLM, reason, message)]


def test_a_volume_that_is_not_there() -> None:
    finding = found("MAAS-424", *waiting("FailedMount"))
    assert finding.status is Status.failed and 'secret "hf" not found' in finding.message
    assert finding.remedy and "Create the Secret" in finding.remedy.text


@pytest.mark.parametrize("model", [waiting("FailedMount", began=True), waiting("BackOff")])
def test_a_pod_that_has_begun_has_its_volumes(model: list[Object]) -> None:
    assert found("MAAS-424", *model).status is Status.passed


@pytest.mark.parametrize(
    ("named", "status"),
    [("kserve", Status.failed), ("istio-cni", Status.failed), ("somebody-s", Status.passed)],
)
def test_a_namespace_that_ends(named: str, status: Status) -> None:
    space = made("v1", "Namespace", named, status={"phase": "Terminating"})
    rest = [each for each in scenario().objects if (each["kind"], name(each)) != ("Namespace", named)]
    ending = replace(scenario(), objects=(*rest, space))
    (finding,) = judge(ending.facts(), ending.asked, only=["MAAS-425"])
    assert finding.status is status


def test_what_holds_a_namespace_back_is_quoted() -> None:
    space = made("v1", "Namespace", "istio-cni", status={"phase": "Active"})
    space["metadata"]["deletionTimestamp"] = SINCE
    space["status"]["conditions"] = [condition("NamespaceContentRemaining", True, "Some", "pods. has 1 instances")]
    finding = found("MAAS-425", space)
    assert SINCE in finding.message and "pods. has 1 instances" in str(finding.seen[1])
    assert finding.remedy and not finding.remedy.changes
