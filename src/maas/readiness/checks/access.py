"""May we do what has to be done, and is there what it is done with? (MAAS-11x)"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maas.cluster.access import needed
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.facts.snapshot_absence import is_extension
from maas.cluster.kinds import BY_KEY, CONFIG_MAP, CRD, ROUTE, SECRET
from maas.cluster.objects import flag, mapping, text
from maas.cluster.platform import Version, parsed
from maas.cluster.shell import word
from maas.readiness.catalogue import BEFORE, Asked, Target, check
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, unknown, warning
from maas.readiness.wording import count

HELM_FLOOR: Version = (3, 14, 0)
_EXAMPLES = 8
_NO_KINDS = ("version", "apis")  # readings that are no lists of objects


@check(
    "MAAS-111",
    "you may install",
    Category.access,
    wanted="every right that `maas install` uses: cluster-admin has them all",
    phases=BEFORE,
    looks="A SelfSubjectAccessReview for each verb and resource that the installation creates, patches or deletes.",
    why="An installation that is denied half-way leaves operators without their rights, or webhooks without services.",
    mend="Have a cluster administrator give you the rights, or run the installation.",
    covers=("Cluster admin access",),
)
def may_install(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    answers = facts.probe("access")
    if answers is None:
        yield skipped("rights are asked of a live cluster; a snapshot cannot tell")
        return
    entries = [entry for entry in answers if isinstance(entry, Mapping)] if isinstance(answers, Sequence) else []
    if any(text(each, "verb") == "*" and flag(each, "allowed") for each in entries):
        yield passed("everything is allowed: cluster-admin", Seen("SelfSubjectAccessReview", "*.* *", "allowed"))
        return
    wanted = {_key(verb=p.verb, group=p.group, resource=p.resource, below=p.subresource) for p in needed(asked.target)}
    asked_for = {_entry_key(entry): flag(entry, "allowed") for entry in entries}
    yield _judged(sorted(wanted), asked_for)


Key = tuple[str, str, str]  # resource with group, subresource, verb


def _judged(wanted: Sequence[Key], answers: Mapping[Key, bool]) -> Outcome:
    denied = [key for key in wanted if answers.get(key) is False]
    unasked = [key for key in wanted if key not in answers]
    if denied:
        return failed(
            f"{len(denied)} of {count(len(wanted), 'right')} are missing: {names(_grouped(denied), _EXAMPLES)}",
            *(
                Seen("SelfSubjectAccessReview", f"{verb} {resource}{below}", "denied")
                for resource, below, verb in denied[:3]
            ),
            remedy=Remedy(
                "A cluster administrator gives you the rights, or runs the installation.",
                (
                    "kubectl auth whoami",
                    "kubectl create clusterrolebinding maas-installer --clusterrole=cluster-admin --user=YOUR_USER",
                ),
            ),
        )
    if unasked:
        return unknown(f"nobody asked about {names(_grouped(unasked), _EXAMPLES)}")
    return passed(f"all {len(wanted)} rights that the installation uses are there")


def _grouped(keys: Sequence[Key]) -> list[str]:
    """ "create, patch gateways.gateway.networking.k8s.io"."""
    verbs: dict[str, list[str]] = {}
    for resource, below, verb in keys:
        verbs.setdefault(resource + below, []).append(verb)
    return [f"{', '.join(them)} {resource}" for resource, them in verbs.items()]


def _key(verb: str, group: str, resource: str, below: str) -> Key:
    return f"{resource}.{group}" if group else resource, f"/{below}" if below else "", verb


def _entry_key(entry: Mapping[str, Any]) -> Key:
    return _key(text(entry, "verb"), text(entry, "group"), text(entry, "resource"), text(entry, "subresource"))


@check(
    "MAAS-112",
    "kubectl or oc is at hand",
    Category.access,
    wanted="kubectl (any cluster) or oc (OpenShift) on this machine",
    severity=Severity.warning,
    looks="Whether the commands are in the PATH of whoever runs maas.",
    why="MaaS speaks to the cluster by itself. The commands that remedies show need one of the two.",
    mend="Install kubectl (https://kubernetes.io/docs/tasks/tools/), "
    "or oc from OpenShift's web console (? > Command Line Tools).",
    covers=("Quick Validation Commands",),
)
def kubectl_at_hand(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    tools = _tools(facts)
    if tools is None:
        yield skipped("tools are looked for where maas runs, with a live cluster")
        return
    found = [tool for tool in ("oc", "kubectl") if mapping(tools, tool)]
    if not found:
        yield failed(
            "neither kubectl nor oc is in the PATH",
            remedy=Remedy("Install kubectl: https://kubernetes.io/docs/tasks/tools/"),
        )
    elif asked.target is Target.openshift and "oc" not in found:
        yield warning(
            "kubectl is at hand, oc is not: a few of the commands shown here are oc's",
            Seen("kubectl", "version", text(tools, "kubectl", "version")),
            remedy=Remedy("Install oc from the web console: ? > Command Line Tools."),
        )
    else:
        yield passed(names([f"{tool} {text(tools, tool, 'version')}".strip() for tool in found]))


@check(
    "MAAS-113",
    "helm is at hand",
    Category.access,
    wanted="helm 3.14 or newer on this machine (Kubernetes)",
    phases=BEFORE,
    looks="Whether the command is in the PATH of whoever runs maas, and its version.",
    why="On Kubernetes the components are installed from their Helm charts.",
    mend="Install helm: https://helm.sh/docs/intro/install/",
    covers=("Kubernetes (Alternative)", "7. Kuadrant"),
)
def helm_at_hand(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    tools = _tools(facts)
    if asked.target is not Target.kubernetes:
        yield skipped("on OpenShift the operators come from OperatorHub")
    elif tools is None:
        yield skipped("tools are looked for where maas runs, with a live cluster")
    elif not mapping(tools, "helm"):
        yield failed("helm is not in the PATH", remedy=_INSTALL_HELM)
    else:
        seen = Seen("helm", "version", text(tools, "helm", "version"))
        yield _helm(parsed(seen.value), seen)


_INSTALL_HELM = Remedy("Install helm 3.14 or newer: https://helm.sh/docs/intro/install/", ("helm version",))


def _helm(version: Version | None, seen: Seen) -> Outcome:
    if version is None:
        return unknown("helm does not tell its version", seen, remedy=_INSTALL_HELM)
    if version < HELM_FLOOR:
        return failed(f"helm {seen.value.removeprefix('v')} is older than 3.14", seen, remedy=_INSTALL_HELM)
    return passed(f"helm {seen.value.removeprefix('v')}", seen)


@check(
    "MAAS-114",
    "everything could be read",
    Category.access,
    wanted="every kind of object that the checks look at",
    severity=Severity.warning,
    looks="What was denied, timed out or failed while the cluster, or the snapshot, was read.",
    why="What was not read cannot be judged: checks that need it say unknown, which is never a pass.",
    mend="Read with a user that may read these kinds; the remedy shows the role that an administrator makes for it.",
    covers=("Quick Validation Commands",),
)
def all_read(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    missing = [(key, found) for key, found in facts.lists.items() if isinstance(found, Unread)]
    about = (("version", facts.version), ("apis", facts.apis))
    missing += [(what, found) for what, found in about if isinstance(found, Unread)]
    for cause in Cause:
        keys = sorted(key for key, unread in missing if unread.cause is cause)
        if keys:
            yield _unread(cause, keys, next(unread for key, unread in missing if key == keys[0]))
    if not missing:
        yield passed(f"{count(len(facts.lists), 'kind')} of objects were read")


_SAID = {
    Cause.denied: "reading was denied for",
    Cause.timeout: "there was no time to read",
    Cause.failed: "the server failed to answer for",
    Cause.not_exported: "the snapshot does not hold",
}


def _unread(cause: Cause, keys: Sequence[str], example: Unread) -> Outcome:
    return failed(
        f"{_SAID[cause]} {count(len(keys), 'kind')}: {names(keys, _EXAMPLES)}",
        Seen(keys[0], "", example.reason),
        remedy=_readable(cause, keys),
        about=str(cause),
    )


def _readable(cause: Cause, keys: Sequence[str]) -> Remedy:
    match cause:
        case Cause.denied:
            # Not cluster-reader: only OpenShift has it, and it does not read Secrets.
            kinds = ",".join(key for key in keys if key not in _NO_KINDS)
            role = f"kubectl create clusterrole maas-reader --verb=get,list --resource={word(kinds)}"
            reader = "kubectl create clusterrolebinding maas-reader --clusterrole=maas-reader --user=YOUR_USER"
            return Remedy("A cluster administrator gives you a role that reads them.", (role, reader))
        case Cause.not_exported:
            return Remedy(
                "Take the snapshot with maas: it holds all that is needed. Or export the rest into its folder.",
                ("maas snapshot -o snapshot.tar.gz", *_exports(keys)),
            )
        case _:
            return Remedy("Try again with more time.", ("maas preflight --timeout 2m",))


def _exports(keys: Sequence[str]) -> Iterator[str]:
    """What adds them, without maas. Nobody can ask for kinds that may not be served: CRDs tell which are, and so come
    first. Of Secrets an export would hold the values."""
    if "version" in keys:
        yield "kubectl version -o json > version.json"
    if "apis" in keys:
        yield "kubectl get customresourcedefinitions -o yaml > crds.yaml"
    left = [key for key in keys if key not in (*_NO_KINDS, CRD.key, SECRET.key, CONFIG_MAP.key)]
    if "apis" in keys:
        left = [key for key in left if key in BY_KEY and not is_extension(BY_KEY[key]) and key != ROUTE.key]
    if left:
        yield f"kubectl get {word(','.join(left))} -A -o yaml > more.yaml"
    if CONFIG_MAP.key in keys:
        yield f"kubectl get configmaps -A --field-selector={word(CONFIG_MAP.fields)} -o yaml > configmaps.yaml"


def _tools(facts: Facts) -> Mapping[str, Any] | None:
    found = facts.probe("tools")
    return found if isinstance(found, Mapping) else None
