"""Everybody on the stage."""

from collections.abc import Iterator, Sequence

from maas.cluster.objects import items, text
from tests.kubernetes.installation import certificates, gateways, olm, policies, serving
from tests.kubernetes.installation.playing import Deed, Player, Remove
from tests.kubernetes.installation.telling import is_ending
from tests.kubernetes.installation.world import World


def collector(world: World) -> Iterator[Deed]:
    """Removes what is owned by what is gone, at once.

    Kubernetes' own collector runs as well, but learns of new kinds every 30 seconds only: too slow for tests.
    """
    known = {each["metadata"]["uid"]: each for objects in world.objects.values() for each in objects.values()}
    for objects in world.objects.values():
        for each in objects.values():
            owners = items(each, "metadata", "ownerReferences")
            played = [owner for owner in owners if "." in text(owner, "apiVersion")]
            if played and not is_ending(each) and not any(text(owner, "uid") in known for owner in owners):
                yield Remove(each)


ALL_PLAYERS: Sequence[Player] = (
    *gateways.PLAYERS,
    *certificates.PLAYERS,
    *policies.PLAYERS,
    *serving.PLAYERS,
    *olm.PLAYERS,
    collector,
)
