"""What the gateway itself has to say, in the shape of OpenAI's errors."""

import httpx
import pytest

from maas.embedded import envoy
from maas.embedded.envoy import bootstrap
from tests.gateway_config.running import Running, error_of, running, to_model
from tests.gateway_config.server import Answer, events, said
from tests.running import eventually

ASK = {"model": "chatty"}


def test_a_model_that_is_not_there(up: Running) -> None:
    up.apply(up.configuration(envoy.Upstream("dead@1", up.home.model_socket("dead"))))
    up.admission.handler = lambda asked: to_model(asked, "dead@1")

    answer = up.post(ASK)

    assert answer.status_code == 503
    assert error_of(answer)["code"] == "model_unavailable"
    assert answer.headers["x-request-id"]
    assert up.log_line(answer.headers["x-request-id"])["flags"] == "URX,UF"


def test_a_model_that_hangs_up_without_an_answer(up: Running) -> None:
    def vanish(asked: object) -> Answer:
        raise ConnectionError

    up.model.handler = vanish
    answer = up.post(ASK)

    assert answer.status_code == 503
    assert error_of(answer)["code"] == "model_unavailable"
    assert len(up.model.asked) == 1  # not sent again: it may have been answered


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_what_a_model_says_stays_as_it_is(up: Running, status: int) -> None:
    up.model.handler = lambda asked: said({"error": {"message": "mine"}}, status, retry_after="9")

    answer = up.post(ASK)

    assert (answer.status_code, answer.json()) == (status, {"error": {"message": "mine"}})
    assert answer.headers["retry-after"] == "9"


@pytest.mark.parametrize("status", [500, 503])
def test_an_admission_that_fails_lets_nothing_through(up: Running, status: int) -> None:
    up.admission.handler = lambda asked: said({"error": "internal"}, status)

    answer = up.post(ASK)

    assert answer.status_code == 503
    assert error_of(answer)["code"] == "admission_unavailable"
    assert not up.model.asked


def test_an_answer_that_is_too_large_to_be_held(up: Running) -> None:
    content = b'{"x": "%s"}' % (b"a" * 129 * 2**20)
    up.model.handler = lambda asked: Answer(headers={"content-type": "application/json"}, body=content)

    answer = up.post(ASK)

    assert answer.status_code == 502
    assert error_of(answer)["code"] == "answer_too_large"


def test_a_stream_has_no_such_limit(up: Running) -> None:
    part = b"data: " + b"x" * 2**20 + b"\n\n"
    up.model.handler = lambda asked: events(*[part] * 140)

    assert len(up.post({**ASK, "stream": True}).content) == 140 * len(part)


def test_a_path_that_is_refused(up: Running) -> None:
    with up.client() as client:
        answer = client.get("/v1%2Fmodels")

    assert answer.status_code == 400
    assert "path" in error_of(answer)["message"]


def test_a_gateway_that_runs_out_of_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_MAX_HEAP", 2**20)
    with running() as full:
        answer = eventually(lambda: _unless_admitted(full.post(ASK)))

    assert answer.status_code == 503
    assert error_of(answer)["code"] == "overloaded"


def _unless_admitted(answer: httpx.Response) -> httpx.Response | None:
    return None if answer.status_code == 200 else answer
