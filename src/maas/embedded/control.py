"""The embedded target's control plane: everything the management API can ask of it (api/control.py)."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from maas.domain import admission, platform_file
from maas.domain.admission import Status
from maas.domain.errors import Conflict, InvalidInput, NotFound
from maas.domain.platform import Platform
from maas.domain.platform_file import Change, editing
from maas.domain.reports import By, Explanation, ModelState, UsageReport
from maas.domain.usage import UsageRecord
from maas.embedded import credentials, decisions
from maas.embedded.admission import View
from maas.embedded.explaining import explanation
from maas.embedded.home import Home
from maas.embedded.keyring import Keyring
from maas.embedded.metering import Metering
from maas.embedded.metrics import Metrics
from maas.embedded.options import require_known_options, require_weights
from maas.embedded.rollout import Rollout
from maas.store import AuditEntry, Store, UsageFilter


class EmbeddedControl:
    def __init__(
        self,
        home: Home,
        store: Store,
        view: View,
        metering: Metering,
        metrics: Metrics,
        keyring: Keyring,
        rollout: Rollout,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._home, self._store, self._view, self._metering = home, store, view, metering
        self._metrics, self._keyring, self._rollout, self._clock = metrics, keyring, rollout, clock
        self._changing = asyncio.Lock()  # from reading maas.yaml to writing it: of two changes, both are made
        self.create_key, self.keys, self.key = keyring.create, keyring.all, keyring.by_id
        self.revoke_keys, self.rotate_key = keyring.revoke, keyring.rotate

    def platform(self) -> Platform:
        return self._view.platform

    def platform_text(self) -> str:
        return self._home.config.read_text()

    async def apply(self, text: str, dry_run: bool, actor: str) -> list[Change]:
        platform = await self._checked(text)
        if dry_run:
            return platform_file.diff(self._view.platform, platform)
        async with self._changing:
            return await self._apply(platform, text, actor)

    async def add_model(self, name: str, spec: Mapping[str, object], actor: str) -> None:
        async with self._changing:
            text = editing.with_model(self._applied_text(), name, spec)
            await self._apply(await self._checked(text), text, actor)

    async def remove_model(self, name: str, actor: str) -> None:
        async with self._changing:
            text = editing.without_model(self._applied_text(), name)
            await self._apply(await self._checked(text), text, actor)

    async def models_status(self) -> Mapping[str, ModelState]:
        return self._rollout.loading.refresh()

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
        await self._metering.commit()
        which = UsageFilter(since, until, user, model, tier, key)
        rows = await asyncio.to_thread(self._store.usage.by, by, which)
        return UsageReport(by, since, until, tuple(rows))

    def records(
        self,
        since: float,
        until: float,
        user: str | None = None,
        model: str | None = None,
        tier: str | None = None,
        key: str | None = None,
    ) -> Iterable[UsageRecord]:
        return self._store.usage.records(UsageFilter(since, until, user, model, tier, key))

    async def quota(self, user: str, tier: str) -> Sequence[Status]:
        known = self._view.platform.tiers.get(tier)
        if known is None:
            raise NotFound(f"there is no tier {tier!r}")
        return admission.statuses(user, known, self._metering.counters, self._clock())

    async def explain(self, request_id: str) -> Explanation:
        if not request_id or len(request_id) > 100:
            raise InvalidInput("a request id is the x-request-id of an answer")
        record = await self._metering.record(request_id)
        decision = await asyncio.to_thread(decisions.find, self._home.journal, request_id)
        return explanation(request_id, decision, record, self._keyring.by_id)

    async def health(self) -> Mapping[str, str]:
        """By part: "ok", or what is wrong with it."""
        return {
            "journal": self._metering.journal_trouble or "ok",
            "ledger": self._metering.trouble or "ok",
            "certificate": self._rollout.certificate_trouble or "ok",
            "credentials": self._rollout.credentials_trouble or "ok",
        }

    def metrics(self) -> bytes:
        return self._metrics.text()

    def _applied_text(self) -> str:
        """maas.yaml with its comments. Raises Conflict if it says more than is in force: that is not ours to apply."""
        text = self.platform_text()
        if pending := platform_file.diff(self._view.platform, platform_file.load(text)):
            raise Conflict(
                f"maas.yaml has changes that are not in force yet ({pending[0]}); first take them up: maas up"
            )
        return text

    async def _apply(self, platform: Platform, text: str, actor: str) -> list[Change]:
        changes = platform_file.diff(self._view.platform, platform)
        await self._rollout.to(platform, text)
        await self._note(actor, "platform.apply", "maas.yaml", {c.place: str(c) for c in changes})
        return changes

    async def _checked(self, text: str) -> Platform:
        """Raises InvalidPlatform with all that is wrong."""
        platform = await asyncio.to_thread(platform_file.load, text)
        require_known_options(platform)
        require_weights(platform, self._home.weights)
        credentials.require_readable(platform)
        return platform

    async def _note(self, actor: str, action: str, target: str, detail: Mapping[str, str]) -> None:
        await asyncio.to_thread(self._store.audit.add, AuditEntry(self._clock(), actor, action, target, detail))
