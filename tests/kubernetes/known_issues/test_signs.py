"""Of each known issue, the variants: what decides between causes, what only looks like it, what nobody can know."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.changes import Change, Verb
from maas.cluster.components import kuadrant
from maas.cluster.facts.model import Cause, Log, Unread
from maas.cluster.kinds import KUADRANT, LIMITADOR, POD, SECRET
from maas.cluster.objects import items, name
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters import installation, making, operators, typical
from tests.kubernetes.clusters.making import Object, condition, made
from tests.kubernetes.clusters.nodes import T4, node
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.known_issues.planted import (
    FAULTS,
    KUBERNETES,
    LLM,
    OPENSHIFT,
    changed,
    crashing,
    first,
    hugging_face,
    said,
    vllm,
)
from tests.kubernetes.known_issues.planted import KUADRANT as HOME


def found(scenario: Scenario, code: str, *, after: bool = True) -> list[Finding]:
    scenario = scenario.after() if after else scenario
    return list(judge(scenario.facts(), scenario.asked, only=[code]))


def only(scenario: Scenario, code: str) -> Finding:
    (finding,) = found(scenario, code)
    return finding


def with_objects(base: Callable[[], Scenario], *new: Object, logs: tuple[Log, ...] = ()) -> Scenario:
    scenario = base()
    return replace(scenario, objects=(*scenario.objects, *new), logs=(*scenario.logs, *logs))


def planted(code: str) -> Scenario:
    return next(fault for fault in FAULTS if fault.code == code).scenario()


def without_logs(scenario: Scenario) -> Scenario:
    return replace(scenario, logs=())


def changes(finding: Finding) -> tuple[Change, ...]:
    assert finding.remedy
    return finding.remedy.changes


def values(change: Change) -> dict[str, Any]:
    """Of a JSON patch, by the end of each path."""
    return {each["path"].rpartition("/")[2]: each["value"] for each in change.body["operations"] if "value" in each}


# MAAS-402: what the log says decides.


@pytest.mark.parametrize(
    ("line", "image", "flags"),
    [
        ("LLVM ERROR: mma -> mma layout conversion is only supported on Ampere", "v0.10.2", "--dtype=float16"),
        ("error: Unsupported conversion from f16 to f16", "v0.10.2", "--enforce-eager"),
        ("RuntimeError: PassManager::run failed", "v0.10.2", "--dtype=float16"),
        ("CUDA error: no kernel image is available for execution on the device", "v0.8.5.post1", "--dtype=float16"),
    ],
)
def test_the_signature_decides_the_version(line: str, image: str, flags: str) -> None:
    model = crashing(vllm("m", "registry.example.com:5000/vllm/vllm-openai:v0.9.0", "--dtype", "bfloat16"))
    finding = only(with_objects(KUBERNETES, *model, logs=said(model, line)), "MAAS-402")
    patch = values(changes(finding)[0])
    assert patch["image"] == f"registry.example.com:5000/vllm/vllm-openai:{image}"
    assert flags in patch["args"] and "bfloat16" not in patch["args"] and "--dtype" not in patch["args"]
    assert line in str(finding.seen[0])


def test_volta_gets_the_old_engine() -> None:
    model = crashing(vllm("m", "vllm/vllm-openai:v0.9.1"))
    logs = said(model, "RuntimeError: CUDA error: no kernel image is available for execution on the device")
    patch = values(changes(only(with_objects(KUBERNETES, *model, logs=logs), "MAAS-402"))[0])
    assert {"name": "VLLM_USE_V1", "value": "0"} in patch["env"]


def test_refused_bfloat16_changes_no_version() -> None:
    model = crashing(vllm("m", "quay.io/vendor/vllm-cuda:3.2"))
    line = "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU"
    patch = values(changes(only(with_objects(KUBERNETES, *model, logs=said(model, line)), "MAAS-402"))[0])
    assert "--dtype=float16" in patch["args"] and "image" not in patch


def test_an_image_whose_versions_nobody_knows_is_left_to_people() -> None:
    model = crashing(vllm("m", "quay.io/vendor/vllm-cuda:3.2"))
    line = "LLVM ERROR: Unsupported rounding mode for conversion."
    finding = only(with_objects(KUBERNETES, *model, logs=said(model, line)), "MAAS-402")
    assert finding.status is Status.failed and changes(finding) == ()


def test_too_little_shared_memory_has_no_patch() -> None:
    model = crashing(vllm("m"))
    line = "triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: 81920, limit: 65536"
    assert changes(only(with_objects(KUBERNETES, *model, logs=said(model, line)), "MAAS-402")) == ()


def test_what_a_container_said_last_is_as_good_as_its_log() -> None:
    model = crashing(vllm("m", "vllm/vllm-openai:v0.9.0"))
    status = next(each for each in model if each["kind"] == "Pod")["status"]["containerStatuses"][0]
    status["lastState"]["terminated"]["message"] = "…\nLLVM ERROR: Unsupported rounding mode for conversion.\n"
    assert only(with_objects(KUBERNETES, *model), "MAAS-402").status is Status.failed


def test_without_a_log_a_known_bad_version_on_a_t4_is_a_suspicion() -> None:
    model = crashing(vllm("m", "vllm/vllm-openai:v0.9.2"))
    next(each for each in model if each["kind"] == "Pod")["spec"]["nodeName"] = "t4"
    finding = only(with_objects(KUBERNETES, *model, node("t4", gpu=T4)), "MAAS-402")
    assert finding.status is Status.warning and "its log was not there" in finding.message


@pytest.mark.parametrize("code", ["MAAS-402", "MAAS-415", "MAAS-420"])
def test_without_a_log_nobody_knows_why_it_crashes(code: str) -> None:
    finding = only(without_logs(planted(code)), code)
    assert finding.status is Status.unknown and "log was not read" in finding.message


def test_a_crash_of_before_says_nothing_of_a_model_that_is_ready() -> None:
    model = vllm("m")
    logs = said(model, "LLVM ERROR: Unsupported rounding mode for conversion.")
    assert only(with_objects(KUBERNETES, *model, logs=logs), "MAAS-402").status is Status.passed


# MAAS-401


def test_the_label_with_any_value_is_enough() -> None:
    label = "openshift.io/cluster-monitoring"
    for value in ("true", "false", "whatever"):
        scenario = planted("MAAS-401")
        first(scenario.objects, "Namespace", "nvidia-gpu-operator")["metadata"]["labels"][label] = value  # type: ignore[arg-type]
        assert only(scenario, "MAAS-401").status is Status.passed


def test_it_is_found_before_an_installation_too_also_without_logs() -> None:
    (finding,) = found(without_logs(typical.rosa()), "MAAS-401", after=False)
    assert finding.status is Status.failed
    assert [change.verb for change in changes(finding)] == [Verb.patch, Verb.restart]


# MAAS-403


def test_a_gateway_that_answers_503_makes_it_a_failure() -> None:
    scenario = planted("MAAS-403")
    line = '"POST /v1/chat/completions HTTP/1.1" 503 UH no_healthy_upstream - "-" 0 19'
    log = Log(LLM, "maas-gateway-istio-7d", "istio-proxy", (line,))
    assert only(replace(scenario, logs=(log,)), "MAAS-403").status is Status.failed


def test_a_headless_service_without_translation_is_nothing() -> None:
    scenario = planted("MAAS-403")
    service = first(scenario.objects, "Service", "headless-predictor", LLM)  # type: ignore[arg-type]
    for port in items(service, "spec", "ports"):
        port["targetPort"] = port["port"]  # type: ignore[index]
    assert only(scenario, "MAAS-403").status is Status.passed


# MAAS-404


def with_mtls(objects: list[Object], label: str) -> list[Object]:
    first(objects, "Kuadrant", "kuadrant", HOME)["spec"]["mtls"] = {"enable": True}
    first(objects, "Namespace", HOME)["metadata"]["labels"]["istio-injection"] = label
    return objects


def test_with_mtls_sidecars_are_wanted() -> None:
    scenario = KUBERNETES()
    with_mtls(list(scenario.objects), "enabled")  # type: ignore[arg-type]
    assert only(scenario, "MAAS-404").status is Status.passed


def test_with_mtls_forbidding_them_is_the_fault_and_allowing_them_the_remedy() -> None:
    scenario = KUBERNETES()
    with_mtls(list(scenario.objects), "disabled")  # type: ignore[arg-type]
    finding = only(scenario, "MAAS-404")
    assert finding.status is Status.failed
    label, *restarts = changes(finding)
    assert label.body == {"metadata": {"labels": {"istio-injection": None}}}
    assert {each.name for each in restarts} == {"authorino", "limitador-limitador"}


def test_a_namespace_that_asks_for_injection_is_a_suspicion_while_its_pods_run() -> None:
    scenario = KUBERNETES()
    first(scenario.objects, "Namespace", HOME)["metadata"]["labels"]["istio.io/rev"] = "default"  # type: ignore[arg-type]
    finding = only(scenario, "MAAS-404")
    assert finding.status is Status.warning
    assert changes(finding)[0].body["metadata"]["labels"] == {"istio-injection": "disabled", "istio.io/rev": None}
    assert all(change.verb is Verb.restart for change in changes(finding)[1:])


def test_models_beside_kuadrant_are_not_restarted_for_its_sidecars() -> None:
    scenario = KUBERNETES()
    changed("Namespace", HOME, lambda space: space["metadata"]["labels"].update({"istio-injection": "enabled"}))(
        [*scenario.objects]
    )
    guest = making.deployment(
        "m-predictor",
        HOME,
        making.pod_spec(making.container("kserve-container", "x")),
        labels={"serving.kserve.io/inferenceservice": "m"},
    )
    finding = only(replace(scenario, objects=(*scenario.objects, *guest)), "MAAS-404")
    restarted = {change.name for change in changes(finding)[1:]}
    assert "authorino" in restarted and "m-predictor" not in restarted


@pytest.mark.parametrize("part", ["spec", "status"])
def test_kuadrant_in_a_member_roll_is_for_somebody_to_take_out(part: str) -> None:
    field = {"spec": "members", "status": "configuredMembers"}[part]
    roll = made("maistra.io/v1", "ServiceMeshMemberRoll", "default", "istio-system")
    roll[part] = {field: [HOME]}
    finding = only(with_objects(KUBERNETES, roll), "MAAS-404")
    assert (finding.status, finding.about) == (Status.warning, "ServiceMeshMemberRoll istio-system/default")
    assert changes(finding) == () and HOME in finding.message
    other = made("maistra.io/v1", "ServiceMeshMemberRoll", "default", "istio-system", spec={"members": ["shop"]})
    assert only(with_objects(KUBERNETES, other), "MAAS-404").status is Status.passed


def test_a_variable_that_vllm_calls_unknown() -> None:
    model = vllm("m", env=[{"name": "VLLM_MADE_UP", "value": "1"}, {"name": "HF_HOME", "value": "/c"}])
    line = "WARNING envs.py:1: Unknown vLLM environment variable detected: VLLM_MADE_UP"
    finding = only(with_objects(KUBERNETES, *model, logs=said(model, line)), "MAAS-423")
    assert finding.status is Status.warning and "VLLM_MADE_UP" in finding.message
    assert finding.remedy and changes(finding) == () and "env/0" in finding.remedy.commands[0]
    assert only(with_objects(KUBERNETES, *model), "MAAS-423").status is Status.passed


def test_variables_that_kubernetes_sets_are_nobody_s_mistake() -> None:
    model = vllm("m")
    line = "WARNING envs.py:1: Unknown vLLM environment variable detected: VLLM_SERVICE_HOST"
    assert only(with_objects(KUBERNETES, *model, logs=said(model, line)), "MAAS-423").status is Status.passed


def test_dead_variables_are_taken_out_from_the_end() -> None:
    env = [{"name": each, "value": "0"} for each in ("VLLM_USE_TRITON_FLASH_ATTN", "A", "VLLM_USE_TRITON_ATTENTION")]
    finding = only(with_objects(KUBERNETES, *vllm("m", env=env)), "MAAS-423")
    assert finding.remedy
    command = finding.remedy.commands[0]
    assert 0 < command.index("/env/2") < command.index("/env/0") and "/env/1" not in command


def test_the_envoy_of_a_gateway_is_no_sidecar() -> None:
    labels = {"gateway.networking.k8s.io/gateway-name": "shop"}
    gateway = making.deployment(
        "shop-istio",
        HOME,
        making.pod_spec(making.container("istio-proxy", "istio/proxyv2:1.30.3")),
        "node-1",
        labels=labels,
    )
    scenario = KUBERNETES().changed(lambda objects: [*objects, *gateway])
    assert only(scenario, "MAAS-404").status is Status.passed


# MAAS-405 and MAAS-411


def test_the_controller_s_log_tells_where_no_version_does() -> None:
    line = "StorageURI not supported: storageUri, must be one of: [gs://]. StorageUri [hf://Qwen/m] is not supported"
    log = Log("redhat-ods-applications", "kserve-controller-manager-5f", "manager", (line,))
    scenario = with_objects(OPENSHIFT, *hugging_face("m"), logs=(log,))
    assert only(scenario, "MAAS-405").status is Status.failed


def test_a_model_of_a_moment_ago_may_have_an_empty_status() -> None:
    model = hugging_face("m")
    model[0]["metadata"]["creationTimestamp"] = "2026-09-21T14:12:30Z"
    assert only(with_objects(OPENSHIFT, *model), "MAAS-411").status is Status.passed


def test_without_hf_the_controller_is_restarted() -> None:
    model = hugging_face("m")
    model[0]["spec"]["predictor"]["model"]["storageUri"] = "s3://models/m"
    (change,) = changes(only(with_objects(OPENSHIFT, *model), "MAAS-411"))
    assert (change.verb, change.name) == (Verb.restart, "kserve-controller-manager")


def test_what_moves_to_the_new_container_moves_within_the_server() -> None:
    (change,) = changes(only(with_objects(OPENSHIFT, *hugging_face("m")), "MAAS-411"))
    moved = [each["from"] for each in change.body["operations"] if each["op"] == "move"]
    assert moved == ["/spec/predictor/model/env", "/spec/predictor/model/resources"]
    assert "HF_TOKEN" not in change.command


def test_a_model_without_a_gpu_is_left_to_people() -> None:
    model = hugging_face("m", resources={})
    assert changes(only(with_objects(OPENSHIFT, *model), "MAAS-411")) == ()


# MAAS-406 and MAAS-407


def test_a_dependency_that_is_not_there_is_installed_first() -> None:
    scenario = planted("MAAS-406")
    without_istio = tuple(each for each in scenario.components if each != "istio")
    objects = tuple(each for each in scenario.objects if "istio.io" not in str(each["apiVersion"]))
    finding = only(replace(scenario, components=without_istio, objects=objects), "MAAS-406")
    assert "Istio, which is not installed" in finding.message
    assert changes(finding) == ()


def test_limits_that_fail_closed_are_not_open() -> None:
    scenario = planted("MAAS-407")
    operator = first(scenario.objects, "Deployment", "kuadrant-operator-controller-manager", HOME)  # type: ignore[arg-type]
    env = [{"name": variable, "value": mode} for variable, mode in kuadrant.FAIL_CLOSED.items()]
    operator["spec"]["template"]["spec"]["containers"][0]["env"] = env
    assert "what has a limit is refused" in only(scenario, "MAAS-407").message
    del env[0]
    assert "no limit applies" in only(scenario, "MAAS-407").message, "requests are as open as tokens"


@pytest.mark.parametrize(("reason", "restarts"), [("CrashLoopBackOff", True), ("ImagePullBackOff", False)])
def test_a_restart_is_offered_where_it_may_help(reason: str, restarts: bool) -> None:
    scenario = OPENSHIFT()
    limitador = first(scenario.objects, "Limitador", "limitador", HOME)  # type: ignore[arg-type]
    limitador["status"]["conditions"] = [condition("Ready", False, "LimitadorNotAvailable")]
    pod = next(o for o in scenario.objects if o["kind"] == "Pod" and name(o).startswith("limitador-limitador"))
    pod["status"]["containerStatuses"][0] |= {"ready": False, "state": {"waiting": {"reason": reason}}}
    for each in items(pod, "status", "conditions"):
        if each["type"] == "Ready":
            each["status"] = "False"  # type: ignore[index]
    assert bool(changes(only(scenario, "MAAS-407"))) is restarts


def test_without_limits_nothing_can_fail_open() -> None:
    scenario = planted("MAAS-407")
    kept = tuple(each for each in scenario.objects if not str(each["kind"]).endswith("RateLimitPolicy"))
    assert only(replace(scenario, objects=kept), "MAAS-407").status is Status.skipped


# MAAS-408 to MAAS-410


@pytest.mark.parametrize(
    ("version", "status"),
    [("1.3.2", "passed"), ("1.4.0", "failed"), ("1.4.1", "warning"), ("1.4.2", "passed"), ("1.5.0", "passed")],
)
def test_versions_that_let_requests_through(version: str, status: str) -> None:
    csv = operators.cluster_service_version(f"rhcl-operator.v{version}", "kuadrant-system")
    scenario = OPENSHIFT()
    rest = [each for each in scenario.objects if not name(each).startswith("rhcl-operator.")]
    finding = only(replace(scenario, objects=(*rest, csv)), "MAAS-408")
    assert finding.status == status
    if status != "passed":
        assert changes(finding) == ()  # no update waits: which channel has one, somebody has to see


def test_a_mesh_that_is_used_is_not_removed() -> None:
    scenario = planted("MAAS-409")
    used = made("sailoperator.io/v1", "Istio", "mine", spec={"namespace": "istio-system", "version": "v1.26.8"})
    finding = only(replace(scenario, objects=(*scenario.objects, used)), "MAAS-409")
    assert finding.status is Status.failed and changes(finding) == ()
    assert finding.remedy and "Istio mine" in finding.remedy.text


def test_the_ingress_operator_s_own_istio_is_no_user_of_another_mesh() -> None:
    scenario = planted("MAAS-409")
    own = made("sailoperator.io/v1", "Istio", "openshift-gateway", spec={"namespace": "openshift-ingress"})
    finding = only(replace(scenario, objects=(*scenario.objects, own)), "MAAS-409")
    assert finding.status is Status.failed and changes(finding)


def test_a_mesh_of_the_other_generation_does_not_use_this_one() -> None:
    scenario = planted("MAAS-409")
    subscription = first(scenario.objects, "Subscription", "servicemeshoperator3", operators.GLOBAL)  # type: ignore[arg-type]
    subscription["spec"]["name"] = "servicemeshoperator"
    istio = made("sailoperator.io/v1", "Istio", "mine", spec={"namespace": "istio-system"})
    assert changes(only(replace(scenario, objects=(*scenario.objects, istio)), "MAAS-409"))
    plane = made("maistra.io/v2", "ServiceMeshControlPlane", "basic", "istio-system", spec={"version": "v2.6"})
    assert changes(only(replace(scenario, objects=(*scenario.objects, plane)), "MAAS-409")) == ()


@pytest.mark.parametrize(
    ("openshift", "hit"), [("4.18.9", False), ("4.19.0", True), ("4.21.21", True), ("4.21.22", False)]
)
def test_only_these_openshifts_install_through_olm(openshift: str, hit: bool) -> None:
    scenario = planted("MAAS-409")
    first(scenario.objects, "ClusterVersion", "version")["status"]["desired"]["version"] = openshift  # type: ignore[arg-type]
    assert (only(scenario, "MAAS-409").status is Status.failed) is hit


def test_labels_that_came_later_want_a_restart() -> None:
    scenario = planted("MAAS-410")
    first(scenario.objects, "Node", "gpu-0")["metadata"]["labels"][  # type: ignore[arg-type]
        "feature.node.kubernetes.io/pci-10de.present"
    ] = "true"
    assert [change.verb for change in changes(only(scenario, "MAAS-410"))] == [Verb.restart]


def test_who_wants_no_gpus_is_only_warned() -> None:
    scenario = planted("MAAS-410")
    kept = tuple(each for each in scenario.objects if each["kind"] != "InferenceService")
    finding = only(replace(scenario, objects=kept, asked=replace(scenario.asked, gpu=False)), "MAAS-410")
    assert finding.status is Status.warning


# MAAS-412 and MAAS-413


def test_a_tier_that_is_refused_needs_no_limit() -> None:
    assert only(with_objects(KUBERNETES, installation.key("eve", "gold")), "MAAS-412").status is Status.passed


def test_a_limit_for_everybody_is_one_for_every_tier() -> None:
    scenario = planted("MAAS-412")
    policy = first(scenario.objects, "RateLimitPolicy", "maas-requests", LLM)  # type: ignore[arg-type]
    policy["spec"]["limits"]["all"] = {"rates": [{"limit": 1000, "window": "1m"}]}
    assert only(scenario, "MAAS-412").status is Status.passed


def test_the_strictest_limit_is_lent_to_the_unknown_tier() -> None:
    (change,) = changes(only(planted("MAAS-412"), "MAAS-412"))
    lent = change.body["spec"]["limits"]["gold"]
    assert lent["rates"] == [{"limit": 5, "window": "2m"}]
    assert lent["when"] == [{"predicate": 'auth.identity.groups.split(",").exists(g, g == "gold")'}]


def test_tiers_that_are_written_with_escapes_are_the_same_tiers() -> None:
    """As our own policies write one that is called "package"."""
    scenario = planted("MAAS-412")
    rules = first(scenario.objects, "AuthPolicy", "maas-auth", LLM)["spec"]["rules"]  # type: ignore[arg-type]
    opa = rules["authorization"]["allow-groups"]["opa"]
    opa["rego"] = opa["rego"].replace('"gold"', r'"\u0067old"')
    limits = first(scenario.objects, "RateLimitPolicy", "maas-requests", LLM)["spec"]["limits"]  # type: ignore[arg-type]
    for each in (when for limit in limits.values() for when in limit["when"]):
        each["predicate"] = each["predicate"].replace('"free"', r'"\u0066ree"')
    finding = only(scenario, "MAAS-412")
    assert finding.status is Status.failed and finding.about == "tier gold"
    (change,) = changes(finding)
    assert '"gold"' in change.body["spec"]["limits"]["gold"]["when"][0]["predicate"]


def test_the_same_key_of_two_users_is_for_people_to_decide() -> None:
    scenario = planted("MAAS-413")
    twin = first(scenario.objects, "Secret", "maas-key-alice-again", HOME)  # type: ignore[arg-type]
    twin["metadata"]["annotations"]["kuadrant.io/groups"] = "premium"
    finding = only(scenario, "MAAS-413")
    assert finding.status is Status.failed and changes(finding) == ()


@pytest.mark.parametrize("value", ["[redacted]", "UkVEQUNURUQ=", "***", "", "xxxxxx"])
def test_values_that_a_tool_took_away_are_not_compared(value: str) -> None:
    scenario = planted("MAAS-413")
    for each in scenario.objects:
        if each["kind"] == "Secret":
            each["data"] = {"api_key": value}  # type: ignore[index]
    assert only(scenario, "MAAS-413").status is Status.skipped


# MAAS-414 to MAAS-421


@pytest.mark.parametrize(
    ("value", "cut"),
    [("30s", True), ("5000ms", True), ("20000", True), ("60s", False), ("5m", False), ("1h", False), ("soon", True)],
)
def test_how_long_a_route_waits(value: str, cut: bool) -> None:
    scenario = planted("MAAS-414")
    route = first(scenario.objects, "Route", "models", LLM)  # type: ignore[arg-type]
    route["metadata"]["annotations"] = {"haproxy.router.openshift.io/timeout": value}
    assert (only(scenario, "MAAS-414").status is Status.warning) is cut


def test_a_time_that_the_router_cannot_read_is_no_time() -> None:
    scenario = planted("MAAS-414")
    route = first(scenario.objects, "Route", "models", LLM)  # type: ignore[arg-type]
    route["metadata"]["annotations"] = {"haproxy.router.openshift.io/timeout": "2m30s"}
    message = only(scenario, "MAAS-414").message
    assert "30 s" in message and "'2m30s' is no time" in message


def test_routes_of_others_may_be_as_short_as_they_like() -> None:
    scenario = planted("MAAS-414")
    first(scenario.objects, "Route", "models", LLM)["spec"]["to"]["name"] = "console"  # type: ignore[arg-type]
    assert only(scenario, "MAAS-414").status is Status.passed


def test_a_service_named_vllm_will_hit_the_next_pod() -> None:
    service = made("v1", "Service", "vllm", LLM, spec={"clusterIP": "10.0.0.9", "ports": [{"port": 80}]})
    finding = only(with_objects(KUBERNETES, *vllm("m"), service), "MAAS-415")
    assert finding.status is Status.warning
    finding = only(with_objects(KUBERNETES, *crashing(vllm("m")), service), "MAAS-415")
    assert finding.status is Status.warning and "likely that is why" in finding.message


def test_a_model_that_crashes_is_not_loading() -> None:
    scenario = planted("MAAS-416")
    pod = next(o for o in scenario.objects if name(o).startswith("loading-predictor-"))
    pod["status"]["containerStatuses"][0]["restartCount"] = 3
    assert only(scenario, "MAAS-416").status is Status.passed


def test_one_more_replica_that_waits_is_no_update() -> None:
    scenario = planted("MAAS-417")
    pods = [o for o in scenario.objects if name(o).startswith("rolling-predictor-") and o["kind"] == "Pod"]
    for pod in pods:
        pod["metadata"]["labels"]["pod-template-hash"] = "same"
    assert only(scenario, "MAAS-417").status is Status.passed


def test_a_taint_of_that_name_is_no_want_of_a_gpu() -> None:
    scenario = planted("MAAS-417")
    pods = [o for o in scenario.objects if name(o).startswith("rolling-predictor-") and o["kind"] == "Pod"]
    for scheduled in (c for pod in pods for c in items(pod, "status", "conditions") if c["type"] == "PodScheduled"):
        scheduled["message"] = "0/3 nodes are available: 3 node(s) had untolerated taint {nvidia.com/gpu: present}"  # type: ignore[index]
    assert only(scenario, "MAAS-417").status is Status.passed


def test_credentials_under_api_key_are_moved_beside_it() -> None:
    """As somebody wrote them in a file: no API server keeps them."""
    scenario = KUBERNETES()

    def misplace(policy: Object) -> None:
        rule = policy["spec"]["rules"]["authentication"]["api-key-users"]
        rule["apiKey"]["credentials"] = rule.pop("credentials")

    changed("AuthPolicy", "maas-auth", misplace, LLM)([*scenario.objects])
    finding = only(scenario, "MAAS-418")
    assert finding.status is Status.failed
    rule = changes(finding)[0].body["spec"]["rules"]["authentication"]["api-key-users"]
    assert rule == {"apiKey": {"credentials": None}, "credentials": {"authorizationHeader": {"prefix": "APIKEY"}}}


def test_the_simulator_knows_no_such_flag() -> None:
    assert only(KUBERNETES(), "MAAS-419").status is Status.passed


def test_a_vllm_too_old_for_the_flag_is_not_given_it() -> None:
    model = vllm("m", "vllm/vllm-openai:v0.8.5")
    model[0]["spec"]["predictor"]["containers"][0]["args"].pop(2)
    assert changes(only(with_objects(KUBERNETES, *model), "MAAS-419")) == ()


def test_what_is_there_already_of_variables_and_volumes_stays() -> None:
    env = [{"name": "HF_TOKEN", "value": "hf_secret"}, {"name": "HOME", "value": "/"}]
    model = crashing(vllm("m", env=env, volumeMounts=[{"name": "shm", "mountPath": "/dev/shm"}]))
    logs = said(model, "PermissionError: [Errno 13] Permission denied: '/.cache'")
    (change,) = changes(only(with_objects(KUBERNETES, *model, logs=logs), "MAAS-420"))
    operations = change.body["operations"]
    assert {
        "op": "replace",
        "path": "/spec/predictor/containers/0/env/1",
        "value": {"name": "HOME", "value": "/cache"},
    } in operations
    assert [o["value"] for o in operations if o["path"].endswith("volumeMounts/-")] == [
        {"name": "model-cache", "mountPath": "/cache"}
    ]
    assert "hf_secret" not in change.command


def test_without_its_configuration_in_sight_a_remedy_is_told_not_done() -> None:
    scenario = planted("MAAS-421")
    kept = tuple(each for each in scenario.objects if each["kind"] != "ConfigMap")
    finding = only(replace(scenario, objects=kept), "MAAS-421")
    assert finding.status is Status.failed and changes(finding) == ()


def test_a_fix_with_a_secret_is_shown_as_a_remark() -> None:
    model = crashing(vllm("m", "vllm/vllm-openai:v0.9.0", "--api-key=sk-canary-0123456789abcdef"))
    logs = said(model, "LLVM ERROR: Unsupported rounding mode for conversion.")
    finding = only(with_objects(KUBERNETES, *model, logs=logs), "MAAS-402")
    assert finding.remedy and changes(finding)
    (command,) = finding.remedy.all_commands
    assert command.startswith("# ") and "sk-canary" not in command and "doctor --fix" in command


# All.


@pytest.mark.parametrize(
    ("code", "kind"),
    [("MAAS-402", POD), ("MAAS-406", KUADRANT), ("MAAS-407", LIMITADOR), ("MAAS-412", SECRET), ("MAAS-413", SECRET)],
)
def test_what_was_not_read_is_unknown(code: str, kind: Any) -> None:
    scenario = planted(code)
    facts = scenario.facts()
    lists = {**facts.lists, kind.key: Unread(Cause.denied, "listing was denied")}
    (finding,) = judge(replace(facts, lists=lists), scenario.asked, only=[code])
    assert (finding.status, finding.message) == (Status.unknown, "listing was denied")


def test_where_nothing_is_installed_each_is_skipped_or_has_no_sign() -> None:
    bare = typical.kind().after()
    statuses = {finding.code: finding.status for finding in judge(bare.facts(), bare.asked, only=["MAAS-4"])}
    skipped = {code for code, status in statuses.items() if status is Status.skipped}
    assert set(statuses) - skipped == {"MAAS-413"}  # there are Secrets everywhere, and none is a key
    assert statuses["MAAS-413"] is Status.passed
