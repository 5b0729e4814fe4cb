"""Which operator is taken from which channel of which catalog, for OLM to install.

Once a Subscription is there, it stays as it is: what catalogs offer meanwhile is no reason to write. Before, the
catalogs decide, as read from their PackageManifests: the default channel where its newest version will do, else the
best that does. Where no catalog could be asked (a rendering without a cluster), the usual channel is taken. Within a
channel, OLM updates; `maas upgrade` asks the catalogs again, and moves what is ours to a channel with newer versions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from maas.cluster.components import olm
from maas.cluster.components.olm import RHOAI, Package
from maas.cluster.components.pins import Pin, operators, pins
from maas.cluster.components.versions import Version, at_least, kubernetes, version
from maas.cluster.facts.model import Facts, Unread
from maas.cluster.facts.packages import MARKETPLACE, PROBE, example
from maas.cluster.kinds import CSV, OPERATOR_GROUP, SUBSCRIPTION
from maas.cluster.objects import Object, at, every, items, label, mapping, name, text
from maas.cluster.wanted import MANAGED_BY, Mesh, Offer, Serving

_NO_PIN = Pin("", "")


def pin_of(package: Package) -> Pin:
    """One that holds nothing back, where there is none."""
    return pins().get(operators()[package.name].component, _NO_PIN) if package.name in operators() else _NO_PIN


def packages(mesh: Mesh, serving: Serving) -> tuple[Package, ...]:
    """All that may be installed on such a cluster, whether it is there or not."""
    found = [olm.CERT_MANAGER, olm.RHCL, olm.NFD, olm.GPU]
    found += [olm.SERVICE_MESH_3] if mesh is Mesh.service_mesh else []
    found += [olm.RHOAI] if serving in (Serving.rhoai, Serving.rhoai_2) else []
    found += [olm.SERVERLESS] if serving is Serving.rhoai_2 else []
    return tuple(found)


def usual(mesh: Mesh, serving: Serving) -> dict[str, Offer]:
    return {each.name: _usual(each, serving) for each in packages(mesh, serving)}


def _usual(package: Package, serving: Serving) -> Offer:
    found = operators()[package.name]
    older = found.channel_of_2 if serving is Serving.rhoai_2 else ""
    return Offer(older or found.channel, package.catalog)


def of(facts: Facts, mesh: Mesh, serving: Serving, *, upgrade: bool = False) -> dict[str, Offer]:
    """Raises NotRead where nobody knows what OLM was asked for already."""
    wants = Wants(kubernetes(facts), 2 if serving is Serving.rhoai_2 else 3)
    found = {each: _of(facts, each, serving, wants) for each in packages(mesh, serving)}
    if upgrade:
        found = {each: _moved(facts, each, wants, offer) for each, offer in found.items()}
    return {each.name: offer for each, offer in found.items()}


def _of(facts: Facts, package: Package, serving: Serving, wants: "Wants") -> Offer:
    beside = every(facts.all(SUBSCRIPTION), package.namespace)
    asked = next((each for each in beside if olm.subscribed(each) == package.name), None)
    groups = sorted(name(each) for each in every(facts.all(OPERATOR_GROUP), package.namespace))
    if asked is not None:
        offer = replace(_asked(asked), example=_example(facts, package, asked))
    else:
        manual = any(text(each, "spec", "installPlanApproval") == "Manual" for each in beside)
        offer = _new(facts, package, serving, wants)
        offer = replace(offer, manual=offer.manual or manual)
    return replace(offer, group=next(iter(groups), ""))


def _new(facts: Facts, package: Package, serving: Serving, wants: "Wants") -> Offer:
    if found := chosen(package, manifests(facts, package), wants):
        return found
    return replace(_usual(package, serving), refused=refusal(facts, package, wants))


def _moved(facts: Facts, package: Package, wants: "Wants", asked: Offer) -> Offer:
    """To the channel of a newer version, where there is one."""
    found = chosen(package, manifests(facts, package), wants)
    if found is None or found.channel == asked.channel or found.manual:
        return asked
    newer, now = (version(each.csv.partition(".")[2]) for each in (found, asked))
    if newer is None or now is None or newer <= now:
        return asked
    return replace(found, starting=asked.starting, manual=asked.manual, group=asked.group)


def _asked(subscription: Object) -> Offer:
    spec = mapping(subscription, "spec")
    return Offer(
        text(spec, "channel"),
        text(spec, "source"),
        text(spec, "sourceNamespace") or MARKETPLACE,
        text(subscription, "status", "installedCSV") or text(spec, "startingCSV"),
        text(spec, "startingCSV"),
        text(spec, "installPlanApproval") == "Manual",
    )


def _example(facts: Facts, package: Package, subscription: Object) -> Mapping[str, Any]:
    """Of what is installed: so what is wanted stays the same until the operator is another."""
    installed = text(subscription, "status", "installedCSV")
    beside = (each for each in every(facts.all(CSV), package.namespace) if name(each) == installed)
    return example(package.name, mapping(next(beside, {}), "metadata", "annotations"))


def manifests(facts: Facts, package: Package) -> list[Object]:
    """What the catalogs were found to offer of it, in the shape of facts/packages.py."""
    found = facts.probes.get(PROBE)
    return [] if isinstance(found, Unread) else items(found, package.name)


@dataclass(frozen=True)
class Wants:
    """kubernetes: of the cluster. openshift_ai: the major version that it carries."""

    kubernetes: Version | None
    openshift_ai: int = 3


@dataclass(frozen=True)
class Channel:
    """Of one catalog. head: the newest version."""

    manifest: Object
    channel: Object
    head: Version

    @property
    def name(self) -> str:
        return text(self.channel, "name")

    @property
    def is_default(self) -> bool:
        return self.name == text(self.manifest, "default")

    @property
    def rank(self) -> tuple[Any, ...]:
        """Default first, then what is called stable and is not deprecated, then the newest, then the shortest name."""
        stable = self.name.startswith(("stable", "v"))
        return (self.is_default, not text(self.channel, "deprecated"), stable, self.head, -len(self.name), self.name)


def chosen(package: Package, manifests: list[Object], wants: Wants) -> Offer | None:
    """None where no version that is offered will do."""
    ordered = sorted(manifests, key=lambda each: (text(each, "catalog") != package.catalog, text(each, "catalog")))
    channels = [each for manifest in ordered for each in _channels(manifest)]
    for manifest in ordered:
        mine = sorted((each for each in channels if each.manifest is manifest), key=lambda c: c.rank, reverse=True)
        if (found := _newest(package, mine, wants)) or (found := _older(package, mine, wants)):
            return found
    return None


def _channels(manifest: Object) -> Iterator[Channel]:
    for each in items(manifest, "channels"):
        if text(each, "name") and (head := version(text(each, "version"))):
            yield Channel(manifest, each, head)


def _newest(package: Package, channels: list[Channel], wants: Wants) -> Offer | None:
    found = next((each for each in channels if _fits(package, each.head, wants) and _carried(each, wants)), None)
    return _offer(found, text(found.channel, "csv")) if found else None


def _older(package: Package, channels: list[Channel], wants: Wants) -> Offer | None:
    """An older version by name: people approve updates from there on, or OLM would go straight to the newest."""
    entries = (
        (number, each, text(entry, "name"))
        for each in channels
        for entry in items(each.channel, "entries")
        if (number := version(text(entry, "version"))) and _fits(package, number, wants)
    )
    best = max(entries, key=lambda entry: (entry[0], entry[1].rank), default=None)
    return replace(_offer(best[1], best[2]), manual=True) if best and best[2] else None


def _offer(channel: Channel, csv: str) -> Offer:
    manifest = channel.manifest
    return Offer(
        channel.name,
        text(manifest, "catalog"),
        text(manifest, "namespace") or MARKETPLACE,
        csv,
        csv,
        example=mapping(channel.channel, "example"),
    )


def _fits(package: Package, found: Version, wants: Wants) -> bool:
    pin = pin_of(package)
    if package is RHOAI and found[0] != wants.openshift_ai:
        return False
    return not pin.is_old(found) and not pin.why_bad(found)


def _carried(channel: Channel, wants: Wants) -> bool:
    least = version(text(channel.channel, "kubernetes"))
    return least is None or wants.kubernetes is None or at_least(wants.kubernetes[:2], least[:2])


def was_asked_for(facts: Facts, package: Package) -> bool:
    """Whether the catalogs were asked for it, and answered."""
    found = facts.probes.get(PROBE)
    return not isinstance(found, Unread) and isinstance(at(found, package.name), list)


def is_newest(facts: Facts, package: Package, offer: Offer) -> bool:
    """Of its channel; not where an older one has to be named."""
    heads = [each for manifest in manifests(facts, package) for each in items(manifest, "channels")]
    return any((text(each, "name"), text(each, "csv")) == (offer.channel, offer.csv) for each in heads)


def refusal(facts: Facts, package: Package, wants: Wants) -> str:
    """Why nothing of what catalogs offer will do: "" where something does, or where they were not asked."""
    found = manifests(facts, package)
    if not was_asked_for(facts, package) or chosen(package, found, wants):
        return ""
    if not found:
        return f"no catalog has the package {package.name}"
    channels = [each for manifest in found for each in _channels(manifest)]
    told = [f"{each.name} has {text(each.channel, 'version')}{_why_not(package, each, wants)}" for each in channels]
    return f"no channel of {package.name} will do: {'; '.join(told[:_TOLD]) or 'it has none'}"


_TOLD = 5


def _why_not(package: Package, channel: Channel, wants: Wants) -> str:
    pin = pin_of(package)
    if why := pin.why_bad(channel.head):
        return f" ({why})"
    if pin.is_old(channel.head):
        return f" ({pin.floor} is the oldest that is worked with)"
    if package is RHOAI and channel.head[0] != wants.openshift_ai:
        return f" (this OpenShift carries {wants.openshift_ai}.x)"
    return f" (for Kubernetes {text(channel.channel, 'kubernetes')} or newer)"


def lacking(facts: Facts, mesh: Mesh, serving: Serving, theirs: frozenset[str]) -> list[str]:
    """Packages that nobody has subscribed to yet, and that nothing else replaces. Raises NotRead."""
    asked = {olm.subscribed(each) for each in facts.all(SUBSCRIPTION)}
    return [each.name for each in packages(mesh, serving) if each.name not in asked and _STEPS[each.name] not in theirs]


def subscribed_by_us(facts: Facts, mesh: Mesh, serving: Serving) -> list[str]:
    """Raises NotRead."""
    ours = {olm.subscribed(each) for each in facts.all(SUBSCRIPTION) if label(each, MANAGED_BY) == "maas"}
    return [each.name for each in packages(mesh, serving) if each.name in ours]


_STEPS = {
    olm.CERT_MANAGER.name: "cert-manager",
    olm.SERVICE_MESH_3.name: "service-mesh",
    olm.RHCL.name: "kuadrant-operator",
    olm.RHOAI.name: "rhoai-operator",
    olm.SERVERLESS.name: "serverless",
    olm.NFD.name: "nfd-operator",
    olm.GPU.name: "gpu-operator",
}
