"""The first key of a platform on a cluster: made where there is none, and shown once."""

import time

from maas.cli import first_key, who
from maas.cluster import kinds
from maas.cluster.api import Api
from maas.cluster.control.keyring import Keyring
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.resources import key_secrets
from maas.cluster.wanted import Wanted


def known(facts: Facts) -> bool | None:
    """Whether anybody has a key that works; None where nobody has read that."""
    try:
        return any(key_secrets.works(secret, facts.taken_at) for secret in facts.whole(kinds.SECRET))
    except NotRead:
        return None


async def first(api: Api, wanted: Wanted) -> str | None:
    """Its value, or None where somebody has one already, or nothing is served yet. Raises MaasError."""
    model = next(iter(wanted.platform.models), None)
    if model is None:
        return None
    keyring, now = Keyring(api), time.time()
    await keyring.load()
    if any(key.status(now) == "active" for key in keyring.all()):
        return None
    tier = first_key.tier_for(wanted.platform, model)
    user = who.user()
    _, value, _ = await keyring.create(wanted.platform, user, tier, "first key", "", None, None, user)
    return value
