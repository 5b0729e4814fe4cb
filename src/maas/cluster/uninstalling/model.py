"""What of a cluster is ours, as it was found; and what is to become of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maas.cluster.components import olm
from maas.cluster.helm import Release
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, annotation, label, name, namespace, place
from maas.cluster.plan.model import Plan
from maas.cluster.wanted import MANAGED_BY
from maas.cluster.wanted import NAMESPACE as HOME

_OF_OPENSHIFT_AI = ("app.opendatahub.io/", "platform.opendatahub.io/")
REMOVE = "maas.io/remove"  # a label: it is to go, though Helm or OLM made it


@dataclass(frozen=True)
class Found:
    """An object, or its metadata, as a list has it. kind: with the version that the cluster serves."""

    kind: Kind
    object: Object

    @property
    def name(self) -> str:
        return name(self.object)

    @property
    def namespace(self) -> str:
        return namespace(self.object)

    @property
    def described(self) -> str:
        return f"{self.kind.name} {place(self.object)}"

    @property
    def uid(self) -> str:
        return str(self.object.get("metadata", {}).get("uid", ""))

    @property
    def created(self) -> str:
        return str(self.object.get("metadata", {}).get("creationTimestamp", ""))

    @property
    def is_owned(self) -> bool:
        """By another object, with which it goes. Controllers copy labels to what they make, ours too."""
        return bool(self.object.get("metadata", {}).get("ownerReferences")) or bool(label(self.object, "olm.owner"))

    @property
    def is_made(self) -> bool:
        """By us."""
        return label(self.object, MANAGED_BY) == "maas" and not self.is_owned

    @property
    def is_marked(self) -> bool:
        return label(self.object, REMOVE) == "true"

    @property
    def has_our_fields(self) -> bool:
        return self.is_by("maas", "Apply")

    def is_by(self, manager: str, operation: str = "") -> bool:
        """Whether a field of it was last written by that manager."""
        fields = self.object.get("metadata", {}).get("managedFields") or ()
        return any(
            each.get("manager") == manager and (not operation or each.get("operation") == operation) for each in fields
        )

    @property
    def release(self) -> tuple[str, str]:
        """Namespace and name of the Helm release that holds it; empty if none does."""
        return (
            annotation(self.object, "meta.helm.sh/release-namespace"),
            annotation(self.object, "meta.helm.sh/release-name"),
        )


@dataclass(frozen=True)
class Operator:
    """A Subscription of ours. csv: what it has brought; None if there is none (yet)."""

    subscription: Found
    package: str
    csv: Found | None

    def has_marked(self, crd: Found) -> bool:
        """OLM marks the CRDs of its operators; OpenShift AI marks those of the components that it brings."""
        labels = crd.object.get("metadata", {}).get("labels") or {}
        if f"operators.coreos.com/{self.package}.{self.subscription.namespace}" in labels:
            return True
        of_ai = self.package in (olm.RHOAI.name, olm.ODH.name)
        return of_ai and any(str(key).startswith(_OF_OPENSHIFT_AI) for key in labels)


@dataclass(frozen=True)
class Ours:
    """
    made: everything that we made, namespaces too. adopted: where only some fields are ours.
    definitions: CRDs that a component of ours brought. customs: all objects of their kinds, whoever made them.
    left: what components of ours leave behind when they go (REMOVE is put on it before they do).
    secrets: certificates of ours and of our charts, each with the Secret that it leaves behind.
    inside: what there is in each namespace that we made, as far as it would go with it.
    denied: kinds of which nobody could tell whether somebody uses them, by Kind.key, with why.
    """

    made: Sequence[Found] = ()
    adopted: Sequence[Found] = ()
    releases: Sequence[Release] = ()
    operators: Sequence[Operator] = ()
    definitions: Sequence[Found] = ()
    customs: Sequence[Found] = ()
    left: Sequence[Found] = ()
    secrets: Sequence[tuple[Found, Found]] = ()
    inside: Mapping[str, Sequence[Found]] = field(default_factory=dict)
    denied: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        return not (self.made or self.adopted or self.releases or self.operators or self.definitions or self.left)


@dataclass(frozen=True)
class Stay:
    """what: "cert-manager", "Namespace llm". why: a sentence. command: that removes it all the same, or ""."""

    what: str
    why: str
    command: str = ""


@dataclass(frozen=True)
class Removal:
    plan: Plan
    stays: Sequence[Stay]
    keep_crds: bool = False
    keep_operators: bool = False
    home: str = HOME
