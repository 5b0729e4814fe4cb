"""Steps, as data: what each does, why, what it touches, what it waits for, and how it is undone.

    Step("cert-manager", "cert-manager 1.20.3", "issues the certificates of gateway and webhooks",
         needs=("gateway-api",), actions=(Chart(…),), waits=(Wait(…), …), undo="helm uninstall …")

Whoever shows a step, dry-runs it or carries it out reads the same value. Components and resources make steps as if the
cluster were empty; planning takes out what is done already, so an installation that is whole is an empty plan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object


@dataclass(frozen=True)
class Apply:
    """Server-side apply of one object, as field manager `maas`, never by force.

    adopt: it may be there already and belong to somebody else; then only these fields are set on it, and uninstalling
    takes only these fields away again. Without, what is there and not ours is left alone.
    brought: a chart before it makes the object; these fields alone would be none.
    """

    object: Object
    adopt: bool = False
    brought: bool = False


@dataclass(frozen=True)
class Chart:
    """A Helm release: `helm upgrade --install RELEASE CHART --version … --repo … -n NAMESPACE --values …`.

    chart: "oci://registry/path/name", or a name in `repo`.
    """

    release: str
    namespace: str
    chart: str
    version: str
    repo: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A release's own YAML file, every object of it applied server-side: fetched, or from a mirror.

    name: what it is called in a mirror: "gateway-api-1.5.1.yaml".
    sha256: of the file, where it is known.
    last: names of its objects that are applied last.
    done: whether facts show that it was applied as a whole: those that are applied last are there. Raises NotRead.
    """

    name: str
    url: str
    sha256: str = ""
    last: frozenset[str] = frozenset()
    done: Callable[[Facts], bool] | None = None


@dataclass(frozen=True)
class Restart:
    """Of a workload that looks at the cluster only when it starts.

    after: keys of steps: where one of them is in the plan, what is running has not seen its work.
    spared: keys of steps that start the workload anew themselves: where one of them is in the plan, none is needed.
    stale: whether facts show that it is older than what it should have seen (an earlier run may have been cut short).
    """

    kind: Kind
    name: str
    namespace: str
    why: str
    after: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    stale: Callable[[Facts], bool] | None = None


@dataclass(frozen=True)
class Approve:
    """Of the InstallPlan that a Subscription with manual approval waits for. Asks first."""

    subscription: str
    namespace: str
    why: str


@dataclass(frozen=True)
class Delete:
    """Of an object of ours that is no longer wanted.

    if_ours: looked at again right before, and left alone where it does not carry our label any more.
    """

    kind: Kind
    name: str
    namespace: str
    why: str
    if_ours: bool = False


@dataclass(frozen=True)
class Uninstall:
    """Of a Helm release of ours. Its CRDs go too unless they are to be kept: those that a chart keeps are deleted."""

    release: str
    namespace: str
    why: str
    keep_crds: bool = False


@dataclass(frozen=True)
class Mark:
    """Notes on an object that others label as theirs (Helm, OLM) that it is to go, before what would tell us goes.

    So an uninstallation that was cut short finds it again. A JSON merge patch; nothing happens where it is gone.
    """

    kind: Kind
    name: str
    namespace: str
    patch: Mapping[str, Any]
    why: str


@dataclass(frozen=True)
class Release:
    """Of an object that we adopted: our fields are taken away from it, and it is nobody's business of ours any more.

    object: apiVersion, kind and name only: applied as field manager `maas`.
    """

    object: Object
    why: str


Action = Apply | Chart | Manifest | Restart | Approve | Delete | Uninstall | Mark | Release


class Stage(StrEnum):
    done = "done"
    waiting = "waiting"
    hopeless = "hopeless"  # waiting longer will not help


@dataclass(frozen=True)
class Seen:
    """What an object's status says of how far it is.

    why: a few words that name the condition; "" when done and nothing is to be noted.
    enough: not done, but good enough to go on with once patience is over, and to leave alone the next time.
    """

    stage: Stage
    why: str = ""
    enough: bool = False


Until = Callable[[Object | None], Seen]
"""Given None, the object is not there (yet)."""


@dataclass(frozen=True)
class Wait:
    """what: "Gateway llm/maas-gateway is Programmed". patience: seconds.

    tried: where it is given, nothing is read: the server is asked to apply this object as a dry run, and `until` is
    given what it makes of it, or None while it refuses. So webhooks are waited for that a status says nothing of.
    """

    kind: Kind
    name: str
    namespace: str
    until: Until
    what: str
    patience: float = 300.0
    tried: Object | None = None


@dataclass(frozen=True)
class Step:
    """key: "cert-manager", "gateway", …: as findings name it (readiness: to_install(step=…)).

    needs: keys of steps that have to be done before, where they are in the plan at all.
    undo: how it is undone, for people.
    affects: what its change means for users of a running platform: "" if nothing.
    """

    key: str
    title: str
    why: str
    actions: tuple[Action, ...] = ()
    waits: tuple[Wait, ...] = ()
    needs: tuple[str, ...] = ()
    undo: str = ""
    affects: str = ""


@dataclass(frozen=True)
class Plan:
    """steps: in an order in which each comes after those it needs.

    notes: what was left alone, and what could not be compared; sentences.
    """

    steps: Sequence[Step]
    notes: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        return not self.steps
