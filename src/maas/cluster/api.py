"""The API server's verbs: get, list with its pages, and carrying out changes.

Every call is retried where trying again may help (429 with its Retry-After, 5xx, broken connections) until the caller's
time is up; every failure becomes a MaasError that names what was asked for and why it was not given.

Measured with 20 000 pods of 7 kB on two busy cores shared with the API server (1.34): asking for the next page while
one arrives keeps both sides at work. Pages of 1 000 or 1 500 save us 0.1 seconds and cost 30 to 70 MB. The server needs
2.4 seconds of processor time for all pods, we need 2.3: 1.0 of it to parse, 0.4 to prune.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import orjson

from maas.cluster.answers import as_json, as_list, failure, is_gone
from maas.cluster.changes import Change, Verb
from maas.cluster.failures import Missing, ServerFailed, TooSlow, Unreachable, Untrusted
from maas.cluster.kinds import Body, Kind
from maas.cluster.objects import Object, items, text
from maas.cluster.session import Answer, Begun, Headers, Session, Traffic
from maas.domain.errors import MaasError

JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_MERGE = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_APPLY = "application/apply-patch+yaml"  # of which JSON is a part
_REPEATABLE = frozenset({Verb.patch, Verb.apply, Verb.restart})  # twice is the same as once
_MANAGER = "maas"
_PAGE = 500
_ATTEMPTS = 5
_PAUSE = 0.2  # seconds before the second attempt; doubled before each further one
_LONGEST_PAUSE = 10.0
_CALL_TIMEOUT = 30.0
# A list's metadata, which comes before its items.
_CONTINUED = re.compile(rb'\{"kind":"\w+","apiVersion":"[\w./]+","metadata":\{[^{}]*"continue":"([\w=-]+)"')
_RETRIED = frozenset({429, 500, 502, 503, 504})

Objects = list[Object]
Keep = Callable[[Object], Object]
Told = Callable[[int], None]
"""Is told how many objects there are so far."""


@dataclass(frozen=True)
class Api:
    """Of one cluster. An async context manager: leaving it closes the connections."""

    session: Session
    described: str

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.session.close()

    @property
    def traffic(self) -> Traffic:
        return self.session.traffic

    async def get(self, path: str, *, accept: str = JSON, within: float = _CALL_TIMEOUT) -> Any:
        """The JSON at a path of the server ("/version"). Raises MaasError."""
        answer = await self._asked("GET", path, [("Accept", accept)], within=within, again=True)
        return as_json(answer, path)

    async def text(self, path: str, *, within: float = _CALL_TIMEOUT) -> str:
        """For logs. Raises MaasError."""
        answer = await self._asked("GET", path, [("Accept", "*/*")], within=within, again=True)
        return answer.body.decode(errors="replace")

    async def post(self, path: str, body: Mapping[str, Any], *, again: bool, within: float = _CALL_TIMEOUT) -> Any:
        """again: what it asks for may be done twice. Raises MaasError."""
        headers = [("Accept", JSON), ("Content-Type", JSON)]
        return as_json(await self._asked("POST", path, headers, orjson.dumps(body), within=within, again=again), path)

    async def list(self, kind: Kind, version: str, *, keep: Keep | None = None, told: Told | None = None) -> Objects:
        """All of a kind, `keep` applied to each. A list that expired between its pages is begun anew, once."""
        try:
            return await self._pages(kind, version, keep, told)
        except _Expired:
            pass
        try:
            return await self._pages(kind, version, keep, told)
        except _Expired:
            raise ServerFailed(f"listing {kind.key}: the list expired between its pages, twice") from None

    async def _pages(self, kind: Kind, version: str, keep: Keep | None, told: Told | None) -> Objects:
        """A page is asked for as soon as the one before begins to arrive, and tells how to go on.

        What is kept of a page is packed until the last has come: a few strings of it, each in a place of its own, would
        hold on to the memory of the whole page.
        """
        count = 0
        packed: list[bytes] = []
        coming: _Page | None = self._begin(kind, version, "")
        following: _Page | None = None
        try:
            while coming is not None:
                continued = await coming.continued
                following = self._begin(kind, version, continued) if continued else None
                page = await coming.body
                found = [keep(each) for each in items(page, "items")] if keep else items(page, "items")
                count += len(found)
                if told:
                    told(count)
                if not continued and not packed:
                    return found
                packed.append(orjson.dumps(found))
                del page, found
                coming, following = following, None
            return [each for page in packed for each in orjson.loads(page)]
        finally:
            for begun in (coming, following):
                if begun is not None:
                    begun.body.cancel()  # if it has failed, this keeps asyncio from complaining that nobody asked

    def _begin(self, kind: Kind, version: str, continued: str) -> "_Page":
        known: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return _Page(known, asyncio.create_task(self._page(kind, version, continued, known)))

    async def _page(self, kind: Kind, version: str, continued: str, known: "asyncio.Future[str]") -> Any:
        asked = {"limit": str(_PAGE), "labelSelector": kind.labels, "fieldSelector": kind.fields, "continue": continued}
        path = f"{path_of(kind, version)}?{urlencode({key: value for key, value in asked.items() if value})}"
        accept = _METADATA if kind.body is Body.metadata else JSON

        def begun(start: bytes) -> None:
            if not known.done() and (found := _CONTINUED.match(start)):
                known.set_result(found[1].decode())

        try:
            answer = await self._asked("GET", path, [("Accept", accept)], within=_CALL_TIMEOUT, again=True, begun=begun)
            page = as_list(answer, path)
            if not known.done():
                known.set_result(text(page, "metadata", "continue"))
            return page
        finally:
            if not known.done():
                known.set_result("")

    async def carry_out(self, change: Change, *, dry_run: bool, now: float) -> Object:
        """The object as it is afterwards, or the server's Status after a deletion. Raises MaasError.

        now: seconds since the epoch, the time of a restart. Every version of the kind is tried that we know.
        """
        versions = _versions(change)
        for version in versions[:-1]:
            try:
                return await self._carry_out(change, version, dry_run, now)
            except Missing as missing:
                if missing.object_named:
                    raise
        return await self._carry_out(change, versions[-1], dry_run, now)

    async def _carry_out(self, change: Change, version: str, dry_run: bool, now: float) -> Object:
        method, type, body = _request(change, now)
        asked = {"dryRun": "All"} if dry_run else {}
        if change.verb is Verb.delete:
            body, asked = {**body, **({"dryRun": ["All"]} if dry_run else {})}, {}  # a body silences the query
        else:
            asked |= {"fieldManager": _MANAGER}
        path = path_of(change.kind, version, change.namespace, change.name) + (f"?{urlencode(asked)}" if asked else "")
        headers = [("Accept", JSON), ("Content-Type", type)]
        again = dry_run or change.verb in _REPEATABLE
        answer = await self._asked(method, path, headers, orjson.dumps(body), within=_CALL_TIMEOUT, again=again)
        found = as_json(answer, path)
        return found if isinstance(found, Mapping) else {}

    async def _asked(
        self,
        method: str,
        path: str,
        headers: Headers,
        body: bytes = b"",
        *,
        within: float,
        again: bool,
        begun: Begun | None = None,
    ) -> Answer:
        pause = _PAUSE
        for last in (False,) * (_ATTEMPTS - 1) + (True,):
            try:
                answer = await self.session.send(method, path, headers, body, within=within, begun=begun)
            except (ServerFailed, Unreachable) as error:
                if last or not self._worth_trying_again(error, again):
                    raise
                await asyncio.sleep(pause)
            else:
                if answer.status < 300:
                    return answer
                if last or not _worth_another(answer.status, again):
                    break
                await asyncio.sleep(max(pause, _retry_after(answer)))
            pause *= 2
        if is_gone(answer) and "continue=" in path:
            raise _Expired
        raise failure(answer, method, path)

    def _worth_trying_again(self, error: MaasError, again: bool) -> bool:
        """A server that never answered is not waited for; one that did may be restarting."""
        if isinstance(error, Unreachable):
            return self.traffic.answered > 0 and not isinstance(error, Untrusted)
        return again and not isinstance(error, TooSlow)


@dataclass(frozen=True)
class _Page:
    """continued: the token of the next page, "" after the last one."""

    continued: "asyncio.Future[str]"
    body: "asyncio.Task[Any]"


class _Expired(Exception):
    """The rest of a list, from too long ago."""


def path_of(kind: Kind, version: str, namespace: str = "", name: str = "") -> str:
    base = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{base}{within}/{kind.plural}" + (f"/{quote(name, safe='')}" if name else "")


def _worth_another(status: int, again: bool) -> bool:
    return status == 429 or (again and status in _RETRIED)


def _retry_after(answer: Answer) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), _LONGEST_PAUSE) if said.isdigit() else 0.0


def _versions(change: Change) -> tuple[str, ...]:
    said = text(change.body, "apiVersion").rpartition("/")[2]
    return (said,) if said else change.kind.versions


def _request(change: Change, now: float) -> tuple[str, str, Any]:
    """Method, content type and body."""
    match change.verb:
        case Verb.patch:
            return "PATCH", _MERGE, change.body
        case Verb.edit:
            return "PATCH", _JSON_PATCH, change.body["operations"]
        case Verb.apply:
            return "PATCH", _APPLY, change.body
        case Verb.delete:
            return "DELETE", JSON, {"propagationPolicy": "Background"}
        case Verb.restart:
            at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}
            return "PATCH", _MERGE, {"spec": {"template": template}}
