"""The GPU operator may not label its namespace: ROSA and OSD deny it, and the operator stops there.

The operator sets openshift.io/cluster-monitoring on its namespace before it does anything else, unless the label is
there already, with any value. Setting it first is the whole remedy; patching the ClusterPolicy's serviceMonitor, as
some advise, does not touch that code.
"""

from collections.abc import Iterator

from maas.cluster.changes import restart, set_labels
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_POLICY, CLUSTER_VERSION, DAEMON_SET, DEPLOYMENT, INFRASTRUCTURE, NAMESPACE
from maas.cluster.objects import Object, condition, every, items, label, name, text
from maas.readiness.catalogue import BOTH, Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, events, few, quoted, said

_NAMESPACE = "nvidia-gpu-operator"  # the only one in which the operator does it
_LABEL = "openshift.io/cluster-monitoring"
_DENIED = ("unable to label namespace",)


@known_issue(
    "MAAS-401",
    "the GPU operator can label its namespace",
    sign="ClusterPolicy with reason ReconcileFailed, no operand DaemonSets, the operator's log line "
    '"unable to label namespace", and the label openshift.io/cluster-monitoring absent from nvidia-gpu-operator.',
    cause="On ROSA and OSD a webhook of the managed service may deny the label that the operator sets on its own "
    "namespace. It gives up before it installs drivers and device plugin, so no node gets a GPU.",
    mend="Set the label yourself, with any value: the operator then leaves it alone. Then restart the operator.",
    needs=(CLUSTER_VERSION, CLUSTER_POLICY),
    phases=BOTH,
    covers=("Issue 1: GPU Operator on Managed OpenShift (ROSA/ARO)", "GPU Not Detected"),
    explains=(
        "MAAS-263",
        "MAAS-264",
        "MAAS-131",
        "MAAS-135",
        "MAAS-138",
    ),
)
def denied_label(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    space = facts.one(NAMESPACE, _NAMESPACE)
    if space is None or label(space, _LABEL):
        return
    seen = (Seen(f"Namespace {_NAMESPACE}", f"metadata.labels.{_LABEL}", "absent"),)
    denials = [*said(facts.logs_of(_NAMESPACE, "gpu-operator"), *_DENIED), *events(facts, _NAMESPACE, "", *_DENIED)]
    stuck = [policy for policy in facts.all(CLUSTER_POLICY) if _is_stuck(policy)]
    denied = denials or any(_says_so(policy) for policy in stuck)
    operands = every(facts.all(DAEMON_SET), _NAMESPACE)
    evidence = (*few(denials), *map(_state, stuck), *seen)
    if denied:
        yield failed("the GPU operator was denied to label its namespace and stopped", *evidence, remedy=_remedy(facts))
    elif stuck and not operands:
        yield warning(
            "the GPU operator made none of its DaemonSets and its namespace lacks the label that ROSA and OSD deny it: "
            "likely it was denied (its log would tell)",
            *evidence,
            remedy=_remedy(facts),
        )
    elif _is_managed(facts) and not operands:
        yield warning(
            "this is a managed cluster: the GPU operator may be denied to label its namespace",
            *seen,
            remedy=_remedy(facts),
        )


def _is_stuck(policy: Object) -> bool:
    reasons = {text(condition(policy, type), "reason") for type in ("Ready", "Error")}
    return text(policy, "status", "state") != "ready" and "ReconcileFailed" in reasons


def _says_so(policy: Object) -> bool:
    messages = [text(each, "message") for each in items(policy, "status", "conditions")]
    return any(line in message for line in _DENIED for message in messages)


def _state(policy: Object) -> Seen:
    error = condition(policy, "Error") or condition(policy, "Ready")
    value = f"{text(policy, 'status', 'state')}, {text(error, 'reason')}: {quoted(text(error, 'message'))}"
    return Seen(called(CLUSTER_POLICY, policy), "status", value)


def _is_managed(facts: Facts) -> bool:
    tags = [
        tag
        for each in facts.all(INFRASTRUCTURE)
        for tag in items(each, "status", "platformStatus", "aws", "resourceTags")
    ]
    return any(text(tag, "key") in ("red-hat-managed", "red-hat-clustertype") for tag in tags)


def _remedy(facts: Facts) -> Remedy:
    has_operator = any(name(each) == "gpu-operator" for each in every(facts.known(DEPLOYMENT), _NAMESPACE))
    labelled = set_labels(NAMESPACE, _NAMESPACE, {_LABEL: "false"}, why="with the label there, the operator sets none")
    restarted = restart(DEPLOYMENT, "gpu-operator", _NAMESPACE, why="it gave up; it begins anew")
    return Remedy(
        "Label the namespace, then restart the operator. If you are denied as well, ask a cluster-admin, or install "
        "the operator in a namespace of another name.",
        changes=(labelled, restarted) if has_operator else (labelled,),
    )
