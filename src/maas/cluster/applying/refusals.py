"""Why a server does not take an object: admission, quota, rights, fields that others hold or that cannot change."""

import re

from maas.cluster.applying import absent_kinds
from maas.cluster.applying.explained import NOTHING, Explained, Sign, first, within
from maas.cluster.failures import Conflicting, Missing, ServerFailed, Unreachable
from maas.cluster.kinds import Kind
from maas.domain.errors import MaasError


def _webhook_denies(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        f"admission webhook {found[1]} refuses it: somebody's rules for this cluster, not a fault of the object",
        ("Do what its words ask for, or have whoever runs the webhook let this namespace through.",),
        (f"kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations | grep {_first(found[1])}",),
    )


def _first(webhook: str) -> str:
    return webhook.split(".")[0]


def _policy_denies(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        f"the cluster's ValidatingAdmissionPolicy {found[1]} refuses it",
        ("Do what its words ask for, or have whoever made the policy let it through.",),
        (f"kubectl get validatingadmissionpolicy {found[1]} -o yaml",),
    )


def _webhook_is_away(found: "re.Match[str]", namespace: str) -> Explained:
    service = re.search(r"https://([\w-]+)\.([\w-]+)\.svc", found.string)
    looked = (
        (
            f"kubectl get endpointslices -n {service[2]} -l kubernetes.io/service-name={service[1]}",
            f"kubectl get pods -n {service[2]}",
        )
        if service
        else ("kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",)
    )
    behind = f" (Service {service[2]}/{service[1]})" if service else ""
    return Explained(
        f"webhook {found[1]}{behind} has to be asked and does not answer, for minutes now",
        (
            "See whether the pods behind its Service run, and whether a network policy or a firewall keeps the API"
            " server from them.",
        ),
        looked,
    )


def _quota(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        f"ResourceQuota {found[1]} of namespace {namespace or 'it'} is used up",
        ("Raise the quota, or free what others hold of it.",),
        (f"kubectl describe resourcequota {found[1]}{within(namespace)}",),
    )


def _security(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        f"namespace {namespace or 'it'} allows only pods of Pod Security level {found[1]}",
        ("Let the namespace have the level that the words ask for.",),
        (f"kubectl get namespace {namespace} --show-labels" if namespace else "kubectl get namespaces --show-labels",),
    )


def _constraints(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        "no SecurityContextConstraint of OpenShift lets the pod run as it asks to",
        ("Give its service account a fitting one; the words say what each of them refuses.",),
        (f"oc get pods{within(namespace)}", "oc get scc"),
    )


def _rights(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        f"{found[1]} may not do this",
        ("Have an administrator give it the rights that an installation needs:",),
        ("maas rbac --render | kubectl apply -f -",),
    )


def _immutable(found: "re.Match[str]", namespace: str) -> Explained:
    field = f"its field {found[1]} " if found[1] else "one of its fields "
    return Explained(
        f"{field}cannot be changed once it is there: only a new object can have the new value",
        ("Delete the object, if what it holds may be lost; it is made anew.",),
    )


def _unknown_field(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        "the kind's CRD on this cluster is of another version than the one that is written for",
        ("See which versions are installed, and which are asked for:",),
        ("maas version --components", "maas preflight"),
    )


def _terminating(found: "re.Match[str]", namespace: str) -> Explained:
    return Explained(
        "the namespace is being deleted, and something in it holds that up",
        ("See what is left in it: whoever put a finalizer there has to take it away.",),
        (f"kubectl get namespace {found[1]} -o yaml",),
    )


def _kind_goes(found: "re.Match[str]", namespace: str) -> Explained:
    return absent_kinds.going(found[1])


SIGNS = (
    Sign(re.compile(r"ValidatingAdmissionPolicy '([^']+)'"), _policy_denies),
    Sign(re.compile(r'admission webhook "([^"]+)" denied'), _webhook_denies),
    Sign(re.compile(r'failed calling webhook "([^"]+)"'), _webhook_is_away),
    Sign(re.compile(r"exceeded quota: ([\w.-]+)"), _quota),
    Sign(re.compile(r'violates PodSecurity "([\w-]+)'), _security),
    Sign(re.compile(r"unable to validate against any security context constraint"), _constraints),
    Sign(re.compile(r"namespace (\S+) because it is being terminated"), _terminating),
    Sign(re.compile(r"Namespace (\S+) does not go: "), _terminating),
    Sign(re.compile(r'(\S+) "[^"]*" is forbidden: create not allowed while custom resource def'), _kind_goes),
    Sign(re.compile(r'(User "[^"]+") cannot '), _rights),
    Sign(
        re.compile(r"(?:([\w.\[\]]+): )?(?:Forbidden|Invalid value)[^;]*(?:immutable|may not be changed)"), _immutable
    ),
    Sign(re.compile(r"field not declared in schema|unknown field|strict decoding error"), _unknown_field),
)


def explained(error: MaasError, kind: Kind | None, named: str, namespace: str) -> Explained:
    where = within(namespace)
    match error:
        case Conflicting() if error.conflicts and kind:
            return _held(error, kind, named, where)
        case Unreachable():
            return _lost(f"{error}")
        case Missing() if not error.object_named and kind:
            return absent_kinds.of(kind.key)
    found = first(SIGNS, str(error), namespace)
    if found is NOTHING and isinstance(error, ServerFailed):
        return _lost("the API server does not answer as it should")
    if found.remedies and not found.commands and kind:
        return Explained(found.cause, found.remedies, (f"kubectl delete {kind.key} {named}{where}",))
    return found


def _held(error: Conflicting, kind: Kind, named: str, where: str) -> Explained:
    owners = ", ".join(f"{field} (by {manager})" for manager, field in error.conflicts)
    return Explained(
        f"somebody else manages what we would have to change: {owners}",
        (
            "Nothing is taken away from others by force. Take the field out of what they apply, or let them set it to"
            " what is wanted. See who holds which field:",
        ),
        (f"kubectl get {kind.key} {named}{where} --show-managed-fields -o yaml",),
    )


def _lost(cause: str) -> Explained:
    return Explained(
        cause,
        ("See whether the cluster can be reached. What was begun is whole.",),
        ("kubectl get --raw '/readyz?verbose'",),
    )
