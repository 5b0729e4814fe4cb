"""KServe: controller, webhook, mode, version."""

import json
from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.facts.redaction import REDACTED
from maas.cluster.kinds import CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, INFERENCE_SERVICE
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    AFTER,
    BEFORE,
    ON_OPENSHIFT,
    deployment,
    object_of,
    one,
    statuses,
)
from tests.kubernetes.offline import facts


def _controller(version: str = "v0.20.0", namespace: str = "kserve", **fields: Any) -> dict[str, Any]:
    return deployment("kserve-controller-manager", namespace, f"kserve/kserve-controller:{version}", **fields)


def _config(namespace: str = "kserve", **sections: Any) -> dict[str, Any]:
    data = {key: value if isinstance(value, str) else json.dumps(value) for key, value in sections.items()}
    return object_of("v1", "ConfigMap", "inferenceservice-config", namespace, data=data)


def _webhook() -> dict[str, Any]:
    service = {"namespace": "kserve", "name": "kserve-webhook-server-service"}
    rule = {"apiGroups": ["serving.kserve.io"], "resources": ["inferenceservices"]}
    webhooks = [
        {
            "name": "inferenceservice.kserve-webhook-server.validator",
            "clientConfig": {"service": service},
            "rules": [rule],
        }
    ]
    api = "admissionregistration.k8s.io/v1"
    return object_of(api, "ValidatingWebhookConfiguration", "inferenceservice.serving.kserve.io", webhooks=webhooks)


def _slice(*ready: bool | None) -> dict[str, Any]:
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": each}} for each in ready]
    labels = {"kubernetes.io/service-name": "kserve-webhook-server-service"}
    api = "discovery.k8s.io/v1"
    return object_of(api, "EndpointSlice", "x", "kserve", metadata={"labels": labels}, endpoints=endpoints)


def test_absence() -> None:
    assert one("MAAS-280", facts(), BEFORE).status is Status.to_install
    assert one("MAAS-280", facts(), AFTER).status is Status.failed
    assert "no controller" in one("MAAS-280", facts(serves=[INFERENCE_SERVICE])).message
    step = one("MAAS-280", facts(), ON_OPENSHIFT).remedy
    assert step is not None and step.step == "rhoai"
    for code in ("MAAS-281", "MAAS-282", "MAAS-283", "MAAS-284", "MAAS-285"):
        assert one(code, facts()).status is Status.skipped


@pytest.mark.parametrize("code", ["MAAS-280", "MAAS-281", "MAAS-282", "MAAS-283", "MAAS-284", "MAAS-285"])
def test_unread_deployments_are_unknown(code: str) -> None:
    denied = Unread(Cause.denied, "listing deployments was denied")
    assert one(code, facts(unread={DEPLOYMENT: denied})).status is Status.unknown


def test_it_is_recognised_and_not_twice() -> None:
    assert "0.20.0 (manifests) in kserve" in one("MAAS-280", facts(_controller())).message
    finding = one("MAAS-280", facts(_controller(), _controller(namespace="redhat-ods-applications")), ON_OPENSHIFT)
    assert finding.status is Status.failed and "OpenShift AI" in finding.message


def test_openshift_ai_tells_the_version_of_its_kserve() -> None:
    digest = _controller("x@sha256:abc", "redhat-ods-applications")
    releases = {"components": {"kserve": {"releases": [{"name": "KServe", "version": "v0.15.0"}]}}}
    cluster = object_of("datasciencecluster.opendatahub.io/v2", "DataScienceCluster", "default-dsc", status=releases)
    assert "0.15.0 (OpenShift AI)" in one("MAAS-280", facts(digest, cluster), ON_OPENSHIFT).message
    assert one("MAAS-284", facts(digest, cluster), ON_OPENSHIFT).status is Status.passed
    assert "keeps its version" in one("MAAS-284", facts(digest), ON_OPENSHIFT).message


def test_the_controller_must_be_available() -> None:
    assert one("MAAS-281", facts(_controller())).status is Status.passed
    assert one("MAAS-281", facts(_controller(available=False))).status is Status.failed


def test_the_controller_of_llm_inference_services_matters_where_there_are_any() -> None:
    down = deployment("llmisvc-controller-manager", "kserve", available=False)
    used = object_of("serving.kserve.io/v1alpha2", "LLMInferenceService", "qwen3", "llm")
    assert statuses("MAAS-281", facts(_controller(), down)) == [Status.passed, Status.warning]
    assert statuses("MAAS-281", facts(_controller(), down, used)) == [Status.passed, Status.failed]


def test_the_webhook_must_have_ready_endpoints() -> None:
    assert one("MAAS-282", facts(_controller(), _webhook(), _slice(True))).status is Status.passed
    assert one("MAAS-282", facts(_controller(), _webhook(), _slice(None))).status is Status.passed
    assert one("MAAS-282", facts(_controller(), _webhook(), _slice(False))).status is Status.failed
    assert one("MAAS-282", facts(_controller(), _webhook())).status is Status.failed
    assert one("MAAS-282", facts(_controller())).status is Status.warning
    denied = Unread(Cause.denied, "no")
    assert one("MAAS-282", facts(_controller(), _webhook(), unread={ENDPOINT_SLICE: denied})).status is Status.unknown


def test_the_webhook_of_llm_inference_services_is_another_matter() -> None:
    other = _webhook()
    other["webhooks"][0]["rules"][0]["resources"] = ["llminferenceservices"]
    assert one("MAAS-282", facts(_controller(), other)).status is Status.warning


@pytest.mark.parametrize("mode", ["Standard", "RawDeployment"])
def test_modes_without_knative_pass(mode: str) -> None:
    assert (
        one("MAAS-283", facts(_controller(), _config(deploy={"defaultDeploymentMode": mode}))).status is Status.passed
    )


@pytest.mark.parametrize(
    "deploy", [{"defaultDeploymentMode": "Serverless"}, {"defaultDeploymentMode": "Knative"}, {}, ""]
)
def test_modes_with_knative_fail_without_it(deploy: Any) -> None:
    finding = one("MAAS-283", facts(_controller(), _config(deploy=deploy)))
    assert finding.status is Status.failed and finding.remedy
    written = finding.remedy.changes[0].body["data"]["deploy"]
    assert json.loads(written)["defaultDeploymentMode"] == "Standard"


@pytest.mark.parametrize("deploy", ["{oops", "[]"])
def test_what_is_no_configuration_is_said_to_be_none_and_is_not_written_anew(deploy: str) -> None:
    finding = one("MAAS-283", facts(_controller(), _config(deploy=deploy)))
    assert (finding.status, finding.message) == (Status.failed, "data.deploy is no JSON object")
    assert finding.remedy is not None and not finding.remedy.changes


def test_a_kserve_of_openshift_ai_is_upgraded_with_it() -> None:
    old = _controller("v0.14.1", "opendatahub")
    remedies = [one("MAAS-284", facts(each)).remedy for each in (old, _controller("v0.14.1"))]
    assert [bool(each and "OpenShift AI" in each.text) for each in remedies] == [True, False]


def test_with_knative_the_mode_is_only_a_warning() -> None:
    knative = object_of("operator.knative.dev/v1beta1", "KnativeServing", "knative-serving", "knative-serving")
    there = facts(_controller(), _config(deploy={"defaultDeploymentMode": "Serverless"}), knative)
    assert one("MAAS-283", there).status is Status.warning


def test_setting_the_mode_keeps_the_rest_and_speaks_the_versions_language() -> None:
    old = facts(_controller("v0.15.2"), _config(deploy={"defaultDeploymentMode": "Serverless", "other": 1}))
    remedy = one("MAAS-283", old).remedy
    assert remedy is not None
    assert json.loads(remedy.changes[0].body["data"]["deploy"]) == {
        "defaultDeploymentMode": "RawDeployment",
        "other": 1,
    }


def test_openshift_ai_writes_the_configuration_itself() -> None:
    there = facts(_controller(namespace="opendatahub"), _config("opendatahub", deploy={}))
    remedy = one("MAAS-283", there, ON_OPENSHIFT).remedy
    assert remedy is not None and not remedy.changes and "DataScienceCluster" in remedy.text


def test_a_missing_or_redacted_or_unread_configuration() -> None:
    assert one("MAAS-283", facts(_controller())).status is Status.failed
    assert one("MAAS-283", facts(_controller(), _config(deploy=REDACTED))).status is Status.unknown
    assert one("MAAS-285", facts(_controller(), _config(service=REDACTED))).status is Status.unknown
    denied = Unread(Cause.denied, "no")
    assert one("MAAS-283", facts(_controller(), unread={CONFIG_MAP: denied})).status is Status.unknown


@pytest.mark.parametrize(
    ("version", "expected"),
    [("v0.20.0", Status.passed), ("v0.15.0", Status.passed), ("v0.14.1", Status.warning), ("latest", Status.warning)],
)
def test_versions(version: str, expected: Status) -> None:
    assert one("MAAS-284", facts(_controller(version))).status is expected


def test_headless_services_are_a_warning() -> None:
    headless = facts(_controller(), _config(service={"serviceClusterIPNone": True}))
    assert one("MAAS-285", headless).status is Status.warning
    assert statuses("MAAS-285", facts(_controller(), _config(service={}))) == [Status.passed]
