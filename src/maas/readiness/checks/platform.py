"""Is this the platform that was asked for, and new enough; and who runs it? (MAAS-101 to 103)"""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INFRASTRUCTURE
from maas.cluster.objects import text
from maas.cluster.platform import (
    Managed,
    Version,
    cloud,
    is_openshift,
    kubernetes_version,
    managed,
    openshift_version,
    parsed,
)
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.findings import (
    Category,
    Outcome,
    Remedy,
    Seen,
    Severity,
    Status,
    failed,
    passed,
    skipped,
    unknown,
)

OPENSHIFT_FLOOR: Version = (4, 14, 0)
KUBERNETES_FLOOR: Version = (1, 28, 0)


@check(
    "MAAS-101",
    "the cluster is new enough",
    Category.platform,
    wanted="OpenShift 4.14 or Kubernetes 1.28, or newer",
    looks="The version of OpenShift in ClusterVersion, or else the version that the Kubernetes API server tells.",
    why="The components of the stack use APIs that older clusters do not have. Today's releases of single components "
    "ask for more than this floor; each has a check of its own.",
    mend="Update the cluster, one minor version after the other. On OpenShift: `oc adm upgrade`.",
    covers=(
        "Platform Requirements",
        "OpenShift (Recommended)",
        "Kubernetes (Alternative)",
        "OpenShift cluster 4.14+ or Kubernetes 1.28+",
        "Quick Validation Commands",
    ),
)
def new_enough(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if is_openshift(facts):
        seen = Seen("ClusterVersion version", "status.history", openshift_version(facts))
        yield _judged(seen, "OpenShift", OPENSHIFT_FLOOR, "oc adm upgrade")
    else:
        seen = Seen("/version", "gitVersion", kubernetes_version(facts))
        yield _known_by_halves(facts, _judged(seen, "Kubernetes", KUBERNETES_FLOOR, _UPGRADE))


_UPGRADE = "kubeadm upgrade plan    # or your provider's own way"


def _known_by_halves(facts: Facts, judged: Outcome) -> Outcome:
    """What a snapshot derives from its nodes proves a new cluster: no kubelet is newer. Old ones prove nothing."""
    derived = text(facts.version, "derivedFrom")
    if judged.status is Status.failed and derived:
        return unknown(f"the snapshot does not tell the version; by {derived} it may be too old", *judged.seen)
    return judged


def _judged(seen: Seen, product: str, floor: Version, command: str) -> Outcome:
    version = parsed(seen.value)
    wanted = f"{floor[0]}.{floor[1]}"
    if version is None:
        return unknown(f"the version of {product} could not be made out", seen)
    if version >= floor:
        return passed(f"{product} {seen.value.removeprefix('v')}", seen)
    return failed(
        f"{product} {seen.value.removeprefix('v')} is older than {wanted}",
        seen,
        remedy=Remedy(f"Update to {product} {wanted} or newer, one minor version after the other.", (command,)),
    )


@check(
    "MAAS-102",
    "the cluster is the platform that was asked for",
    Category.platform,
    wanted="OpenShift for --target openshift, Kubernetes for --target kubernetes",
    looks="Whether the cluster serves the API group config.openshift.io, which every OpenShift has.",
    why="On OpenShift the components come from OperatorHub, elsewhere from Helm charts. The wrong way fails half-way.",
    mend="Choose the other --target, or leave it out: it is recognised. Or choose another context with --context.",
    covers=("Platform Requirements",),
)
def as_asked(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    actual = Target.openshift if is_openshift(facts) else Target.kubernetes
    product = {Target.openshift: "OpenShift", Target.kubernetes: "Kubernetes"}
    seen = Seen("API groups", "config.openshift.io", "served" if actual is Target.openshift else "not served")
    if asked.target is actual:
        yield passed(f"it is {product[actual]}", seen)
        return
    yield failed(
        f"{product.get(asked.target, asked.target)} was asked for, but this is {product[actual]}",
        seen,
        remedy=Remedy(
            "Ask for what it is, or choose the cluster that was meant.",
            (f"maas preflight --target {word(actual)}", "kubectl config get-contexts"),
        ),
    )


@check(
    "MAAS-103",
    "who runs the cluster",
    Category.platform,
    wanted="nothing: it decides what else is looked at",
    severity=Severity.warning,
    looks="The tags of the cluster's cloud resources in Infrastructure (ROSA, OpenShift Dedicated), and the operator "
    "or API that every Azure Red Hat OpenShift has.",
    why="On managed OpenShift some namespaces and settings belong to the provider, whose webhooks deny changes to "
    "them: the GPU Operator's label for monitoring was one.",
    mend="Nothing to mend. What follows from it is said where it matters.",
    covers=("Issue 1: GPU Operator on Managed OpenShift (ROSA/ARO)", "OpenShift (Recommended)"),
)
def who_runs_it(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not is_openshift(facts):
        yield skipped("managed variants are told apart on OpenShift only")
        return
    found = managed(facts)
    if found is None:
        facts.all(INFRASTRUCTURE)  # else nobody can tell
        where = f" on {cloud(facts)}" if cloud(facts) not in ("", "None") else ""
        yield passed(f"OpenShift{where}, with no sign of a managed variant")
        return
    yield passed(
        f"{found}: {_FOLLOWS[found]}", Seen("Infrastructure cluster", "status.platformStatus.type", cloud(facts))
    )


_FOLLOWS = {
    Managed.rosa: "its webhooks guard openshift-* namespaces; label nvidia-gpu-operator before the GPU Operator does",
    Managed.osd: "its webhooks guard openshift-* namespaces; label nvidia-gpu-operator before the GPU Operator does",
    Managed.aro: "the ingress and the nodes' settings are Azure's and Red Hat's to change",
}
