"""A control plane in memory.

It keeps keys and maas.yaml, and nothing is enforced: no request is ever admitted, so usage, quota and explanations are
the same every time. Keys are made from a counter instead of chance. The clock stands still unless a test moves it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from maas.api.control import Control
from maas.domain import keys, platform_file
from maas.domain.admission import Status
from maas.domain.errors import Conflict, InvalidInput, NotFound
from maas.domain.keys import Key
from maas.domain.platform import Platform
from maas.domain.platform_file import Change, editing
from maas.domain.reports import By, Explanation, ModelState, UsageReport, UsageRow, Verdict
from maas.domain.usage import Outcome, Source, UsageRecord

NOW = 1_700_000_000.0
RECORD = UsageRecord(
    request_id="req-1",
    key_id="key_1",
    user="alice",
    tier="free",
    model="simulator",
    dialect="chat",
    stream=False,
    prompt_tokens=10,
    completion_tokens=20,
    source=Source.REPORTED,
    outcome=Outcome.COMPLETE,
    status=200,
    started_at=NOW - 60,
    duration_ms=130,
    first_byte_ms=20,
    cost=13_500_000,
)


class FakeControl:
    def __init__(self) -> None:
        self.now = NOW
        self.text = platform_file.default_text()
        self.kept: dict[str, Key] = {}
        self.actors: list[str] = []
        self.parts = {"journal": "ok", "ledger": "ok"}
        self.revoke_now = True

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
        if tier not in self.platform().tiers:
            raise InvalidInput(f"there is no tier {tier!r}; there are {', '.join(self.platform().tiers)}")
        self.actors.append(actor)
        weakness = keys.weakness(value) if value else None
        value = value or keys.value_from(len(self.kept).to_bytes(32, "big"))
        key = self._key(value, user, tier, name)
        if any(known.hash == key.hash for known in self.kept.values()):
            raise Conflict("this key exists already")
        expires_at = None if expires_in is None else self.now + expires_in
        self.kept[key.id] = replace(key, expires_at=expires_at, models=models, description=description)
        return self.kept[key.id], value, [f"this key {weakness}"] if weakness else []

    def keys(self) -> list[Key]:
        return list(self.kept.values())

    def key(self, id: str) -> Key:
        if id not in self.kept:
            raise NotFound(f"there is no key {id!r}")
        return self.kept[id]

    async def revoke_keys(self, ids: Sequence[str], actor: str) -> list[Key]:
        fresh = [self.kept[id] for id in ids if id in self.kept and self.kept[id].revoked_at is None]
        self.kept |= {key.id: replace(key, revoked_at=self.now) for key in fresh}
        return [self.kept[key.id] for key in fresh]

    async def rotate_key(self, id: str, grace: float, actor: str) -> tuple[Key, str]:
        old = self.key(id)
        if old.status(self.now) != "active":
            raise Conflict(f"the key {id} is {old.status(self.now)}")
        value = keys.value_from(len(self.kept).to_bytes(32, "big"))
        key = replace(self._key(value, old.user, old.tier, old.name), models=old.models, expires_at=old.expires_at)
        self.kept |= {key.id: key, id: replace(old, expires_at=self.now + grace)}
        return key, value

    def platform(self) -> Platform:
        return platform_file.load(self.text)

    def platform_text(self) -> str:
        return self.text

    async def apply(self, text: str, dry_run: bool, actor: str) -> list[Change]:
        changes = platform_file.diff(self.platform(), platform_file.load(text))
        self.text = self.text if dry_run else text
        return changes

    async def add_model(self, name: str, spec: Mapping[str, object], actor: str) -> None:
        self.text = editing.with_model(self.text, name, spec)

    async def remove_model(self, name: str, actor: str) -> None:
        self.text = editing.without_model(self.text, name)

    async def models_status(self) -> Mapping[str, ModelState]:
        return dict.fromkeys(self.platform().models, ModelState("ready"))

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
        rows = [
            UsageRow("alice", 12, 300, 4500, 2_745_000_000, failed=1),
            UsageRow("bob", 1, 10, 20, 13_500_000, estimated=1),
        ]
        return UsageReport(by, since, until, tuple(row for row in rows if user in (None, row.name)))

    def records(
        self,
        since: float,
        until: float,
        user: str | None = None,
        model: str | None = None,
        tier: str | None = None,
        key: str | None = None,
    ) -> list[UsageRecord]:
        is_meant = (user, model, tier, key)
        has = (RECORD.user, RECORD.model, RECORD.tier, RECORD.key_id)
        fits = all(meant in (None, it) for meant, it in zip(is_meant, has, strict=True))
        return [RECORD] if fits and since <= RECORD.started_at < until else []

    async def quota(self, user: str, tier: str) -> Sequence[Status]:
        if tier not in self.platform().tiers:
            raise NotFound(f"there is no tier {tier!r}")
        return [Status(limit, limit.amount // 2, 42.5) for limit in self.platform().tiers[tier].limits]

    async def explain(self, request_id: str) -> Explanation:
        limits = self.platform().tiers["free"].limits
        known = {
            "req-1": Explanation(
                request_id="req-1",
                verdict=Verdict.ADMITTED,
                at=RECORD.started_at,
                key_id="key_1",
                key_prefix="sk-maas-0000...",
                user="alice",
                tier="free",
                limits=[Status(limits[0], 4, 120), Status(limits[1], 200, 60)],
                model="simulator",
                route="/v1/chat/completions",
                cluster="simulator-1",
                status=200,
                outcome=RECORD.outcome,
                source=RECORD.source,
                prompt_tokens=10,
                completion_tokens=20,
                cost=RECORD.cost,
                first_byte_ms=20,
                duration_ms=130,
            ),
            "req-2": Explanation(
                request_id="req-2",
                verdict=Verdict.REFUSED,
                at=NOW - 30,
                why="rate_limit_exceeded",
                message="Over the limit of 5 requests per 2m.",
                key_id="key_1",
                key_prefix="sk-maas-0000...",
                user="alice",
                tier="free",
                limits=[Status(limits[0], 0, 90)],
                model="simulator",
                route="/v1/chat/completions",
                status=429,
            ),
        }
        if request_id not in known:
            raise NotFound(f"nothing is known of the request {request_id!r}")
        return known[request_id]

    async def health(self) -> Mapping[str, str]:
        return self.parts

    def metrics(self) -> bytes:
        return b"# TYPE authorized_calls counter\nauthorized_calls_total 1.0\n"

    def _key(self, value: str, user: str, tier: str, name: str) -> Key:
        hash = keys.hash_of(value, b"pepper")
        id = f"key_{len(self.kept) + 1}"
        return Key(id, hash, keys.shown_prefix(value), user, tier, name, self.now)


conforms: type[Control] = FakeControl
