"""Looking for what is ours, by its marks: lists of metadata of the kinds that an installation writes."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from maas.cluster import kinds
from maas.cluster.api import Api, path_of
from maas.cluster.facts.discovery import Discovered, discover
from maas.cluster.failures import Denied, Missing
from maas.cluster.helm import Helm, Release
from maas.cluster.kinds import CRD, CSV, NAMESPACE, SUBSCRIPTION, Kind
from maas.cluster.objects import annotation, items, label, text
from maas.cluster.uninstalling import parts
from maas.cluster.uninstalling.inside import CONTENTS
from maas.cluster.uninstalling.model import REMOVE, Found, Operator, Ours
from maas.cluster.wanted import MANAGED_BY

_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_OURS, _REMOVE = f"{MANAGED_BY}=maas", f"{REMOVE}=true"
_VAP_BINDING = Kind(
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    "admissionregistration.k8s.io",
    namespaced=False,
)
_CERTIFICATE = "cert-manager.io/certificate-name"
SECRET = Kind("Secret", "secrets")
ISTIO_ROOT = Kind("ConfigMap", "configmaps", labels="istio.io/config=true")
_NEVER = frozenset({"nodes", "events", "persistentvolumes", "csidrivers", "csistoragecapacities"})  # never written


def written() -> list[Kind]:
    """The kinds that an installation may write, each once, without the choices that checks make."""
    every = (*kinds.ALL, *kinds.OURS, *kinds.SERVED_ONLY, _VAP_BINDING)
    plain = [replace(kind, labels="", fields="", selection="") for kind in every if kind.plural not in _NEVER]
    return list({(kind.group, kind.plural): kind for kind in plain}.values())


async def find(api: Api, helm: Helm) -> Ours:
    """Raises MaasError: what may not be looked for may not be removed either."""
    return await _Finding(api, await discover(api)).ours(await helm.releases())


@dataclass(frozen=True)
class _Finding:
    api: Api
    served: Discovered

    async def ours(self, releases: Sequence[Release]) -> Ours:
        mine = [each for each in releases if each.ours]
        made, every_crd, every_namespace, subscriptions = await asyncio.gather(
            self._all(written(), _OURS),
            self.listed(CRD),
            self.listed(NAMESPACE),
            self.listed(SUBSCRIPTION, _OURS, whole=True),
        )
        operators = list(await asyncio.gather(*map(self._operator, subscriptions)))
        definitions = [each for each in every_crd if _is_brought(each, mine, operators)]
        keys = part_keys(mine, operators, made)
        customs, denied = await self._customs(every_crd, keys)
        left = await self._left(every_namespace, operators, keys)
        secrets = await self._secrets(customs, mine)
        objects = [each for each in made if each.is_made and label(each.object, "owner") != "helm"]
        ours = [each.name for each in objects if each.kind.key == NAMESPACE.key]
        generated = [each.name for each in left if each.kind.key == NAMESPACE.key]
        inside = dict(await asyncio.gather(*(self._inside(each) for each in (*ours, *generated))))
        known = {each.uid for each in objects}
        adopted = [
            each
            for each in (*every_namespace, *every_crd, *customs)
            if each.has_our_fields and each.uid not in known and not each.is_owned and not each.is_made
        ]
        brought = [each for each in definitions if each.uid not in known]
        return Ours(objects, adopted, mine, operators, brought, customs, left, secrets, inside, denied)

    async def listed(self, kind: Kind, labels: str = "", in_namespace: str = "", *, whole: bool = False) -> list[Found]:
        """None of a kind that is not served."""
        version = self.served.version(kind)
        if version is None:
            return []
        asked = {key: value for key, value in {"labelSelector": labels}.items() if value}
        path = path_of(kind, version, in_namespace) + (f"?{urlencode(asked)}" if asked else "")
        try:
            answer = await self.api.get(path, accept="application/json" if whole else _METADATA)
        except Missing:
            return []
        plain = replace(kind, versions=(version,), labels="", fields="", selection="")
        return [Found(plain, each) for each in items(answer, "items")]

    async def _all(self, wanted: Iterable[Kind], labels: str) -> list[Found]:
        return [
            each for found in await asyncio.gather(*(self.listed(kind, labels) for kind in wanted)) for each in found
        ]

    async def _operator(self, subscription: Found) -> Operator:
        object, package = subscription.object, text(subscription.object, "spec", "name")
        csv = text(object, "status", "installedCSV") or text(object, "status", "currentCSV")
        here = await self.listed(CSV, "", subscription.namespace) if csv else []
        return Operator(subscription, package, next((each for each in here if each.name == csv), None))

    async def _customs(self, definitions: Sequence[Found], keys: frozenset[str]) -> tuple[list[Found], dict[str, str]]:
        """Of every kind of the components that are ours to remove, all objects; which kinds were denied, and why."""
        wanted = [_kind(each) for each in definitions if parts.of_group(_group(each), keys)]
        served = [kind for kind in wanted if self.served.version(kind)]
        lists = await asyncio.gather(*(self._or_denied(kind) for kind in served))
        denied = {kind.key: str(found) for kind, found in zip(served, lists, strict=True) if isinstance(found, Denied)}
        return [each for found in lists if not isinstance(found, Denied) for each in found], denied

    async def _or_denied(self, kind: Kind) -> "list[Found] | Denied":
        try:
            return await self.listed(kind)
        except Denied as denied:
            return denied

    async def _left(
        self, namespaces: Sequence[Found], operators: Sequence[Operator], keys: frozenset[str]
    ) -> list[Found]:
        """What stays behind when those go that made it; and what was marked by an earlier run."""
        roots = await self.listed(ISTIO_ROOT, ISTIO_ROOT.labels) if "istio" in keys else []
        marked = await self._all((CSV, kinds.GATEWAY_CLASS, Kind("ConfigMap", "configmaps"), SECRET), _REMOVE)
        classes = await self.listed(kinds.GATEWAY_CLASS) if "istio" in keys else []
        by_istiod = [each for each in classes if parts.is_by_component(each)]
        found = (*roots, *marked, *by_istiod, *(each for each in namespaces if _is_left(each, operators)))
        return list({each.uid: each for each in found}.values())

    async def _secrets(self, customs: Sequence[Found], releases: Sequence[Release]) -> Sequence[tuple[Found, Found]]:
        """Certificates of ours and of our charts, each with the Secret that cert-manager leaves behind when it goes."""
        charts = {(each.namespace, each.name) for each in releases}
        certificates = {
            (each.namespace, each.name): each
            for each in customs
            if each.kind.key == kinds.CERTIFICATE.key and (each.is_made or each.release in charts)
        }
        places = sorted({where for where, _ in certificates})
        lists = await asyncio.gather(*(self.listed(SECRET, "", where) for where in places))
        return [
            (certificates[key], secret)
            for found in lists
            for secret in found
            if (key := (secret.namespace, annotation(secret.object, _CERTIFICATE))) in certificates
        ]

    async def _inside(self, named: str) -> tuple[str, list[Found]]:
        wanted = [kind for kind in CONTENTS if self.served.version(kind)]
        lists = await asyncio.gather(*(self.listed(kind, "", named) for kind in wanted))
        return named, [each for found in lists for each in found]


def part_keys(releases: Sequence[Release], operators: Sequence[Operator], made: Sequence[Found]) -> frozenset[str]:
    """The components of which we installed anything."""
    found = {parts.of_release(each.name) for each in releases}
    found |= {parts.of_package(each.package) for each in operators}
    found |= {parts.of_group(_group(each), parts.BY_KEY) for each in made if each.kind.key == CRD.key}
    return frozenset(key for key in found if key)


def _is_brought(crd: Found, releases: Sequence[Release], operators: Sequence[Operator]) -> bool:
    """By a release or an operator of ours, whose marks it bears; or it was marked by an earlier run."""
    if crd.is_marked or crd.is_made or crd.release in {(each.namespace, each.name) for each in releases}:
        return True
    if _is_apart(crd, releases):
        return True
    return any(each.has_marked(crd) and crd.created >= each.subscription.created for each in operators)


def _is_apart(crd: Found, releases: Sequence[Release]) -> bool:
    """Of a chart's folder crds/, which Helm installs, and puts no mark on."""
    if any(crd.release) or not crd.is_by("helm"):
        return False
    key = parts.of_group(_group(crd), parts.BY_KEY)
    mine = [each for each in releases if parts.of_release(each.name) == key]
    return any(each.revision > 1 or crd.created >= each.created for each in mine)


def _is_left(namespace: Found, operators: Sequence[Operator]) -> bool:
    """A namespace that an operator of ours has made for what it runs, or that an earlier run has marked."""
    return namespace.is_marked or any(
        parts.is_its_namespace(each.package, namespace) and namespace.created >= each.subscription.created
        for each in operators
    )


def _group(crd: Found) -> str:
    return crd.name.partition(".")[2]


def _kind(crd: Found) -> Kind:
    """Of the objects that it defines; their name and scope are in its spec, which is not read: the plural will do."""
    plural, _, group = crd.name.partition(".")
    known = next((each for each in (*kinds.ALL, *kinds.SERVED_ONLY, *kinds.OURS) if each.key == crd.name), None)
    return known or Kind(plural, plural, group, ())
