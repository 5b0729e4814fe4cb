"""What is shown of a plan, of its progress and at its end, at 80 columns."""

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from maas.cli.installing import arrival, failing, keeping_keys, plan_text
from maas.cli.installing.told import Lines, Terminal
from maas.cluster import kinds, sites
from maas.cluster.applying import StepFailed
from maas.cluster.applying.failure import Report
from maas.cluster.facts.model import Cause, Facts, Source, Unread
from maas.cluster.objects import Object
from maas.cluster.plan.model import Apply, Chart, Delete, Mark, Plan, Seen, Stage, Step, Wait
from maas.cluster.resources import key_secrets
from maas.cluster.resources.rego import EXPIRES
from maas.cluster.wanted import Target, Wanted
from maas.domain import platform_file
from maas.readiness.reports import Look

_GOLDEN = Path(__file__).parent / "golden"
_KEY = f"sk-maas-{'x' * 43}"


def _object(kind: str, name: str, namespace: str = "llm") -> dict[str, object]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}


def _wait(kind: kinds.Kind, name: str, what: str) -> Wait:
    return Wait(kind, name, "llm", lambda _: Seen(Stage.done), what)


CERT_MANAGER = Step(
    "cert-manager",
    "cert-manager 1.21.1",
    "it issues the certificates of the gateway and of KServe's webhooks",
    (Chart("cert-manager", "cert-manager", "oci://example.com/charts/cert-manager", "v1.21.1", values={"a": "b"}),),
    (_wait(kinds.DEPLOYMENT, "cert-manager", "Deployment llm/cert-manager is available"),),
    undo="helm uninstall cert-manager -n cert-manager",
    affects="nobody",
)
ROUTES = Step(
    "routes",
    "routes to 6 models",
    "lead to the models",
    tuple(Apply(_object("HTTPRoute", f"model-{n}")) for n in range(6)),
    tuple(_wait(kinds.HTTP_ROUTE, f"model-{n}", f"HTTPRoute llm/model-{n} is Accepted") for n in range(2)),
    needs=("cert-manager", "a step that is done"),
)
CLEANING = Step(
    "rest",
    "what is left",
    "nobody needs it",
    (
        Delete(kinds.SERVICE, "a", "llm", "we made it"),
        Delete(kinds.SERVICE, "b", "llm", "we made it"),
        Delete(kinds.SERVICE, "c", "llm", "maas.yaml does not ask for it any more"),
        Mark(kinds.CRD, "x", "", {}, "so that it is found again"),
    ),
    (_wait(kinds.SERVICE, "a", "Service llm/a is gone"),),
)
PLAN = Plan([CERT_MANAGER, ROUTES, CLEANING], ("Gateway llm/theirs is there and not ours: it is left alone",))


def test_a_plan_is_steps_with_what_why_and_what_they_wait_for() -> None:
    assert _as_golden("plan.txt", plan_text.told(PLAN, "To install MaaS on context prod", Look(80)))


def test_marks_are_told_where_nothing_else_is_done() -> None:
    marks = tuple(Mark(kinds.SECRET, name, "llm", {}, "so that they are found again") for name in ("a", "b"))
    said = plan_text.told(Plan([Step("marks", "marks", "", marks)]), "x", Look(80))
    assert "does   mark Secret llm/a, llm/b (so that they are found again)\n" in said


def test_what_users_notice_is_said_where_there_are_users() -> None:
    assert "users  nobody" in plan_text.told(PLAN, "x", Look(80))
    assert "users" not in plan_text.told(PLAN, "x", Look(80), has_users=False)


def test_a_program_gets_how_each_step_is_undone_and_no_values_of_charts() -> None:
    first, second, _ = plan_text.document(PLAN)
    assert first["undo"] == "helm uninstall cert-manager -n cert-manager"
    assert first["actions"][0]["version"] == "v1.21.1" and "values" not in first["actions"][0]
    assert second["after"] == ["cert-manager", "a step that is done"]
    assert second["actions"][5]["name"] == "model-5"


@pytest.fixture
def terminal() -> Terminal:
    now = iter(float(n) for n in range(1000))
    return Terminal(PLAN, Look(80), clock=lambda: next(now))


def _drawn(terminal: Terminal) -> list[str]:
    found = terminal.rendered()
    assert isinstance(found, Text)
    return found.plain.splitlines()


def test_a_terminal_has_a_line_for_each_running_step_never_wider_than_it_is(terminal: Terminal) -> None:
    said: list[Text] = []
    terminal.say = lambda line: said.append(line) if isinstance(line, Text) else None
    terminal.begun(CERT_MANAGER)
    terminal.begun(ROUTES)
    first, second = _drawn(terminal)
    assert first[1:] == "     2s cert-manager 1.21.1: Helm release cert-manager/cert-manager (cert-man…"
    assert second[1:] == "     1s routes to 6 models: apply HTTPRoute llm/model-0"
    assert len(first) == 79
    terminal.acted(ROUTES, ROUTES.actions[0], "made")
    assert _drawn(terminal)[1].endswith("apply HTTPRoute llm/model-1")
    terminal.waiting(ROUTES, ROUTES.waits[0], "no\x1b[2J", 12)
    assert _drawn(terminal)[1].endswith("until HTTPRoute llm/model-0 is Accepted (no�[2J)")
    terminal.done(CERT_MANAGER, 95)
    assert len(_drawn(terminal)) == 1
    terminal.failed(ROUTES, "")
    assert _drawn(terminal) == []
    assert said[0].plain == "√  1m35s cert-manager 1.21.1"
    assert said[1].plain.startswith("×")


def test_a_pipe_has_a_line_for_each_event_and_waits_are_told_now_and_then() -> None:
    out = io.StringIO()
    lines = Lines(PLAN, Look(), clock=lambda: 3600 * 15.5, to=Console(file=out, width=40))
    lines.begun(ROUTES)
    lines.acted(ROUTES, ROUTES.actions[0], "made")
    for seconds in (0.0, 2.0, 3.5, 4.0, 20.0, 34.0, 40.0):
        lines.waiting(ROUTES, ROUTES.waits[0], "nobody looked", seconds)
        lines.waiting(ROUTES, ROUTES.waits[1], "", seconds / 10)
    lines.noted(ROUTES, "left alone")
    lines.done(ROUTES, 41.2)
    lines.stopped([ROUTES], [CERT_MANAGER])
    assert out.getvalue().splitlines() == [
        "15:30:00 step 2 of 3: routes to 6 models",
        "15:30:00 routes to 6 models: apply HTTPRoute llm/model-0 (made)",
        "15:30:00 routes to 6 models: waiting until HTTPRoute llm/model-0 is Accepted (nobody looked), for 3s",
        "15:30:00 routes to 6 models: waiting until HTTPRoute llm/model-0 is Accepted (nobody looked), for 34s",
        "15:30:00 routes to 6 models: waiting until HTTPRoute llm/model-1 is Accepted, for 3s",
        "15:30:00 routes to 6 models: left alone",
        "15:30:00 done in 41s: routes to 6 models",
        "15:30:00 stopped; done: 1 step; under way: cert-manager 1.21.1",
    ]


def _wanted(target: Target) -> Wanted:
    return Wanted(platform_file.load(platform_file.default_text()), sites.assumed(target, domain="models.example.com"))


HOST = "maas.models.example.com"
_CA, _FORWARD = Path("/home/you/ca.crt"), "kubectl port-forward -n llm svc/maas-gateway-istio 8443:443"
PLACES = {
    "an-address": arrival.Place(HOST, "203.0.113.7", "", _CA, "/simulator"),
    "forwarded": arrival.Place(HOST, "127.0.0.1", _FORWARD, _CA, "/simulator"),
    "a-name": arrival.Place(HOST, "", "", None, "/simulator"),
}


@pytest.mark.parametrize("called", PLACES)
def test_the_text_at_the_end_says_how_to_call_from_here(called: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "command", lambda: "maas")
    target = Target.openshift if called == "a-name" else Target.kubernetes
    said = arrival.told(_wanted(target), PLACES[called], _KEY, "context prod (https://api.example.com:6443)")
    assert max(map(len, said.splitlines())) <= 80
    assert _as_golden(f"welcome-{called}.txt", said + "\n")


def test_who_has_a_key_is_shown_none_and_what_was_not_tried_is_said() -> None:
    said = arrival.told(_wanted(Target.kubernetes), PLACES["a-name"], None, "context prod", "there is no kubectl")
    assert "sk-maas-" not in said and "yours go on working" in said
    assert "No request has gone through it yet: there is no kubectl.\n" in said


def test_who_was_not_told_is_told_the_way_in_and_whether_there_is_a_key() -> None:
    assert arrival.reminder(PLACES["an-address"], False).splitlines() == [
        f"Endpoint   https://{HOST}/simulator/v1",
        "Address    203.0.113.7, as no name server that is asked here knows the name",
        "CA         /home/you/ca.crt",
        "API key    there is none yet; `maas keys create --user NAME` makes one",
    ]
    assert f"Way to it  {_FORWARD}\n" in arrival.reminder(PLACES["forwarded"], True)
    assert arrival.reminder(PLACES["a-name"], None).splitlines() == [
        f"Endpoint   https://{HOST}/simulator/v1",
        "API key    `maas keys create --user NAME` makes one",
    ]


def _secret(namespace: str = key_secrets.NAMESPACE, **annotations: str) -> Object:
    labels = dict(each.split("=") for each in key_secrets.LIVE.split(","))
    return {
        "metadata": {"name": "a", "namespace": namespace, "labels": labels, "annotations": annotations},
        "data": {"api_key": "sha256:1"},  # facts hold no value
    }


@pytest.mark.parametrize(
    ("secrets", "known"),
    [
        ([], False),
        ([_secret()], True),
        ([_secret("elsewhere")], False),
        ([_secret(**{EXPIRES: "2000-01-01T00:00:00+00:00"})], False),
        ([_secret(**{key_secrets.REVOKED: "2000-01-01T00:00:00+00:00"})], False),
        (Unread(Cause.denied, "listing secrets was denied"), None),
    ],
)
def test_a_key_is_known_of_if_it_works_and_nobody_guesses(secrets: list[Object] | Unread, known: bool | None) -> None:
    facts = Facts(Source(True, "a cluster"), 1_800_000_000.0, {}, {}, {kinds.SECRET.key: secrets})
    assert keeping_keys.known(facts) is known


def _as_golden(name: str, said: str) -> bool:
    """To write them anew: delete the file, run this twice, and read what has changed."""
    path = _GOLDEN / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(said, "utf-8")
        pytest.fail(f"{path} was not there, and is written now")
    assert said == path.read_text("utf-8")
    return True


def test_which_time_was_over_is_told_and_how_to_give_more() -> None:
    report = Report(CERT_MANAGER, "Deployment llm/cert-manager", "it is available; waited 2 min for it", "it is not")
    look = Look(80, False, True)
    assert failing.more_time(StepFailed(report), 120.0, look) == []
    cut_short = dataclasses.replace(report, cut_short=True)
    assert failing.more_time(StepFailed(cut_short), 120.0, look) == [
        "",
        "The time for all steps together was over (--timeout 2m). `--timeout 4m` gives",
        "more.",
    ]
