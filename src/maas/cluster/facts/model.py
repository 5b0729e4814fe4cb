"""Facts: everything that was read of one cluster, and everything that could not be.

What is absent and what was not read are never the same: `facts.all(KIND)` is an empty list where the cluster has
none or does not serve the API, and raises NotRead where nobody knows. A check need not catch it: its judge turns it
into "unknown", with the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, cast

from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, name, namespace, text

T = TypeVar("T")


class Cause(StrEnum):
    denied = "denied"  # RBAC
    timeout = "timeout"
    failed = "failed"  # the server answered with an error, or not in its own language
    not_exported = "not exported"  # a snapshot that does not hold it


@dataclass(frozen=True)
class Unread:
    cause: Cause
    reason: str  # a sentence: "listing pods was denied: pods is forbidden: User …"


class NotRead(Exception):
    """What a check asks for was not read."""

    def __init__(self, unread: Unread) -> None:
        super().__init__(unread.reason)
        self.unread = unread


@dataclass(frozen=True)
class Log:
    """The last lines of one container."""

    namespace: str
    pod: str
    container: str
    lines: tuple[str, ...]
    previous: bool = False  # of the run before the last restart


@dataclass(frozen=True)
class Source:
    """Where the facts are from."""

    live: bool
    described: str  # "context kind-maas (https://…)", "snapshot must-gather.tar.gz"


@dataclass(frozen=True)
class Facts:
    """
    version: the answer of /version.
    apis: {"apps/v1": {"deployments", …}, "v1": {"pods", …}}, as discovery has it.
    lists: by Kind.key; a kind that is not served has no entry.
    probes: what was tried, by name (readiness/checks say which they read); JSON.
    unreadable: a snapshot's files that could not be read, and why.
    partial: by Kind.key, what `lists` holds only a part of, and which: "the snapshot holds pods of 2 namespaces only".
    doubts: by Kind.key, which lists were asked for since `afresh` that were not read, or in part only, and why.
    """

    source: Source
    taken_at: float  # seconds since the epoch; the checks' only clock
    version: Mapping[str, Any] | Unread
    apis: Mapping[str, frozenset[str]] | Unread
    lists: Mapping[str, Sequence[Object] | Unread]
    probes: Mapping[str, Any | Unread] = field(default_factory=dict)
    logs: Sequence[Log] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    _derived: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def afresh(self) -> "Facts":
        """The same facts, without doubts so far."""
        other = copy(self)
        object.__setattr__(other, "doubts", {})
        return other

    def all(self, kind: Kind) -> Sequence[Object]:
        """Raises NotRead."""
        self._doubt(kind)
        return self._read(kind)

    def whole(self, kind: Kind) -> Sequence[Object]:
        """As `all`, for what is added up: raises NotRead also where a part is all there is."""
        if kind.key in self.partial:
            raise NotRead(Unread(Cause.not_exported, self.partial[kind.key]))
        return self.all(kind)

    def known(self, kind: Kind) -> Sequence[Object]:
        """Those that were read, where the rest would only say more: never raises."""
        self._doubt(kind)
        found = self.lists.get(kind.key, ())
        return () if isinstance(found, Unread) else found

    def one(self, kind: Kind, named: str, in_namespace: str = "") -> Object | None:
        """None if there is none. Raises NotRead, also where it may be in the part of a list that nobody has read."""
        found = next((o for o in self._read(kind) if name(o) == named and namespace(o) == in_namespace), None)
        if found is None and kind.key in self.partial:
            raise NotRead(Unread(Cause.not_exported, f"{self.partial[kind.key]}: nothing is known of {named}"))
        return found

    def serves(self, kind: Kind) -> bool:
        """Whether the cluster has this API, in any version. Raises NotRead."""
        return bool(self.served_versions(kind))

    def served_versions(self, kind: Kind) -> list[str]:
        """Raises NotRead."""
        if isinstance(self.apis, Unread):
            if seen := {text(o, "apiVersion") for o in self.known(kind)}:
                return sorted(seen)
            raise NotRead(self.apis)
        groups = ((*key.rpartition("/")[::2], plurals) for key, plurals in self.apis.items())
        return [version for group, version, plurals in groups if group == kind.group and kind.plural in plurals]

    def probe(self, named: str) -> Any | None:
        """None if it was not tried. Raises NotRead if it was tried and gave no answer."""
        found = self.probes.get(named)
        if isinstance(found, Unread):
            raise NotRead(found)
        return found

    def derived(self, what: "Callable[[Facts], T]") -> T:
        """What that (named) function says of these facts, worked out once: for what several checks add up."""
        if what not in self._derived:
            facts = self.afresh()
            self._derived[what] = what(facts), facts.doubts
        found, doubts = self._derived[what]
        self.doubts.update(doubts)
        return cast(T, found)

    def logs_of(self, in_namespace: str, pod_prefix: str) -> list[Log]:
        return [log for log in self.logs if log.namespace == in_namespace and log.pod.startswith(pod_prefix)]

    def _read(self, kind: Kind) -> Sequence[Object]:
        found = self.lists.get(kind.key, ())
        if isinstance(found, Unread):
            raise NotRead(found)
        return found

    def _doubt(self, kind: Kind) -> None:
        found = self.lists.get(kind.key, ())
        if isinstance(found, Unread):
            self.doubts[kind.key] = found.reason
        elif kind.key in self.partial:
            self.doubts[kind.key] = self.partial[kind.key]


@dataclass(frozen=True)
class Step:
    """How far the reading is, for people who wait: 12 of 50, "pods", 3 500 objects of it so far."""

    what: str
    done: int
    of: int
    objects: int = 0


Watch = Callable[[Step], None]
