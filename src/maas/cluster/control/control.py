"""The Control of a platform on a cluster (api/control.py): made for one command, and gone with it.

The protocol's plain methods cannot wait for a cluster: keys and maas.yaml, of which they speak, are read beforehand,
each for itself. Who may not read one of them is told so where it is asked for.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from maas.cluster import document as documents
from maas.cluster import objects
from maas.cluster.api import Api
from maas.cluster.control import changing, limitador, parts, spent
from maas.cluster.control.changing import Watch, silently
from maas.cluster.control.keyring import Keyring
from maas.cluster.document import Document
from maas.cluster.resources import routes
from maas.cluster.wanted import Target
from maas.domain import platform_file
from maas.domain.admission import Status
from maas.domain.errors import InvalidInput, InvalidPlatform, MaasError, NotFound, NotRunning
from maas.domain.keys import Key
from maas.domain.platform import Platform
from maas.domain.platform_file import Change, editing
from maas.domain.reports import By, Explanation, ModelState, UsageReport
from maas.domain.usage import UsageRecord

T = TypeVar("T")


class ClusterControl:
    """namespace: of the platform. Loaded by `load` before the first question."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        target: Target,
        *,
        watch: Watch = silently,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api, self._namespace, self._target, self._watch, self._clock = api, namespace, target, watch, clock
        self._keyring = Keyring(api, clock)
        self._document: Document | MaasError = NotRunning("")
        self._platform: Platform | None = None
        self._keys_unread: MaasError | None = None

    async def load(self) -> None:
        """What cannot be read is told where it is asked for."""
        self._document, keys = await asyncio.gather(self._read_document(), _tried(self._keyring.load()))
        self._keys_unread = keys if isinstance(keys, MaasError) else None
        if isinstance(self._document, Document):
            try:
                self._platform = platform_file.load(self._document.text)
            except InvalidPlatform as error:
                self._document = error

    async def _read_document(self) -> Document | MaasError:
        found = await _tried(documents.read(self._api, self._namespace))
        if found is not None:
            return found
        return NotRunning(
            f"no platform is installed in the namespace {self._namespace} of {self._api.described}; `maas install` "
            "sets one up"
        )

    # --- keys

    async def create_key(
        self,
        user: str,
        tier: str,
        name: str,
        description: str,
        expires_in: float | None,
        models: frozenset[str] | None,
        actor: str,
        value: str | None = None,
    ) -> tuple[Key, str, list[str]]:
        return await self._keys().create(
            self.platform(), user, tier, name, description, expires_in, models, actor, value
        )

    def keys(self) -> list[Key]:
        return self._keys().all()

    def key(self, id: str) -> Key:
        return self._keys().by_id(id)

    async def revoke_keys(self, ids: Sequence[str], actor: str) -> list[Key]:
        return await self._keys().revoke(ids)

    async def rotate_key(self, id: str, grace: float, actor: str) -> tuple[Key, str]:
        return await self._keys().rotate(id, grace, actor)

    def _keys(self) -> Keyring:
        if self._keys_unread is not None:
            raise self._keys_unread
        return self._keyring

    # --- the platform's description

    def platform(self) -> Platform:
        self._described()
        assert self._platform is not None
        return self._platform

    def platform_text(self) -> str:
        return self._described().text

    async def apply(self, text: str, dry_run: bool, actor: str) -> list[Change]:
        return await self._apply(text, dry_run)

    async def _apply(self, text: str, dry_run: bool = False, given: Collection[str] | None = None) -> list[Change]:
        document = replace(self._described(), text=text)
        wanted = changing.checked(document, self._target, self._namespace)
        changes = platform_file.diff(self.platform(), wanted.platform)
        if not dry_run:
            await changing.change(self._api, document, self._namespace, self._watch, given)
            await self.load()
        return changes

    async def add_model(self, name: str, spec: Mapping[str, object], actor: str) -> None:
        await self._apply(editing.with_model(self.platform_text(), name, spec), given=[name])

    async def remove_model(self, name: str, actor: str) -> None:
        await self._apply(editing.without_model(self.platform_text(), name), given=[])

    async def models_status(self) -> Mapping[str, ModelState]:
        return await parts.models(self._api, self.platform(), self._namespace)

    def _described(self) -> Document:
        if isinstance(self._document, MaasError):
            raise self._document
        return self._document

    # --- what was used

    async def usage(
        self,
        by: By,
        since: float,
        until: float,
        user: str | None = None,
        model: str | None = None,
        tier: str | None = None,
        key: str | None = None,
    ) -> UsageReport:
        """What the models count of themselves, since their pods started: `since` can go no further back, nor later."""
        if by is not By.MODEL or user or tier or key:
            raise InvalidInput(
                "on a cluster usage is known by model only, for the models' servers count it: write --by model."
                " Nothing there writes down which user, tier or key a request was of"
            )
        rows = await spent.by_model(self._api, self.platform(), self._namespace)
        return UsageReport(by, since, until, tuple(row for row in rows if model in (None, row.name)))

    def records(
        self,
        since: float,
        until: float,
        user: str | None = None,
        model: str | None = None,
        tier: str | None = None,
        key: str | None = None,
    ) -> Iterable[UsageRecord]:
        raise InvalidInput("single requests are not kept on a cluster; the gateway's access log has them")

    async def quota(self, user: str, tier: str) -> Sequence[Status]:
        """At the address where least is left: Kuadrant counts at each HTTPRoute for itself."""
        known = self.platform().tiers.get(tier)
        if known is None:
            raise NotFound(f"there is no tier {tier!r}")
        wanted = changing.checked(self._described(), self._target, self._namespace)
        paths = [f"{self._namespace}/{objects.name(each)}" for each in routes.http_routes(wanted)]
        return await limitador.statuses(self._api, user, known, paths)

    async def explain(self, request_id: str) -> Explanation:
        raise InvalidInput(
            "single requests are not kept on a cluster; the gateway's access log and Authorino's have them:"
            f" kubectl logs -n {self._namespace} -l gateway.networking.k8s.io/gateway-name=maas-gateway"
        )

    async def health(self) -> Mapping[str, str]:
        return await parts.health(self._api, parts.parts(self._namespace, self._described().tokens_only))

    def metrics(self) -> bytes:
        raise InvalidInput("a cluster has no metrics of a control plane: Prometheus asks its parts themselves")


async def _tried(asked: Awaitable[T]) -> T | MaasError:
    try:
        return await asked
    except MaasError as error:
        return error
