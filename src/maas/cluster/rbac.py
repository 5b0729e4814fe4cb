"""The role of whoever installs: what access.py lists for installing, with what reading and uninstalling take besides.

Installing on Kubernetes means giving operators their rights, which takes `escalate` and `bind`: whoever has this role
can give himself any other. It is less than cluster-admin in what happens by mistake, not in what an attacker can do
with it; `escalates` says so of a target. On OpenShift, OLM gives the operators theirs, and the role does not escalate.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from maas.cluster import kinds
from maas.cluster.access import HELM, REMOVING, RULES, Rule
from maas.cluster.kinds import Kind

NAME = "maas-installer"  # of the role, its binding, the service account, and that one's namespace
_RBAC = "rbac.authorization.k8s.io"
_READ = ("get", "list")
_READING = "facts for checks and plans; what is waited for; what a namespace holds before it is deleted"
_ONLY_OPENSHIFT = ("openshift.io", "coreos.com", "opendatahub.io", "knative.dev", "maistra.io", "sailoperator.io")
# What is looked at in namespaces that are about to go, and is in no list of kinds.
_INSIDE: Mapping[str, tuple[str, ...]] = {
    "": ("configmaps", "secrets", "persistentvolumeclaims", "serviceaccounts"),
    "apps": ("statefulsets", "replicasets"),
    "batch": ("jobs", "cronjobs"),
    "admissionregistration.k8s.io": ("mutatingwebhookconfigurations", "validatingadmissionpolicybindings"),
}
# Of what charts bring, also the kinds that nothing else reads: before a CRD goes, it is looked at who uses it.
_BROUGHT = (
    *("acme.cert-manager.io", "cert-manager.io", "gateway.networking.k8s.io", "serving.kserve.io"),
    *("extensions.istio.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io"),
    *("kuadrant.io", "devportal.kuadrant.io", "extensions.kuadrant.io", "limitador.kuadrant.io"),
    *("authorino.kuadrant.io", "operator.authorino.kuadrant.io", "nvidia.com", "resource.nvidia.com"),
    "nfd.k8s-sigs.io",
)
# Likewise what operators from OperatorHub bring.
_BY_OLM = (
    *("components.platform", "services.platform", "infrastructure", "features", "dashboard", "modelregistry"),
    *("datasciencecluster", "dscinitialization"),
)
_WATCHED = (
    Rule("", ("pods/log",), ("get",), "the last lines of what does not start"),
    Rule("batch", ("jobs",), ("watch",), "Helm waits for the hooks of charts", only="kubernetes"),
    Rule("", ("pods/proxy", "services/proxy"), ("get",), "usage and counters, asked of models and Limitador"),
)
_CATALOGS = Rule(
    "packages.operators.coreos.com", ("packagemanifests",), _READ, "which channels there are", only="openshift"
)


def rules(target: str) -> tuple[Rule, ...]:
    """target: "openshift" or "kubernetes"."""
    every = (*_reading(), *_looked_at_by_helm(), *_brought(), *_WATCHED, _CATALOGS, *RULES, *REMOVING)
    return tuple(rule for rule in every if rule.only in ("", target))


def escalates(target: str) -> bool:
    """Whether whoever has the role can give himself any right."""
    return any("escalate" in rule.verbs for rule in rules(target))


def objects(target: str) -> list[dict[str, Any]]:
    """A namespace with a service account, the role, and the binding of the two; to be applied by an administrator."""
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": NAME}
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": NAME}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAME}},
        cluster_role(target),
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": reference,
            "subjects": [account],
        },
    ]


def cluster_role(target: str) -> dict[str, Any]:
    """One rule for all resources of a group that are given the same verbs; in the same order every time."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for rule in rules(target):
        for resource in rule.resources:
            verbs.setdefault((rule.group, resource), set()).update(rule.verbs)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), found in sorted(verbs.items()):
        alike.setdefault((group, tuple(sorted(found))), []).append(resource)
    granted = [
        {"apiGroups": [group], "resources": resources, "verbs": list(allowed)}
        for (group, allowed), resources in alike.items()
    ]
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NAME},
        "rules": granted,
    }


def _reading() -> Iterator[Rule]:
    """One rule for each group."""
    for group, resources in sorted(_by_group().items()):
        only = "openshift" if any(group.endswith(each) for each in _ONLY_OPENSHIFT) and group not in _BOTH else ""
        yield Rule(group, tuple(sorted(resources)), _READ, _READING, only=only)


def _looked_at_by_helm() -> Iterator[Rule]:
    """It gets each object before it writes it, also of kinds that nobody else reads."""
    for rule in RULES:
        if set(rule.verbs) >= set(HELM):
            yield Rule(rule.group, rule.resources, ("get",), "Helm looks before it writes", rule.namespaced, rule.only)


def _brought() -> Iterator[Rule]:
    yield from (Rule(group, ("*",), _READ, _READING) for group in _BROUGHT)
    yield from (Rule(f"{group}.opendatahub.io", ("*",), _READ, _READING, only="openshift") for group in _BY_OLM)
    yield from (
        Rule(group, ("*",), _READ, _READING, only="openshift") for group in ("sailoperator.io", "nfd.openshift.io")
    )


_BOTH = ("monitoring.coreos.com",)


def _by_group() -> Mapping[str, set[str]]:
    found = {group: set(resources) for group, resources in _INSIDE.items()}
    for kind in _kinds():
        found.setdefault(kind.group, set()).add(kind.plural)
    return found


def _kinds() -> Iterable[Kind]:
    return (*kinds.ALL, *kinds.OURS, *kinds.SERVED_ONLY)
