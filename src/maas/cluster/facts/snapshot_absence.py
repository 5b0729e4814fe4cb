"""What a snapshot says of the kinds that it holds nothing of: absent, empty or not exported."""

from collections.abc import Mapping

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.facts.snapshot_gathering import Gathering, not_exported
from maas.cluster.kinds import ALL, CRD, NAMESPACE, ROUTE, Kind

_EXTENSIONS_OF_OURS = frozenset({"gateway.networking.k8s.io"})  # in Kubernetes' own domain, and yet CRDs
_AGGREGATED = frozenset({"route.openshift.io"})  # served by OpenShift's own server: no CRD stands for it
_OPENSHIFT = "config.openshift.io"

Apis = Mapping[str, frozenset[str]] | Unread


def is_extension(kind: Kind) -> bool:
    """Whether a CRD stands for it."""
    own = "." not in kind.group or (kind.group.endswith(".k8s.io") and kind.group not in _EXTENSIONS_OF_OURS)
    return not own and kind.group not in _AGGREGATED


def apis(gathering: Gathering) -> Apis:
    """From the CRDs, if all of them were exported: then what is not among them is not served."""
    if not _has_all_crds(gathering):
        return Unread(
            Cause.not_exported,
            "the snapshot does not say which APIs are served; `kubectl get crd -o yaml > crds.yaml` adds it",
        )
    served = {version: set(plurals) for version, plurals in gathering.apis.items()}
    openshift = any(version.startswith(f"{_OPENSHIFT}/") for version in served)
    for kind in ALL:
        if not is_extension(kind) and (kind is not ROUTE or openshift):
            served.setdefault(f"{kind.group}/{kind.versions[0]}".lstrip("/"), set()).add(kind.plural)
    return {version: frozenset(plurals) for version, plurals in served.items()}


def _has_all_crds(gathering: Gathering) -> bool:
    """A list of some CRDs is betrayed by objects whose CRD is not on it."""
    crds = {name for _, name in gathering.found.get(CRD.key, {})}
    if not crds or not _is_complete(CRD, gathering):
        return False
    return all(kind.key in crds for kind in ALL if is_extension(kind) and gathering.found.get(kind.key))


def unread(kind: Kind, apis: Apis, gathering: Gathering) -> Unread | None:
    """Why nobody knows whether there are any; None where there are none."""
    if _is_complete(kind, gathering):
        return None
    if not isinstance(apis, Unread) and not _serves(apis, kind):
        return None
    if kind.key in gathering.cut:
        return Unread(Cause.not_exported, _cut(kind, gathering))
    namespaces = sorted(gathering.in_namespaces.get(kind.key, ()))
    if not namespaces:
        return not_exported(kind)
    return Unread(
        Cause.not_exported, f"the snapshot holds {kind.plural} of {_some(namespaces)} only, and there are none"
    )


def _serves(apis: Mapping[str, frozenset[str]], kind: Kind) -> bool:
    return any(kind.plural in plurals and _group(version) == kind.group for version, plurals in apis.items())


def _group(version: str) -> str:
    return version.rpartition("/")[0]


def partial(gathering: Gathering) -> dict[str, str]:
    """By Kind.key, what is known of one part only: what is not among it may exist all the same."""
    return {kind.key: why for kind in ALL if gathering.found.get(kind.key) and (why := _part(kind, gathering))}


def _part(kind: Kind, gathering: Gathering) -> str:
    """ "" for all of it."""
    if _is_complete(kind, gathering):
        return ""
    if kind.key in gathering.cut:
        return _cut(kind, gathering)
    namespaces = sorted(gathering.in_namespaces.get(kind.key, ()))
    if namespaces:
        return f"the snapshot holds {kind.plural} of {_some(namespaces)} only"
    return f"the snapshot holds single {kind.plural}, no list of all"


def _cut(kind: Kind, gathering: Gathering) -> str:
    return f"{gathering.cut[kind.key]} could not be read to its end: there may be further {kind.plural}"


def _is_complete(kind: Kind, gathering: Gathering) -> bool:
    if kind.key in gathering.listed:
        return True
    if kind.key in gathering.cut:
        return False
    if kind.key in gathering.in_folders:
        return True
    if NAMESPACE.key not in gathering.listed or kind.key not in gathering.in_namespaces:
        return False
    return {name for _, name in gathering.found.get(NAMESPACE.key, {})} <= gathering.in_namespaces[kind.key]


def _some(namespaces: list[str]) -> str:
    shown = ", ".join(namespaces[:3]) + (f" and {len(namespaces) - 3} more" if len(namespaces) > 3 else "")
    return f"the namespace{'s' if len(namespaces) > 1 else ''} {shown}"
