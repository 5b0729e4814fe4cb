"""Is the platform itself well: OpenShift, its operators, its updates, its nodes' versions? (MAAS-104 to 107)"""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_OPERATOR, CLUSTER_VERSION, NODE
from maas.cluster.objects import Object, condition, is_true, name, text
from maas.cluster.platform import Version, is_openshift, kubernetes_version, parsed
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, check
from maas.readiness.evidence import brief, names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, unknown, warning
from maas.readiness.wording import count

OLDEST_KUBELET = 3  # minors behind the API server, since Kubernetes 1.28

# Those without which operators, models or their addresses do not come up. Others may be degraded and matter to nobody.
OPERATORS = (
    "authentication",
    "console",
    "dns",
    "etcd",
    "image-registry",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "marketplace",
    "monitoring",
    "network",
    "node-tuning",
    "openshift-apiserver",
    "operator-lifecycle-manager",
    "operator-lifecycle-manager-catalog",
    "operator-lifecycle-manager-packageserver",
    "service-ca",
    "storage",
)
_FATAL_OPERATORS = ("dns", "etcd", "kube-apiserver", "marketplace", "network", "service-ca")


@check(
    "MAAS-104",
    "OpenShift itself is well",
    Category.platform,
    wanted="ClusterVersion Available, not Failing",
    looks="The conditions Available, Failing and Invalid of ClusterVersion.",
    why="A control plane that fails installs operators slowly, half or not at all.",
    mend="See what fails with `oc adm upgrade` and `oc get clusteroperators`, and mend that first.",
    covers=("OpenShift (Recommended)",),
)
def openshift_well(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    version = _cluster_version(facts)
    if version is None:
        yield skipped("this is not OpenShift")
        return
    bad = [
        (type, found)
        for type, wrong in (("Available", "False"), ("Failing", "True"), ("Invalid", "True"))
        if text(found := condition(version, type), "status") == wrong
    ]
    for type, found in bad:
        yield failed(
            f"ClusterVersion says {type}={text(found, 'status')}: {_said(found)}",
            Seen("ClusterVersion version", f"status.conditions[{type}]", text(found, "reason")),
            remedy=Remedy("Mend the cluster first.", ("oc adm upgrade", "oc get clusteroperators")),
        )
    if not bad and is_true(version, "Available"):
        yield passed("ClusterVersion is Available and not Failing")
    elif not bad:
        yield unknown("ClusterVersion does not say whether it is Available")


@check(
    "MAAS-105",
    "no update is under way",
    Category.platform,
    wanted="ClusterVersion not Progressing",
    severity=Severity.warning,
    looks="The condition Progressing of ClusterVersion.",
    why="During an update nodes restart one after the other and operators are replaced: an installation takes "
    "longer, and may wait in vain.",
    mend="Wait until `oc adm upgrade` says that the cluster is at its version.",
    covers=("OpenShift (Recommended)",),
)
def not_updating(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    version = _cluster_version(facts)
    if version is None:
        yield skipped("this is not OpenShift")
        return
    progressing = condition(version, "Progressing")
    if text(progressing, "status") == "True":
        yield warning(
            f"an update is under way: {_said(progressing)}",
            Seen("ClusterVersion version", "status.desired.version", text(version, "status", "desired", "version")),
            remedy=Remedy("Wait until it is done.", ("oc adm upgrade",)),
        )
    elif text(progressing, "status") == "False":
        yield passed("no update is under way")
    else:
        yield unknown("ClusterVersion does not say whether it is Progressing")


@check(
    "MAAS-106",
    "OpenShift's own operators are well",
    Category.platform,
    wanted="the ClusterOperators that the stack leans on Available and not Degraded",
    looks="The conditions Available and Degraded of the ClusterOperators for DNS, network, storage, "
    "monitoring, OLM, the image registry and the control plane; MAAS-213 looks at ingress.",
    why="Operators come through marketplace and OLM, addresses through ingress and DNS, volumes through storage.",
    mend="`oc describe clusteroperator NAME` says what is wrong; mend that first.",
    covers=("OpenShift (Recommended)",),
)
def operators_well(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not is_openshift(facts):
        yield skipped("this is not OpenShift")
        return
    found = [each for each in facts.all(CLUSTER_OPERATOR) if name(each) in OPERATORS]
    bad = [(each, wrong) for each in found if (wrong := _wrong(each))]
    for each, wrong in bad:
        yield _ill(each, wrong)
    if not found:
        yield unknown("the cluster lists none of the ClusterOperators that every OpenShift has")
    elif not bad:
        yield passed(f"{count(len(found), 'ClusterOperator')} looked at are Available and not Degraded")


def _wrong(operator: Object) -> Object | None:
    available, degraded = condition(operator, "Available"), condition(operator, "Degraded")
    if text(available, "status") == "False":
        return available
    return degraded if text(degraded, "status") == "True" else None


def _ill(operator: Object, wrong: Object) -> Outcome:
    state = f"{text(wrong, 'type')}={text(wrong, 'status')}"
    message = f"ClusterOperator {name(operator)} is {state}: {_said(wrong)}"
    seen = Seen(f"ClusterOperator {name(operator)}", f"status.conditions[{text(wrong, 'type')}]", text(wrong, "reason"))
    remedy = Remedy("Mend it first.", (f"oc describe clusteroperator {word(name(operator))}",))
    about = f"ClusterOperator {name(operator)}"
    if name(operator) in _FATAL_OPERATORS or text(wrong, "type") == "Available":
        return failed(message, seen, remedy=remedy, about=about)
    return warning(message, seen, remedy=remedy, about=about)


@check(
    "MAAS-107",
    "nodes run a version that goes with the control plane",
    Category.platform,
    wanted=f"kubelets at most {OLDEST_KUBELET} minor versions behind the API server, and none newer",
    severity=Severity.warning,
    looks="status.nodeInfo.kubeletVersion of every node, against the API server's version.",
    why="Kubernetes supports kubelets up to three minor versions older. Beyond that pods may not start rightly.",
    mend="Update the nodes, or finish the update that stopped half-way.",
    covers=("Node Requirements",),
    after=("MAAS-105",),
)
def kubelets_fit(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    server = parsed(kubernetes_version(facts))
    nodes = [(node, kubelet) for node in facts.all(NODE) if (kubelet := parsed(_kubelet(node)))]
    if server is None or not nodes:
        yield unknown("the API server or its nodes do not tell their version")
        return
    odd = [node for node, kubelet in nodes if not _fits(kubelet, server)]
    if odd:
        yield failed(
            f"{count(len(odd), 'node')} with a kubelet that does not go with API server {server[0]}.{server[1]}: "
            + names([f"{name(node)} ({_kubelet(node)})" for node in odd]),
            *(Seen(f"Node {name(node)}", "status.nodeInfo.kubeletVersion", _kubelet(node)) for node in odd[:3]),
            remedy=Remedy("Update those nodes.", ("kubectl get nodes -o wide",)),
        )
        return
    versions = sorted({kubelet[:2] for _, kubelet in nodes})
    yield passed(f"nodes run {names([f'{major}.{minor}' for major, minor in versions])}")


def _fits(kubelet: Version, server: Version) -> bool:
    return kubelet[0] == server[0] and 0 <= server[1] - kubelet[1] <= OLDEST_KUBELET


def _kubelet(node: Object) -> str:
    return text(node, "status", "nodeInfo", "kubeletVersion")


def _cluster_version(facts: Facts) -> Object | None:
    """Raises NotRead where it is OpenShift and nobody could read it."""
    return facts.one(CLUSTER_VERSION, "version")


def _said(condition: Object) -> str:
    return brief(text(condition, "message") or text(condition, "reason")) or "no reason given"
