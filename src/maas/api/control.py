"""What the management API needs of a target, and nothing more.

The API does not import a target: it is given one. The embedded platform and the tests' in-memory one both fit here.

Every method raises the errors of domain/errors.py: InvalidInput for values that can't be, NotFound, Conflict, and
Unavailable when a part that is needed has failed. `actor` is who asks, for the audit. A method that changes something
returns when the change is in force: after `revoke_keys` the key fails on its next request.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from maas.domain.admission import Status
from maas.domain.keys import Key
from maas.domain.platform import Platform
from maas.domain.platform_file import Change
from maas.domain.reports import By, Explanation, ModelState, UsageReport
from maas.domain.usage import UsageRecord


class Control(Protocol):
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
        """The key, its value, which is never to be seen again, and warnings. A given `value` is imported.

        InvalidInput: no such tier or model. Conflict: the value is in use already. No error names the value.
        """

    def keys(self) -> list[Key]: ...

    def key(self, id: str) -> Key: ...

    async def revoke_keys(self, ids: Sequence[str], actor: str) -> list[Key]:
        """Those that this call revoked; keys revoked before, and unknown ones, are not among them."""

    async def rotate_key(self, id: str, grace: float, actor: str) -> tuple[Key, str]:
        """A successor with the same owner, tier, models and expiry; the old key ends after `grace` seconds."""

    def platform(self) -> Platform: ...

    def platform_text(self) -> str: ...

    async def apply(self, text: str, dry_run: bool, actor: str) -> list[Change]:
        """What it changed, or would. InvalidPlatform leaves everything as it was."""

    async def add_model(self, name: str, spec: Mapping[str, object], actor: str) -> None:
        """spec: the model's entry as in maas.yaml, which keeps its comments. Conflict: it exists."""

    async def remove_model(self, name: str, actor: str) -> None:
        """NotFound: no such model. Conflict: a tier names it."""

    async def models_status(self) -> Mapping[str, ModelState]:
        """By name."""

    async def usage(
        self,
        by: By,
        since: float,
        until: float,
        user: str | None = None,
        model: str | None = None,
        tier: str | None = None,
        key: str | None = None,
    ) -> UsageReport: ...

    def records(
        self,
        since: float,
        until: float,
        user: str | None = None,
        model: str | None = None,
        tier: str | None = None,
        key: str | None = None,
    ) -> Iterable[UsageRecord]:
        """In the order in which they began. Read while the answer is being sent, in a thread."""

    async def quota(self, user: str, tier: str) -> Sequence[Status]: ...

    async def explain(self, request_id: str) -> Explanation: ...

    async def health(self) -> Mapping[str, str]:
        """By part: "ok", or what is wrong with it."""

    def metrics(self) -> bytes:
        """Prometheus' text format."""
