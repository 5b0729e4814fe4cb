"""Lists of which a snapshot holds only a part (MAAS-904); kinds of which it holds nothing are MAAS-114's."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked, check
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped
from maas.readiness.wording import count

_SHOWN = 5


@check(
    "MAAS-904",
    "the snapshot's lists are whole",
    Category.facts,
    wanted="of each kind that was exported, the objects of all namespaces, in files that are whole",
    severity=Severity.warning,
    looks="Kinds of which the snapshot holds single objects, or those of some namespaces: `oc adm inspect ns/llm`; "
    "and those whose file breaks off before its end.",
    why="What is not among them may exist all the same. Sums, such as what pods request of nodes, come out too small.",
    mend="Export them for all namespaces (`kubectl get pods -A -o yaml`), until the command ends by itself; or take a "
    "snapshot with `maas snapshot`.",
)
def lists_whole(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if facts.source.live:
        yield skipped("there is no snapshot: the cluster itself was read")
        return
    if not facts.partial:
        yield passed("every list that there is is whole: it holds the objects of all namespaces")
        return
    found = sorted(facts.partial.items())
    more = [Seen(f"and {len(found) - _SHOWN} more")] if len(found) > _SHOWN else []
    yield failed(
        f"{count(len(found), 'list')} of the snapshot may not hold all there is",
        *(Seen(key, value=why) for key, why in found[:_SHOWN]),
        *more,
        remedy=Remedy("Take a snapshot of the cluster itself.", ("maas snapshot -o snapshot.tar.gz",)),
    )
