"""The first key of a platform on a cluster: made where there is none, and shown once."""

import time

from maas.cli import first_key, who
from maas.cluster.api import Api
from maas.cluster.control.keyring import Keyring
from maas.cluster.wanted import Wanted


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
