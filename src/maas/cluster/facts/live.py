"""Reading a cluster through its API server: everything at once, each call for itself, all within one deadline.

What cannot be read is Unread, with why. Only a server that nobody can talk to at all (no connection, no trusted
certificate, no credentials it accepts) is an error: there is nothing to judge then.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from maas.cluster.api import Api
from maas.cluster.facts.discovery import Discovered, discover
from maas.cluster.facts.logs import read_logs
from maas.cluster.facts.model import Cause, Facts, Log, Source, Step, Unread, Watch
from maas.cluster.facts.packages import PROBE as PACKAGES
from maas.cluster.facts.packages import packages
from maas.cluster.facts.probing import access, dns, dry_run_issuer, tools_at_hand
from maas.cluster.facts.pruning import pruned
from maas.cluster.facts.stray_keys import PROBE as STRAY_KEYS
from maas.cluster.facts.stray_keys import stray_keys
from maas.cluster.facts.uncollected import uncollected
from maas.cluster.failures import BadKubeconfig, Denied, LoginFailed, Missing, TooSlow, Unreachable
from maas.cluster.kinds import (
    ALL,
    AUTH_POLICY,
    GATEWAY,
    INGRESS_CONFIG,
    ISSUER,
    OURS,
    PACKAGE_MANIFEST,
    POD,
    RELEASE,
    Kind,
)
from maas.cluster.objects import Object
from maas.cluster.sites import lacking
from maas.domain.errors import MaasError

T = TypeVar("T")
Read = Sequence[Object] | Unread | None  # None: the cluster does not serve it


async def read(
    api: Api,
    *,
    deadline: float,
    watch: Watch | None = None,
    logs: bool = False,
    tools: bool = True,
    ours: bool = False,
    gpu_operator: bool = False,
    upgrade: bool = False,
) -> Facts:
    """deadline: seconds from now, for everything. Raises Unreachable, LoginFailed, BadKubeconfig.

    ours: also what an installation is compared with, and no check asks for. gpu_operator: it is to be installed, so on
    OpenShift catalogs are asked for it too. upgrade: likewise for what we have installed already.
    """
    began = asyncio.get_running_loop().time()
    await _log_in(api, deadline)
    if api.session.credentials.interactive:
        began = asyncio.get_running_loop().time()
    with uncollected():
        reading = _Reading(api, deadline, began + deadline, watch, (*ALL, *OURS, RELEASE) if ours else ALL)
        return await reading.facts(logs=logs, tools=tools, gpu_operator=gpu_operator, upgrade=upgrade)


async def _log_in(api: Api, patience: float) -> None:
    """People take longer than machines: where somebody is asked something, only the plug-in's own limit counts."""
    if api.session.credentials.interactive:
        return await api.session.log_in()
    try:
        async with asyncio.timeout(patience):
            return await api.session.log_in()
    except TimeoutError:
        raise LoginFailed(f"Logging in to {api.described} was not done within {patience:g} seconds") from None


@dataclass
class _Reading:
    api: Api
    patience: float
    end: float  # of the event loop's clock
    watch: Watch | None
    kinds: tuple[Kind, ...] = ALL
    done: int = 0
    of: int = 0
    lists: dict[str, Sequence[Object] | Unread] = field(default_factory=dict)

    async def facts(self, *, logs: bool, tools: bool, gpu_operator: bool, upgrade: bool) -> Facts:
        at_hand = asyncio.create_task(self.tried("the tools", tools_at_hand())) if tools else None
        version, found = await self.first_words()
        openshift = isinstance(found, Discovered) and any(k.startswith("config.openshift.io/") for k in found.apis)
        probes: dict[str, Any | Unread] = {}
        read, probes["access"], issuer = await asyncio.gather(
            self.all_kinds(found),
            self.tried("asking for permissions", access(self.api, openshift=openshift)),
            self.issuer(found),
        )
        self.lists = read
        probes |= issuer
        apis = found.apis if isinstance(found, Discovered) else found
        facts = Facts(Source(True, self.api.described), time.time(), version, apis, self.lists, probes)
        probes["dns"], probes[STRAY_KEYS], offered, kept_logs = await asyncio.gather(
            self.tried("resolving names", dns(self.known(GATEWAY), self.known(INGRESS_CONFIG))),
            self.tried("looking for keys without a label", stray_keys(self.api, self.known(AUTH_POLICY))),
            self.packages(found, lacking(facts, gpu_operator=gpu_operator, upgrade=upgrade)),
            self.logs() if logs else _nothing(),
        )
        probes |= offered
        if at_hand is not None:
            probes["tools"] = await at_hand
        return replace(facts, taken_at=time.time(), probes=probes, logs=kept_logs)

    async def first_words(self) -> tuple[Mapping[str, Any] | Unread, Discovered | Unread]:
        """Where the three first calls all fail for the same reason, that is the answer."""
        self.say("connecting")
        half = self.end - self.patience / 2  # without an answer, kinds are asked for all the same
        answers = await asyncio.gather(
            self.within("asking for the version", self.api.get("/version"), half),
            self.within("asking which APIs there are", discover(self.api), half),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, MaasError):
                raise answer
        failures = [answer for answer in answers if isinstance(answer, Unreachable | LoginFailed | BadKubeconfig)]
        if len(failures) == len(answers):
            raise failures[0]
        version, found = (unread(each) if isinstance(each, MaasError) else each for each in answers)
        if not isinstance(version, Mapping | Unread):
            version = Unread(Cause.failed, "asking for the version: the server answered with no object")
        assert isinstance(found, Discovered | Unread)
        return version, found

    async def all_kinds(self, found: Discovered | Unread) -> dict[str, Sequence[Object] | Unread]:
        """The largest list is begun first: its pages come one after another."""
        kinds = sorted(self.kinds, key=lambda kind: kind != POD)
        self.of = len(kinds)
        answers = await asyncio.gather(*(self.kind(kind, found) for kind in kinds))
        by_key = {kind.key: answer for kind, answer in zip(kinds, answers, strict=True)}
        return {kind.key: answer for kind in self.kinds if (answer := by_key[kind.key]) is not None}

    async def kind(self, kind: Kind, found: Discovered | Unread) -> Read:
        try:
            return await self._kind(kind, found)
        except Missing:
            return None
        except MaasError as error:
            return unread(error)
        finally:
            self.done += 1
            self.say(kind.key)

    async def _kind(self, kind: Kind, found: Discovered | Unread) -> Read:
        version = found.version(kind) if isinstance(found, Discovered) else kind.versions[0]
        if version is None:
            if isinstance(found, Discovered) and found.is_broken(kind):
                return Unread(Cause.failed, f"the API {kind.group} is registered, but its server does not answer")
            return None
        told, keep = partial(self.say, kind.key), partial(_kept, kind, version)
        listed = self.api.list(kind, version, keep=keep, told=told)
        return await self.within(f"listing {kind.key}", listed)

    async def issuer(self, found: Discovered | Unread) -> dict[str, Any]:
        version = found.version(ISSUER) if isinstance(found, Discovered) else None
        if version is None:
            return {}
        tried = dry_run_issuer(self.api, version)
        return {"dry_run_issuer": await self.tried("creating an Issuer, as a dry run", tried)}

    async def packages(self, found: Discovered | Unread, names: Sequence[str]) -> dict[str, Any]:
        """Of operators that are not there yet: for an installation that is whole, no catalog is asked."""
        version = found.version(PACKAGE_MANIFEST) if isinstance(found, Discovered) else None
        if version is None or not names:
            return {}
        asked = packages(self.api, version, names)
        return {PACKAGES: await self.tried("asking catalogs for operators", asked)}

    async def logs(self) -> Sequence[Log]:
        kept: list[Log] = []
        await self.tried("reading logs", read_logs(self.api, self.lists, kept))
        return kept

    def known(self, kind: Kind) -> Sequence[Object]:
        found = self.lists.get(kind.key, ())
        return () if isinstance(found, Unread) else found

    async def within(self, what: str, awaited: Awaitable[T], end: float | None = None) -> T:
        """Raises TooSlow past the deadline."""
        try:
            async with asyncio.timeout_at(end or self.end):
                return await awaited
        except TimeoutError:
            raise TooSlow(
                f"{what} was not done within the {self.patience:g} seconds there were for everything"
            ) from None

    async def tried(self, what: str, awaited: Awaitable[T]) -> T | Unread:
        try:
            return await self.within(what, awaited)
        except MaasError as error:
            return unread(error)

    def say(self, what: str, objects: int = 0) -> None:
        if self.watch is not None:
            self.watch(Step(what, self.done, self.of, objects))


def _kept(kind: Kind, version: str, object: Object) -> Object:
    """Items of a list do not say what they are, or only that they are metadata."""
    named = {"apiVersion": f"{kind.group}/{version}".lstrip("/"), "kind": kind.name}
    return pruned(kind, {**object, **named})


async def _nothing() -> Sequence[Log]:
    return ()


def unread(error: MaasError) -> Unread:
    match error:
        case Denied():
            return Unread(Cause.denied, str(error))
        case TooSlow():
            return Unread(Cause.timeout, str(error))
    return Unread(Cause.failed, str(error))
