"""What the doctor says: causes first, in words that are kept, and only of what was asked."""

import json
import re
from dataclasses import replace

import pytest

from maas.domain.errors import InvalidInput, NotFound
from maas.readiness.diagnosis_document import markdown
from maas.readiness.diagnosis_text import told
from maas.readiness.doctor import Diagnosis, Topic, causes, diagnose
from maas.readiness.findings import Category, Finding, Seen, Severity, Status
from maas.readiness.judging import judge
from maas.readiness.reports import Look
from tests.kubernetes.doctor.golden import DESCRIBED, FOLDER, diagnosed, models, platform, texts


@pytest.mark.parametrize(("name", "text"), list(texts()), ids=lambda value: value if len(value) < 20 else "")
def test_the_words_are_these(name: str, text: str) -> None:
    assert text == (FOLDER / name).read_text(), "`python -m tests.kubernetes.doctor.golden` writes it anew"


@pytest.mark.parametrize("name", ["models.txt", "platform.txt", "gpu.txt", "auth.txt", "model.txt", "short.txt"])
def test_all_but_commands_fits_into_80_columns_without_colour(name: str) -> None:
    text = (FOLDER / name).read_text()
    prose = re.sub(r"^kubectl apply .*?^EOF$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    assert all(len(line) <= 80 for line in prose if "kubectl " not in line and "`curl " not in line)
    assert "\x1b" not in text


def test_nothing_is_folded_for_a_pipe_and_colour_is_for_terminals() -> None:
    diagnosis = diagnosed(platform(), Topic.auth)
    assert "\x1b[31m×\x1b[0m" in told(diagnosis, DESCRIBED, Look(80, colour=True))
    piped = told(diagnosis, DESCRIBED, Look())
    assert (
        "MAAS-408 ClusterServiceVersion kuadrant-system/rhcl-operator.v1.4.0: it lets requests without a key" in piped
    )


def found(diagnosis: Diagnosis) -> set[str]:
    return {each.code for cause in diagnosis.causes for each in (cause.finding, *cause.consequences)}


def test_nothing_of_a_cluster_is_html_or_a_fence_in_a_ticket() -> None:
    """Messages and logs are anybody's words, and trackers render them."""
    diagnosis = diagnosed(platform(), Topic.auth)
    cause = diagnosis.causes[0]
    evil = "<img src=x> [a](http://evil) ```"
    finding = replace(cause.finding, message=evil, seen=(Seen("Pod a", "log", evil),))
    chapter = replace(diagnosis.chapters[0], excerpts=(("log", (evil,)),))
    text = markdown(replace(diagnosis, causes=(replace(cause, finding=finding),), chapters=(chapter,)), DESCRIBED)
    prose, fenced = re.split(r"^```$", text, flags=re.MULTILINE)[::2], re.split(r"^```$", text, flags=re.MULTILINE)[1]
    assert "\\<img src=x\\> \\[a\\](http://evil)" in "".join(prose)
    assert not re.search(r"(?<!\\)<img", "".join(prose))
    assert fenced == "\n<img src=x> [a](http://evil) '''\n"


def test_a_topic_is_about_what_its_chapter_is_about() -> None:
    assert found(diagnosed(platform(), Topic.gpu)) == {"MAAS-401", "MAAS-410"}
    assert found(diagnosed(platform(), Topic.auth)) == {"MAAS-406", "MAAS-407", "MAAS-408"}
    assert found(diagnosed(models(), Topic.model, "hungry")) == {"MAAS-421"}


def test_steps_show_where_the_way_ends() -> None:
    (chapter,) = diagnosed(platform(), Topic.auth).chapters
    assert [(step.what, step.status.value) for step in chapter.steps] == [
        ("Kuadrant", "failed"),
        ("Authorino", "passed"),
        ("Limitador", "failed"),
        ("AuthPolicy", "passed"),
        ("key Secrets", "passed"),
        ("RateLimitPolicy", "passed"),
        ("TokenRateLimitPolicy", "passed"),
    ]


def test_a_model_nobody_knows_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"no model 'gpt' .*llm/hungry, .*llm/simulator") as error:
        diagnosed(models(), Topic.model, "gpt")
    assert error.value.exit_code == 4
    with pytest.raises(InvalidInput, match="which one"):
        diagnosed(models(), Topic.model)
    with pytest.raises(InvalidInput, match="only `maas doctor model NAME`"):
        diagnosed(models(), Topic.gpu, "triton")


def test_a_model_s_chapter_quotes_its_log_without_secrets() -> None:
    scenario = models()
    (log,) = (each for each in scenario.logs if each.pod.startswith("triton"))
    canary = "hf_CANARYcanaryCANARYcanaryCANARY1234"
    leaking = type(log)(log.namespace, log.pod, log.container, (*log.lines, f"HF_TOKEN={canary} rounding mode"), True)
    facts = type(scenario)(**{**vars(scenario), "logs": (leaking,)}).facts()
    diagnosis = diagnose(facts, judge(facts, scenario.asked), Topic.model, "triton")
    text = told(diagnosis, DESCRIBED, Look(80))
    assert "Unsupported rounding mode" in text
    assert canary not in text and canary not in json.dumps(text)


def finding(code: str, about: str = "", status: Status = Status.failed, because_of: tuple[str, ...] = ()) -> Finding:
    category = Category.known_issues if code.startswith("MAAS-4") else Category.models
    return Finding(code, category, code, Severity.error, "", status, "…", (), None, about, because_of)


def shape(*problems: Finding) -> list[tuple[str, list[str]]]:
    return [(cause.finding.code, [each.code for each in cause.consequences]) for cause in causes(problems)]


def test_what_only_follows_is_beneath_its_cause() -> None:
    pod = finding("MAAS-361", "Pod llm/a-predictor-1", because_of=("MAAS-362",))
    memory = finding("MAAS-362", "Pod llm/a-predictor-1")
    model = finding("MAAS-341", "InferenceService llm/a", because_of=("MAAS-361",))
    assert shape(model, pod, memory) == [("MAAS-362", ["MAAS-341", "MAAS-361"])]


def test_one_model_explains_nothing_of_another() -> None:
    crash = finding("MAAS-361", "Pod llm/a-predictor-1")
    other = finding("MAAS-341", "InferenceService llm/b", because_of=("MAAS-361",))
    assert shape(crash, other) == [("MAAS-341", []), ("MAAS-361", [])]


def test_a_known_issue_explains_what_else_is_wrong_with_its_object() -> None:
    known = finding("MAAS-420", "InferenceService llm/a")
    crash = finding("MAAS-361", "ReplicaSet llm/a-predictor-5f")
    stranger = finding("MAAS-361", "ReplicaSet llm/aa-predictor-5f")
    assert shape(crash, stranger, known) == [("MAAS-420", ["MAAS-361"]), ("MAAS-361", [])]


def test_a_warning_explains_no_failure() -> None:
    warning = finding("MAAS-419", "InferenceService llm/a", Status.warning)
    failure = finding("MAAS-341", "InferenceService llm/a")
    assert shape(warning, failure) == [("MAAS-341", []), ("MAAS-419", [])]


def test_two_that_blame_each_other_are_both_told() -> None:
    one, two = finding("MAAS-361", because_of=("MAAS-362",)), finding("MAAS-362", because_of=("MAAS-361",))
    assert shape(one, two) == [("MAAS-361", []), ("MAAS-362", [])]


def test_a_ring_of_three_loses_none() -> None:
    ring = [finding(a, because_of=(b,)) for a, b in (("MAAS-1", "MAAS-2"), ("MAAS-2", "MAAS-3"), ("MAAS-3", "MAAS-1"))]
    told = causes(ring)
    assert sum(1 + len(cause.consequences) for cause in told) == 3


def test_pods_that_do_not_run_explain_their_own_workload_only() -> None:
    pull = finding("MAAS-360", "ReplicaSet istio-system/istiod-5f4d8")
    other_pull = finding("MAAS-360", "ReplicaSet llm/a-predictor-5f")
    istiod = finding("MAAS-231", "Deployment istio-system/istiod", because_of=("MAAS-360",))
    cert_manager = finding("MAAS-221", "Deployment cert-manager/cert-manager", because_of=("MAAS-360",))
    assert shape(other_pull, istiod, pull, cert_manager) == [
        ("MAAS-360", ["MAAS-231"]),
        ("MAAS-221", []),
        ("MAAS-360", []),
    ]


def test_a_model_is_kept_down_by_its_own_pods() -> None:
    controller = finding("MAAS-360", "ReplicaSet istio-system/istiod-5f4d8")
    model = finding("MAAS-341", "InferenceService llm/a", because_of=("MAAS-360",))
    assert shape(controller, model) == [("MAAS-341", []), ("MAAS-360", [])]


def test_a_fault_of_its_own_is_explained_by_nothing() -> None:
    known = finding("MAAS-404", "Namespace kuadrant-system")
    too_many = replace(finding("MAAS-272", because_of=("MAAS-404",)), itself=True)
    assert shape(known, too_many) == [("MAAS-404", []), ("MAAS-272", [])]
