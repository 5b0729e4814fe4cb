"""A typical cluster as data: the same objects make the facts of offline tests and fill a real API server.

from tests.kubernetes.clusters import typical
typical.openshift_4_20().facts()                            # offline, in no time
with live(typical.openshift_4_20()) as cluster:             # live: clusters/living.py
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maas.cluster.facts.model import Facts, Log
from maas.cluster.kinds import ALL, CONFIG_MAP, CSV, EVENT, SECRET, SERVED_ONLY, Kind
from maas.cluster.objects import Object, label, name, namespace, text
from maas.readiness.catalogue import Asked, Phase
from tests.kubernetes import offline
from tests.kubernetes.clusters.making import made
from tests.kubernetes.definitions import of_components
from tests.kubernetes.definitions import stored as stored_definition

GROUPS: Mapping[str, tuple[str, ...]] = {  # API groups, by the folder of ../shared/crds that has their CRDs
    "gateway-api": ("gateway.networking.k8s.io",),
    "cert-manager": ("cert-manager.io",),
    "istio": ("networking.istio.io", "extensions.istio.io", "security.istio.io"),
    "sail-operator": ("sailoperator.io",),
    "maistra-ossm2": ("maistra.io",),
    "kuadrant-operator": ("kuadrant.io",),
    "authorino": ("authorino.kuadrant.io",),
    "authorino-operator": ("operator.authorino.kuadrant.io",),
    "limitador-operator": ("limitador.kuadrant.io",),
    "kserve": ("serving.kserve.io",),
    "knative-operator": ("operator.knative.dev",),
    "opendatahub-2.35": ("datasciencecluster.opendatahub.io", "dscinitialization.opendatahub.io"),
    "opendatahub-3.5": ("datasciencecluster.opendatahub.io", "dscinitialization.opendatahub.io"),
    "nvidia-gpu-operator": ("nvidia.com",),
    "nfd-openshift": ("nfd.openshift.io",),
    "olm": ("operators.coreos.com",),
    "openshift-api": ("config.openshift.io", "operator.openshift.io", "route.openshift.io"),
}
BY_GROUP_AND_KIND = {(kind.group, kind.name): kind for kind in ALL}


@dataclass(frozen=True)
class Scenario:
    """
    version: what /version says. components: keys of GROUPS, whose CRDs are there.
    annotations: of the CRDs of an API group. asked: what its tests want of it.
    """

    name: str
    version: str
    asked: Asked
    components: tuple[str, ...]
    objects: tuple[Object, ...]
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    logs: tuple[Log, ...] = ()
    probes: Mapping[str, Any] = field(default_factory=dict)

    def facts(self, now: float = offline.NOW) -> Facts:
        """As they are read of such a cluster: without what no check asks for."""
        read = [object for object in (*self.objects, *self._definitions()) if _is_read(object)]
        served = [kind for kind in (*ALL, *SERVED_ONLY) if kind.group in self._groups()]
        probes = {**WORKING_PROBES, **self.probes}
        return offline.facts(*read, serves=served, version=self.version, logs=self.logs, probes=probes, now=now)

    def after(self) -> "Scenario":
        """Asked about an installation that is there."""
        return replace(self, asked=replace(self.asked, phase=Phase.after))

    def changed(self, change: Callable[[Sequence[Object]], Sequence[Object]], **fields: Any) -> "Scenario":
        """With a fault planted, for example: clusters/faults.py has such changes."""
        return replace(self, objects=tuple(change(self.objects)), **fields)

    def definitions(self) -> list[dict[str, Any]]:
        """The CRDs, whole, for a real API server. Skips the test where their schemas are missing."""
        crds = of_components(*self.components)
        return [
            *(stored_definition(crd, self.annotations.get(crd.group)) for crd in crds),
            *(bare_definition(kind) for kind in _WITHOUT_SCHEMA if kind.group in self._groups()),
        ]

    def _groups(self) -> set[str]:
        return {group for component in self.components for group in GROUPS[component]}

    def _definitions(self) -> list[Object]:
        """Their metadata is all that is read."""
        return [
            made(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                kind.key,
                annotations=self.annotations.get(kind.group),
            )
            for kind in (*ALL, *SERVED_ONLY)
            if kind.group in self._groups()
        ]


WORKING_PROBES: Mapping[str, Any] = {
    "access": [{"verb": "*", "group": "*", "resource": "*", "subresource": "", "namespace": "", "allowed": True}],
    "tools": {
        "kubectl": {"path": "/usr/bin/kubectl", "version": "v1.34.1"},
        "oc": {"path": "/usr/bin/oc", "version": "4.20.0"},
        "helm": {"path": "/usr/bin/helm", "version": "v3.19.0"},
    },
}
_WITHOUT_SCHEMA = tuple(kind for kind in ALL if kind.key == "proxies.config.openshift.io")


def bare_definition(kind: Kind) -> dict[str, Any]:
    """A CRD that takes anything: of a kind whose schema nobody has."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"kind": kind.name, "plural": kind.plural, "singular": kind.name.lower(), "listKind": f"{kind.name}List"}
    versions = [
        {
            "name": version,
            "served": True,
            "storage": version == kind.versions[0],
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }
        for version in kind.versions
    ]
    established = [{"type": type, "status": "True", "reason": "x"} for type in ("NamesAccepted", "Established")]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.key, "uid": f"bare-{kind.key}", "generation": 1},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": versions,
            "conversion": {"strategy": "None"},
        },
        "status": {"acceptedNames": names, "storedVersions": [kind.versions[0]], "conditions": established},
    }


def _is_read(object: Object) -> bool:
    """What the selectors of cluster/kinds.py choose."""
    group, _, _ = str(object["apiVersion"]).rpartition("/")
    match BY_GROUP_AND_KIND.get((group, str(object["kind"]))):
        case None:
            return False
        case kind if kind is EVENT:
            return text(object, "type") != "Normal"
        case kind if kind is SECRET:
            return bool(label(object, SECRET.labels))
        case kind if kind is CSV:
            return not label(object, "olm.copiedFrom")
        case kind if kind is CONFIG_MAP:
            return f"metadata.name={name(object)}" == CONFIG_MAP.fields
        case _:
            return True


def key(object: Object) -> tuple[str, str, str]:
    return str(object["kind"]), namespace(object), name(object)
