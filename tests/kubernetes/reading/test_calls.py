"""Single calls and lists against a server that does everything wrong that servers and networks do."""

import asyncio
import gc
import gzip
import json
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from maas.cluster.api import Api
from maas.cluster.changes import Change, Verb
from maas.cluster.connection import connect
from maas.cluster.failures import Conflicting, Denied, Missing, Refused, ServerFailed, TooSlow, Unreachable
from maas.cluster.kinds import CRD, EVENT, POD, SECRET, Kind
from maas.cluster.objects import name
from tests.kubernetes.connection.configs import write
from tests.kubernetes.played import Answer, Broken, Request, Server, listed, playing, status
from tests.kubernetes.reading.pretending import pod, with_api

GOOD = {"gitVersion": "v1"}
HALF = Broken(
    b'HTTP/1.1 200 OK\r\nContent-Length: 400\r\nContent-Type: application/json\r\n\r\n{"kind":"PodList","items":['
)
CUT_CHUNKS = Broken(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"kind":"PodList')
CUT_GZIP = Answer(200, gzip.compress(json.dumps(listed("Pod", pod("a"))).encode())[:-12], {"Content-Encoding": "gzip"})
NO_HTTP = Broken(b"SSH-2.0-OpenSSH_9.6\r\n")


def version(tmp_path: Path, answers: Sequence[Any]) -> tuple[Any, Server]:
    """What /version is at the end; answers: one after another, the last one for ever."""
    left = list(answers)

    async def play(request: Request) -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    async def use(api: Api, server: Server) -> tuple[Any, Server]:
        return await api.get("/version"), server

    return with_api(tmp_path, play, use)


@pytest.mark.parametrize(
    "bad",
    [status(500, "etcd is away"), status(503, "overloaded"), Answer(502, b"<html>"), None, HALF, CUT_CHUNKS, NO_HTTP],
    ids=["500", "503", "502 of a proxy", "dropped", "half", "cut chunks", "no HTTP"],
)
def test_what_passes_is_tried_again(tmp_path: Path, bad: Any) -> None:
    answer, server = version(tmp_path, [bad, bad, GOOD])
    assert answer == GOOD
    assert len(server.asked) == 3


def test_429_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    began = time.monotonic()
    answer, server = version(tmp_path, [Answer(429, b"", {"Retry-After": "1"}), GOOD])
    assert answer == GOOD and len(server.asked) == 2
    assert time.monotonic() - began >= 1.0


def test_what_does_not_pass_is_told_with_its_cause(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match=r"reading /version: etcd is away \(500\)"):
        version(tmp_path, [status(500, "etcd is away")])


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (status(403, 'pods is forbidden: User "eve"'), Denied, 'was denied: pods is forbidden: User "eve"'),
        (status(404, "not here"), Missing, "not here"),
        (status(409, "already exists"), Conflicting, "already exists"),
        (status(422, "bad", causes=[{"message": "spec.x: required"}]), Refused, "bad; spec.x: required"),
        (Answer(200, b"<html><body>Log in</body>"), ServerFailed, "did not answer in JSON: '<html><body>Log in"),
        (Answer(200, b""), ServerFailed, "did not answer in JSON: nothing"),
        (Answer(302, b"", {"Location": "/login"}), ServerFailed, "answered 302"),
        (Answer(418, b"\xff\xfe"), ServerFailed, "answered 418"),
    ],
)
def test_answers_that_mean_no(tmp_path: Path, answer: Answer, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        version(tmp_path, [answer])
    assert said in str(caught.value)


def test_server_that_says_nothing_is_too_slow(tmp_path: Path) -> None:
    async def play(request: Request) -> Any:
        await asyncio.sleep(60)

    async def use(api: Api, server: Server) -> None:
        with pytest.raises(TooSlow, match=r"no answer to GET /version within 0.3 seconds"):
            await api.get("/version", within=0.3)

    with_api(tmp_path, play, use)


def test_server_that_drips_is_too_slow(tmp_path: Path) -> None:
    """Each byte comes in time, and the answer never ends."""

    async def drip() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    async def play(request: Request) -> Any:
        return drip()

    async def use(api: Api, server: Server) -> None:
        with pytest.raises(TooSlow, match=r"within 0.5 seconds"):
            await api.get("/drip", within=0.5)

    with_api(tmp_path, play, use)


def test_server_that_goes_away_between_calls(tmp_path: Path) -> None:
    """A connection kept for the next call is dead by then: that is no failure."""
    answers = iter([GOOD, None, GOOD])

    async def play(request: Request) -> Any:
        return next(answers)

    async def use(api: Api, server: Server) -> tuple[Any, Any]:
        return await api.get("/version"), await api.get("/version")

    assert with_api(tmp_path, play, use) == (GOOD, GOOD)


def test_never_more_than_eight_calls_at_once(tmp_path: Path) -> None:
    now, most = 0, 0

    async def play(request: Request) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return GOOD

    async def use(api: Api, server: Server) -> list[Any]:
        return await asyncio.gather(*(api.get(f"/{n}") for n in range(40)))

    assert with_api(tmp_path, play, use) == [GOOD] * 40
    assert most == 8


def names(tmp_path: Path, play: Any, kind: Kind = POD) -> tuple[list[str], list[Request]]:
    async def use(api: Api, server: Server) -> tuple[list[str], list[Request]]:
        return [name(each) for each in await api.list(kind, "v1")], server.asked

    return with_api(tmp_path, play, use)


def paged(*pages: Sequence[str]) -> Any:
    async def play(request: Request) -> Any:
        index = int(request.query.get("continue", "t0")[1:])
        continued = f"t{index + 1}" if index + 1 < len(pages) else ""
        return listed("Pod", *(pod(each) for each in pages[index]), continued=continued)

    return play


def test_all_pages_are_read_once_and_in_order(tmp_path: Path) -> None:
    found, asked = names(tmp_path, paged("ab", "cd", "e"))
    assert found == list("abcde")
    assert [request.query.get("continue", "") for request in asked] == ["", "t1", "t2"]
    assert all(request.query["limit"] == "500" for request in asked)


def test_the_next_page_is_asked_for_while_one_is_on_its_way(tmp_path: Path) -> None:
    """The second half of the first page waits until the second page has been asked for."""

    async def run() -> list[str]:
        second = asyncio.Event()

        async def play(request: Request) -> Any:
            if request.query.get("continue"):
                second.set()
                return listed("Pod", pod("b"))
            return None

        async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"continue=" in head:
                second.set()
                body = json.dumps(listed("Pod", pod("b")), separators=(",", ":")).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            else:
                body = json.dumps(listed("Pod", pod("a"), continued="t1"), separators=(",", ":")).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-20])
                await writer.drain()
                async with asyncio.timeout(10):
                    await second.wait()
                writer.write(body[-20:])
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(first, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with connect(None, write(tmp_path / "c", url)) as api:
                return [name(each) for each in await api.list(POD, "v1")]

    assert asyncio.run(run()) == ["a", "b"]


def test_a_page_that_fails_ahead_of_one_that_fails_is_no_noise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncio would print "Task exception was never retrieved" to people's terminals."""

    async def play(request: Request) -> Any:
        if request.query.get("continue"):
            return status(403, "no more of it")
        start = json.dumps(listed("Pod", pod("a"), continued="t1"), separators=(",", ":")).encode()[:-20]
        return Broken(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + start)

    with pytest.raises(ServerFailed, match="the connection broke"):
        names(tmp_path, play)
    gc.collect()
    assert not caplog.records


def test_a_list_that_expired_is_begun_anew(tmp_path: Path) -> None:
    expired = False

    async def play(request: Request) -> Any:
        nonlocal expired
        if "continue" in request.query and not expired:
            expired = True
            return status(410, "The provided continue parameter is too old")
        return await paged("ab", "cd")(request)

    found, asked = names(tmp_path, play)
    assert found == list("abcd")
    assert len(asked) == 4


def test_a_list_that_always_expires_is_no_list(tmp_path: Path) -> None:
    async def play(request: Request) -> Any:
        return status(410, "too old") if "continue" in request.query else await paged("ab", "cd")(request)

    with pytest.raises(ServerFailed, match="pods: the list expired between its pages, twice"):
        names(tmp_path, play)


@pytest.mark.parametrize(
    "answer",
    [GOOD, [], "text", 7, None, {"kind": "PodList"}, {"kind": "PodList", "items": {}}, {"kind": "Status", "items": []}],
)
def test_what_is_no_list_is_not_an_empty_one(tmp_path: Path, answer: Any) -> None:
    async def play(request: Request) -> Any:
        return Answer(200, json.dumps(answer).encode())

    with pytest.raises(ServerFailed, match="listing pods: the server did not answer with a list"):
        names(tmp_path, play)


def test_items_of_other_types_are_passed_over(tmp_path: Path) -> None:
    async def play(request: Request) -> Any:
        return listed("Pod", pod("a"), None, 7, [], {"metadata": "x"})

    assert names(tmp_path, play)[0] == ["a", ""]


def test_null_items_are_an_empty_list(tmp_path: Path) -> None:
    async def play(request: Request) -> Any:
        return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": None}

    assert names(tmp_path, play)[0] == []


def test_compressed_answers_and_cut_ones(tmp_path: Path) -> None:
    answers = iter([CUT_GZIP, Answer(200, b"\x1f\x8bnonsense", {"Content-Encoding": "gzip"})])
    whole = gzip.compress(json.dumps(listed("Pod", pod("a"))).encode())

    async def play(request: Request) -> Any:
        return next(answers, Answer(200, whole, {"Content-Encoding": "gzip"}))

    found, asked = names(tmp_path, play)
    assert found == ["a"]
    assert len(asked) == 3
    assert asked[0].headers["accept-encoding"] == "gzip"


def test_selectors_and_metadata_only(tmp_path: Path) -> None:
    async def play(request: Request) -> Any:
        return listed("X")

    assert names(tmp_path, play, SECRET)[1][0].query["labelSelector"] == SECRET.labels
    assert names(tmp_path, play, EVENT)[1][0].query["fieldSelector"] == EVENT.fields
    assert "PartialObjectMetadataList" in names(tmp_path, play, CRD)[1][0].headers["accept"]


@pytest.mark.parametrize(("verb", "sent"), [(Verb.delete, 1), (Verb.edit, 1), (Verb.patch, 5), (Verb.restart, 5)])
def test_only_what_may_be_done_twice_is_tried_twice(tmp_path: Path, verb: Verb, sent: int) -> None:
    """After a broken connection nobody knows whether it was done."""

    async def play(request: Request) -> Any:
        return None

    async def use(api: Api, server: Server) -> int:
        change = Change(verb, POD, "x", "llm", {"operations": []})
        with pytest.raises(ServerFailed, match="connection broke"):
            await api.carry_out(change, dry_run=False, now=0)
        return len(server.asked)

    assert with_api(tmp_path, play, use) == sent


def test_a_server_that_restarts_is_waited_for(tmp_path: Path) -> None:
    """Once it has answered; one that never did is reported at once."""

    async def good(request: Request) -> Any:
        return GOOD

    async def run() -> None:
        async with playing(good) as server:
            api = connect(None, write(tmp_path / "c", server.url))
            await api.get("/version")
        async with connect(None, write(tmp_path / "c", server.url)) as stranger:
            with pytest.raises(Unreachable):
                await stranger.get("/version")
            assert stranger.traffic.calls == 1
        async with api:
            again = asyncio.create_task(api.get("/version"))
            await asyncio.sleep(0.1)  # the first attempts fail meanwhile
            async with playing(good, port=int(server.url.rpartition(":")[2])):
                assert await again == GOOD
                await api.session.close()
        assert api.traffic.calls > 2

    asyncio.run(run())
