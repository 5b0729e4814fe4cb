"""A platform whose tiers differ in everything that tiers can."""

import time

from maas.cluster.resources import key_secrets
from maas.cluster.resources.key_secrets import Kept
from maas.cluster.wanted import Site, Target, Wanted
from maas.domain import platform_file
from maas.domain.keys import Key, shown_prefix

MODELS = """
models:
  simulator: {runtime: simulator, context_length: 4096}
  other: {runtime: simulator, aliases: [another]}
"""


def wanted(
    tiers: str, *, models: str = MODELS, tokens_only: bool = False, target: Target = Target.kubernetes
) -> Wanted:
    text = f"{models}\n{tiers}"
    return Wanted(platform_file.load(text), Site(target), tokens_only=tokens_only, document=text)


def key(
    value: str,
    tier: str,
    user: str = "",
    *,
    models: frozenset[str] | None = None,
    expires_in: float | None = None,
) -> dict[str, object]:
    """The Secret of one, as the command makes it."""
    now = time.time()
    ends = None if expires_in is None else now + expires_in
    id = f"key_{value.encode().hex()[:16]}"
    made = Key(id, b"", shown_prefix(value), user or value, tier, "test", now, expires_at=ends, models=models)
    return key_secrets.secret(Kept(made, key_secrets.secret_name(id), value), "tester")
