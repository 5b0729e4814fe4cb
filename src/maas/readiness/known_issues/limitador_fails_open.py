"""Limitador is down, and the gateway lets everything through: its policies still say Enforced."""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb, restart
from maas.cluster.components import kuadrant
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, LIMITADOR, POD, RATE_LIMIT_POLICY, TOKEN_RATE_LIMIT_POLICY
from maas.cluster.objects import Object, condition, every, is_true, name, namespace, number, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, skipped
from maas.readiness.issues import known_issue
from maas.readiness.signs import available, called, few, is_ready, quoted, waiting_reasons

_RESTART_HELPS_NOT = frozenset({"ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "InvalidImageName"})


@known_issue(
    "MAAS-407",
    "limits are counted: Limitador is up",
    sign="A RateLimitPolicy or TokenRateLimitPolicy is Enforced while the Limitador resource is not Ready, or its "
    "Deployment has no replica available.",
    cause="The gateway asks Limitador before each request and, where it gets no answer, lets the request pass: "
    "Kuadrant's default for limits is to fail open. Nobody is limited, and every policy still says Enforced. An "
    "operator that maas install brought is told to refuse instead.",
    mend="Bring Limitador up again. To fail closed instead, set RATELIMIT_SERVICE_FAILURE_MODE and "
    "RATELIMIT_CHECK_SERVICE_FAILURE_MODE to deny on Kuadrant's operator.",
    needs=(LIMITADOR,),
    after=("MAAS-404",),
    covers=("Authentication/Rate Limiting Issues",),
    explains=("MAAS-274",),
)
def open_limits(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    policies = [*facts.all(RATE_LIMIT_POLICY), *facts.all(TOKEN_RATE_LIMIT_POLICY)]
    if not any(is_true(policy, "Enforced") for policy in policies):
        yield skipped("does not apply: no policy of limits is enforced")
        return
    closed = _fails_closed(facts)
    for limitador in facts.all(LIMITADOR):
        if seen := _down(facts, limitador):
            effect = "what has a limit is refused" if closed else "no limit applies, though policies say Enforced"
            yield failed(
                f"it is down: {effect}",
                *seen,
                *few(_troubles(facts, limitador)),
                remedy=_remedy(facts, limitador),
                about=called(LIMITADOR, limitador),
            )


def _down(facts: Facts, limitador: Object) -> tuple[Seen, ...]:
    ready = condition(limitador, "Ready")
    seen = []
    if text(ready, "status") == "False":
        value = f"False, {text(ready, 'reason')}: {quoted(text(ready, 'message'))}"
        seen.append(Seen(called(LIMITADOR, limitador), "status.conditions[Ready]", value))
    for deployment in _deployments(facts, limitador):
        if not available(deployment):
            seen.append(Seen(called(DEPLOYMENT, deployment), "status.availableReplicas", "0"))
    return tuple(seen)


def _deployments(facts: Facts, limitador: Object) -> list[Object]:
    here = every(facts.all(DEPLOYMENT), namespace(limitador))
    return [each for each in here if name(each) in (f"limitador-{name(limitador)}", "limitador-limitador")]


def _pods(facts: Facts, limitador: Object) -> list[Object]:
    here = every(facts.known(POD), namespace(limitador))
    return [pod for pod in here if name(pod).startswith("limitador-") and "operator" not in name(pod)]


def _troubles(facts: Facts, limitador: Object) -> list[Seen]:
    sick = [pod for pod in _pods(facts, limitador) if not is_ready(pod)]
    return [Seen(called(POD, pod), "status", ", ".join(_reasons(pod)) or text(pod, "status", "phase")) for pod in sick]


def _reasons(pod: Object) -> list[str]:
    scheduled = condition(pod, "PodScheduled")
    unscheduled = [quoted(text(scheduled, "message"))] if text(scheduled, "status") == "False" else []
    return [*waiting_reasons(pod), *unscheduled]


def _remedy(facts: Facts, limitador: Object) -> Remedy:
    place, deployments = namespace(limitador), _deployments(facts, limitador)
    if number(limitador, "spec", "replicas") == 0:
        one = Change(Verb.patch, LIMITADOR, name(limitador), place, {"spec": {"replicas": 1}}, "it was scaled to none")
        return Remedy("Let it have a replica again.", changes=(one,))
    stopped = [each for each in deployments if number(each, "spec", "replicas") == 0]
    if stopped:
        body = {"spec": {"replicas": 1}}
        changes = tuple(Change(Verb.patch, DEPLOYMENT, name(d), place, body, "it was scaled to none") for d in stopped)
        return Remedy("Let it have a replica again.", changes=changes)
    reasons = {reason for pod in _pods(facts, limitador) for reason in _reasons(pod)}
    unscheduled = any("nodes are available" in reason for reason in reasons)
    look = (f"kubectl describe pods -n {word(place)} -l app=limitador",)
    if unscheduled or reasons & _RESTART_HELPS_NOT or not deployments:
        return Remedy("Its pod cannot start: mend what the evidence names, a restart would not help.", look)
    changes = tuple(restart(DEPLOYMENT, name(each), place, why="it starts anew") for each in deployments)
    return Remedy("Restart it; if it does not stay up, its log tells why.", look, changes)


def _fails_closed(facts: Facts) -> bool:
    operators = [each for each in facts.known(DEPLOYMENT) if name(each) == kuadrant.OPERATOR]
    return bool(operators) and all(map(kuadrant.fails_closed, operators))
