"""Finding in facts what a plan names: an object that is there, one that is not, and one of which nobody knows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from maas.cluster.facts.model import Facts, Unread
from maas.cluster.kinds import ALL, CRD, OURS, SECRET, Kind
from maas.cluster.objects import Object, label, name, namespace


class Unknown(Enum):
    """Its kind was not read, or could not be."""

    unknown = "unknown"


UNKNOWN = Unknown.unknown
Found = Object | None | Unknown
_LISTED: Mapping[tuple[str, str], list[Kind]] = defaultdict(list)
for _kind in (*ALL, *OURS):
    _LISTED[_kind.group, _kind.plural].append(_kind)


@dataclass(frozen=True)
class Lookup:
    """An index over facts: a thousand lookups in 20 000 objects are to cost no more than reading the lists once."""

    facts: Facts
    _by_name: dict[str, dict[tuple[str, str], Object]]

    @classmethod
    def of(cls, facts: Facts) -> "Lookup":
        return cls(facts, {})

    def find(self, kind: Kind, named: str, in_namespace: str = "") -> Found:
        """None: there is none. A list of some of a kind (our own objects) says nothing of the rest of it."""
        listed = [each for each in _LISTED.get((kind.group, kind.plural), ()) if self._was_read(each)]
        for each in listed:
            found = self._index(each).get((in_namespace, named))
            if found is not None:
                return self._established(found) if kind.group == CRD.group else found
        return None if any(map(_is_whole, listed)) or self._is_not_served(kind) else UNKNOWN

    def ours(self, kinds: Iterable[Kind]) -> list[tuple[Kind, Object]]:
        """All objects of these kinds that were read, each once."""
        found = []
        for kind in kinds:
            for listed in _LISTED.get((kind.group, kind.plural), ()):
                if self._was_read(listed) and listed is not SECRET:
                    found += [(kind, each) for each in self._index(listed).values()]
        return found

    def _was_read(self, kind: Kind) -> bool:
        return isinstance(self.facts.lists.get(kind.key), Sequence) and kind.key not in self.facts.partial

    def _is_not_served(self, kind: Kind) -> bool:
        return not isinstance(self.facts.apis, Unread) and not self.facts.serves(kind)

    def _index(self, kind: Kind) -> Mapping[tuple[str, str], Object]:
        if kind.key not in self._by_name:
            found = self.facts.lists[kind.key]
            assert not isinstance(found, Unread)
            self._by_name[kind.key] = {(namespace(each), name(each)): each for each in found}
        return self._by_name[kind.key]

    def _established(self, crd: Object) -> Found:
        """Of CRDs only metadata is read; whether one is established shows in what is served."""
        plural, _, group = name(crd).partition(".")
        if isinstance(self.facts.apis, Unread):
            return UNKNOWN
        served = any(key.rpartition("/")[0] == group and plural in plurals for key, plurals in self.facts.apis.items())
        status = {"type": "Established", "status": "True" if served else "False", "reason": "" if served else "Served"}
        return {**crd, "status": {"conditions": [status]}}


def _is_whole(kind: Kind) -> bool:
    """What is left out of a list by a selector that begins so is nobody's wish: OLM's copies of CSVs."""
    return not kind.fields and (not kind.labels or kind.labels.startswith("!"))


def is_going(object: Object) -> bool:
    return bool(object.get("metadata", {}).get("deletionTimestamp"))


def is_owned(object: Object) -> bool:
    """By another object: controllers copy labels to what they make."""
    return bool(object.get("metadata", {}).get("ownerReferences")) or bool(label(object, "olm.owner"))
