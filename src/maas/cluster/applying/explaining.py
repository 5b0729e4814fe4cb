"""What is behind a failure: pods first, then what was said of them, then the object's own condition.

Pure: everything was read before. A cause is only named where something says so; otherwise the words of the condition
stand for themselves.
"""

from maas.cluster import kinds
from maas.cluster.applying import absent_kinds, conditions_explained, refusals, troubles
from maas.cluster.applying.explained import NOTHING, Explained, first
from maas.cluster.applying.surroundings import Surroundings
from maas.cluster.objects import name, namespace, text
from maas.cluster.plan.model import Action, Apply, Approve, Delete, Mark, Restart, Seen, Wait
from maas.domain.errors import MaasError


def of_refusal(action: Action, error: MaasError) -> Explained:
    match action:
        case Apply():
            return refusals.explained(error, kinds.of(action.object), name(action.object), namespace(action.object))
        case Restart() | Delete() | Mark():
            return refusals.explained(error, action.kind, action.name, action.namespace)
        case Approve() if "was not approved" in str(error):
            return Explained(remedies=("Run the command again and agree to it, or approve it yourself.",))
        case Approve():
            return refusals.explained(error, kinds.SUBSCRIPTION, action.subscription, action.namespace)
    return refusals.explained(error, None, "", "")


def of_wait(wait: Wait, seen: Seen, around: Surroundings) -> Explained:
    if around.unserved:
        return absent_kinds.of(wait.kind.key)
    found = next(troubles.of_pods(around.pods), NOTHING)
    if found is NOTHING:
        found = _of_events(around, wait.namespace)
    if found is NOTHING:
        found = first(refusals.SIGNS, seen.why, wait.namespace)
    return conditions_explained.explained(wait, seen.why, around.object) if found is NOTHING else found


def _of_events(around: Surroundings, where: str) -> Explained:
    for event in around.events:
        message, reason = text(event, "message"), text(event, "reason")
        if reason == "FailedScheduling":
            involved = event.get("involvedObject", {})
            return troubles.unscheduled(f"pod {where}/{text(involved, 'name')}", message, where)
        if text(event, "type") != "Normal" and (found := first(refusals.SIGNS, message, where)) is not NOTHING:
            return found
    return NOTHING
