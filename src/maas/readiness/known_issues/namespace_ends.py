"""A namespace of the platform that is being deleted: what is in it still runs, and nothing new can be made in it."""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NAMESPACE
from maas.cluster.objects import Object, items, name, text
from maas.cluster.shell import word
from maas.cluster.stack import ours
from maas.readiness.catalogue import BOTH, Asked
from maas.readiness.checks.pods import STACK
from maas.readiness.findings import Outcome, Remedy, Seen, failed, skipped
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, quoted


@known_issue(
    "MAAS-425",
    "no namespace of the platform is being deleted",
    sign="Namespaces of the stack, of gateways and of models with a deletionTimestamp, or the phase Terminating.",
    cause="Somebody deleted it. As long as something in it is not gone (a finaliser whose controller is away, an API "
    "that does not answer), it stays, and whatever is to be made in it is refused.",
    mend="Wait until it is gone; if it stays, do what its conditions name. Then install anew.",
    phases=BOTH,
)
def ending(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    where = STACK | ours.namespaces(facts, asked.namespace)
    watched = [each for each in facts.all(NAMESPACE) if name(each) in where]
    if not watched:
        yield skipped("does not apply: the platform has no namespace yet")
    for space in watched:
        if _is_ending(space):
            about, since = called(NAMESPACE, space), text(space, "metadata", "deletionTimestamp")
            yield failed(
                f"it is being deleted{f' since {since}' if since else ''}: nothing can be made in it",
                Seen(about, "status.phase", text(space, "status", "phase") or "absent"),
                *few(list(_reasons(space))),
                remedy=_remedy(space),
                about=about,
            )


def _is_ending(space: Object) -> bool:
    return text(space, "status", "phase") == "Terminating" or bool(text(space, "metadata", "deletionTimestamp"))


def _reasons(space: Object) -> Iterator[Seen]:
    for each in items(space, "status", "conditions"):
        if text(each, "status") == "True":
            yield Seen(
                called(NAMESPACE, space), f"status.conditions[{text(each, 'type')}]", quoted(text(each, "message"))
            )


def _remedy(space: Object) -> Remedy:
    """Finalisers are not for a tool to remove: what they guard would be left behind."""
    return Remedy(
        "Wait until it is gone. If it stays, its conditions name what is left: mend the controller that has to "
        "remove it. What was in it is lost: `maas install` makes it anew.",
        (f"kubectl get namespace {word(name(space))} -o yaml", f"kubectl get events -n {word(name(space))}"),
    )
