"""A Deployment whose pods are never made, or wait for a volume: its status says "unavailable", and only events say why.

Nothing is wrong with a pod then, for there is none: what is asked for is refused, by a quota, by Pod Security, by
OpenShift's security context constraints, by a webhook.
"""

from collections.abc import Iterator, Mapping, Sequence

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, EVENT, POD
from maas.cluster.objects import Object, condition, items, label, mapping, name, namespace, number, text
from maas.cluster.shell import word
from maas.cluster.stack import ours
from maas.readiness.catalogue import Asked
from maas.readiness.checks.pods import STACK
from maas.readiness.findings import Outcome, Remedy, Seen, failed, skipped
from maas.readiness.issues import known_issue
from maas.readiness.signs import available, called, is_ready, quoted

_REFUSED, _UNMOUNTED = ("FailedCreate",), ("FailedMount", "FailedAttachVolume")
_ADVICE = (
    (("exceeded quota", "must specify"), "Raise the namespace's quota, or ask for less", "get resourcequotas"),
    (
        ("violates PodSecurity",),
        "Let its containers run as the namespace's Pod Security asks, or set the label "
        "pod-security.kubernetes.io/enforce to what they need: that is for whoever answers for the namespace to decide",
        "get namespace {namespace} --show-labels",
    ),
    (
        ("security context constraint",),
        "Run it as OpenShift's restricted-v2 allows (no fixed user, no privileges), or give its service account a "
        "constraint that allows it: that is for whoever answers for the cluster to decide",
        "get serviceaccounts",
    ),
    (("usage per", "LimitRange"), "Ask for what the namespace's LimitRange allows", "get limitranges"),
    (("serviceaccount", "service account"), "Create the service account that it names", "get serviceaccounts"),
    (("webhook",), "Mend the webhook that refuses or does not answer", "get events"),
)
_MISSING = "Create the Secret, ConfigMap or volume that the message names, or correct its name in the pod's template"


@known_issue(
    "MAAS-424",
    "pods are made, and get their volumes",
    sign="A Deployment of the stack or of a model that is not available, with ReplicaFailure, or with the event "
    "FailedCreate of its ReplicaSet; or a pod that is not ready, with FailedMount or FailedAttachVolume.",
    cause="A quota, Pod Security, a security context constraint or a webhook refuses the pods, so there is none to "
    "look at; or a volume, Secret or ConfigMap of theirs is not there.",
    mend="Do what the message asks for: more quota, other privileges, what is missing.",
    needs=(DEPLOYMENT,),
    covers=("Model Deployment Failures", "Issue 4: Istio Sidecar Injection Conflicts"),
    after=("MAAS-404", "MAAS-425"),
)
def not_made(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    where = STACK | ours.namespaces(facts, asked.namespace)
    watched = [each for each in facts.all(DEPLOYMENT) if namespace(each) in where]
    if not watched:
        yield skipped("does not apply: nothing of the platform is there")
    lacking = [each for each in watched if _lacks(each)]
    if not lacking:
        return
    events, pods = _by_object(facts), _by_namespace(facts)
    for deployment in lacking:
        if outcome := _refused(deployment, events) or _unmounted(deployment, events, pods):
            yield outcome


def _lacks(deployment: Object) -> bool:
    wanted = number(deployment, "spec", "replicas")
    return available(deployment) < (1 if wanted is None else wanted)


def _by_object(facts: Facts) -> dict[tuple[str, str], list[Object]]:
    """Events of ReplicaSets and pods, the newest last. Raises NotRead."""
    found: dict[tuple[str, str], list[Object]] = {}
    every = [each for each in facts.all(EVENT) if text(each, "reason") in (*_REFUSED, *_UNMOUNTED)]
    for event in sorted(every, key=lambda each: text(each, "lastTimestamp") or text(each, "eventTime")):
        found.setdefault((namespace(event), text(event, "involvedObject", "name")), []).append(event)
    return found


def _by_namespace(facts: Facts) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in facts.all(POD):
        if not is_ready(pod):
            found.setdefault(namespace(pod), []).append(pod)
    return found


def _refused(deployment: Object, events: Mapping[tuple[str, str], Sequence[Object]]) -> Outcome | None:
    about, failure = called(DEPLOYMENT, deployment), condition(deployment, "ReplicaFailure")
    if text(failure, "status") == "True":
        message = text(failure, "message")
        seen = Seen(about, "status.conditions[ReplicaFailure]", quoted(message))
        return _told(deployment, "its pods are refused", message, seen)
    here = (e for (where, of), found in events.items() if where == namespace(deployment) for e in reversed(found))
    event = next((each for each in here if _is_of_its_replica_set(each, deployment)), None)
    if event is None or _has_pods(deployment):
        return None
    seen = Seen(f"Event {namespace(deployment)}/{text(event, 'involvedObject', 'name')}", "FailedCreate")
    return _told(deployment, "its pods are refused", text(event, "message"), seen)


def _is_of_its_replica_set(event: Object, deployment: Object) -> bool:
    involved = mapping(event, "involvedObject")
    is_one = text(involved, "kind") == "ReplicaSet" and text(event, "reason") in _REFUSED
    return is_one and text(involved, "name").rpartition("-")[0] == name(deployment)


def _has_pods(deployment: Object) -> bool:
    """As many as it wants: then an event is of the past."""
    wanted = number(deployment, "spec", "replicas")
    return (number(deployment, "status", "replicas") or 0) >= (1 if wanted is None else wanted)


def _unmounted(
    deployment: Object, events: Mapping[tuple[str, str], Sequence[Object]], pods: Mapping[str, Sequence[Object]]
) -> Outcome | None:
    for pod in pods.get(namespace(deployment), ()):
        if not _is_of(pod, deployment) or _has_begun(pod):
            continue
        for event in reversed(events.get((namespace(pod), name(pod)), ())):
            if text(event, "reason") in _UNMOUNTED:
                seen = Seen(f"Event {namespace(pod)}/{name(pod)}", text(event, "reason"))
                return _told(deployment, "its pod waits for a volume", text(event, "message"), seen, _MISSING)
    return None


def _is_of(pod: Object, deployment: Object) -> bool:
    owners = [text(each, "name") for each in items(pod, "metadata", "ownerReferences")]
    return any(
        owner.rpartition("-")[0] == name(deployment) for owner in owners
    ) or f"{name(deployment)}-{label(pod, 'pod-template-hash')}-" in name(pod)


def _has_begun(pod: Object) -> bool:
    """Its volumes are there then."""
    statuses = (*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses"))
    return any(number(each, "restartCount") or "waiting" not in each.get("state", {}) for each in statuses)


def _told(deployment: Object, what: str, message: str, seen: Seen, fallback: str = "") -> Outcome:
    where = namespace(deployment)
    advice, look = next(
        ((advice, look) for signs, advice, look in _ADVICE if not fallback and any(sign in message for sign in signs)),
        (fallback or "Do what the message asks for", "get events --field-selector type=Warning"),
    )
    command = f"kubectl {look.format(namespace=word(where))} -n {word(where)}"
    said = f"{what}: {quoted(message) or 'nobody says why'}"
    return failed(said, seen, remedy=Remedy(f"{advice}.", (command,)), about=called(DEPLOYMENT, deployment))
