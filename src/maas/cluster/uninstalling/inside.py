"""What a namespace may hold, and what of it is somebody's: a namespace that holds such a thing is not deleted.

Looked at are the kinds that people and charts put into namespaces. What Kubernetes, OpenShift, OLM and the components
put into each by themselves is nobody's; anything that is not known to be is somebody's.
"""

from collections.abc import Iterable, Sequence

from maas.cluster import kinds
from maas.cluster.kinds import Kind
from maas.cluster.objects import annotation, label
from maas.cluster.uninstalling.model import Found, Ours

_APPS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
CONTENTS: tuple[Kind, ...] = (
    kinds.POD,
    kinds.SERVICE,
    Kind("Secret", "secrets"),
    Kind("ConfigMap", "configmaps"),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("ServiceAccount", "serviceaccounts"),
    *(Kind(name, f"{name.lower()}s", "apps") for name in _APPS),
    Kind("Job", "jobs", "batch"),
    Kind("CronJob", "cronjobs", "batch"),
    kinds.NETWORK_POLICY,
    kinds.QUOTA,
    kinds.GATEWAY,
    kinds.HTTP_ROUTE,
    kinds.AUTH_POLICY,
    kinds.RATE_LIMIT_POLICY,
    kinds.TOKEN_RATE_LIMIT_POLICY,
    kinds.CERTIFICATE,
    kinds.ISSUER,
    kinds.INFERENCE_SERVICE,
    kinds.LLM_INFERENCE_SERVICE,
    kinds.ROUTE,
    kinds.SUBSCRIPTION,
    kinds.CSV,
)
_CONFIG_MAPS = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert"})
_ACCOUNTS = frozenset({"default", "builder", "deployer", "pipeline"})
# What operators leave where they ran: accounts and settings hold nothing that anybody would miss.
_OF_OPERATORS = frozenset({"ServiceAccount", "ConfigMap"})
_SECRETS = frozenset({"istio-ca-secret", "cert-manager-webhook-ca", "kserve-webhook-server-cert"})


def strangers(inside: Sequence[Found], ours: Ours, gone: Iterable[str], *, of_component: bool) -> list[Found]:
    """What is somebody else's. gone: uids of what goes before. of_component: the namespace is no home of models."""
    going, releases = set(gone), {(each.namespace, each.name) for each in ours.releases}
    return [
        each
        for each in inside
        if not (
            each.is_owned
            or each.is_made
            or each.is_marked
            or each.uid in going
            or each.release in releases
            or (of_component and label(each.object, "app.kubernetes.io/instance") == "cert-manager")
            or _is_furniture(each)
            or (of_component and each.kind.name in _OF_OPERATORS)
        )
    ]


def _is_furniture(found: Found) -> bool:
    match found.kind.name:
        case "ConfigMap":
            return found.name in _CONFIG_MAPS
        case "ServiceAccount":
            return found.name in _ACCOUNTS
        case "ClusterServiceVersion":
            return bool(label(found.object, "olm.copiedFrom"))
        case "Secret":
            return _is_a_derived_secret(found)
        case "InstallPlan":
            return True
    return False


def _is_a_derived_secret(found: Found) -> bool:
    """Of a service account, of a certificate, or Helm's record."""
    if annotation(found.object, "kubernetes.io/service-account.name") or label(found.object, "owner") == "helm":
        return True
    return bool(annotation(found.object, "cert-manager.io/certificate-name")) or found.name in _SECRETS
