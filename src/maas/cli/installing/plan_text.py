"""A plan for people, and for programs: numbered steps, each with what it does, why, and what it waits for.

How each step is undone is in the document for programs alone: people have `maas uninstall`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from maas.cluster.objects import name, namespace, text
from maas.cluster.plan.model import (
    Action,
    Apply,
    Approve,
    Chart,
    Delete,
    Manifest,
    Mark,
    Plan,
    Release,
    Restart,
    Step,
    Uninstall,
    Wait,
)
from maas.readiness.reports.look import Look

_INDENT = "    "
_GONE, _OURS = " is gone", "we made it)"  # what deleting ends with, and its usual reason
_SHOWN = 4  # things of one kind; the rest is counted


def told(plan: Plan, heading: str, look: Look, *, has_users: bool = True) -> str:
    """has_users: somebody uses the platform already, whom changes touch."""
    lines = [*look.fold(f"{heading}: {_count(plan.steps)}"), ""]
    numbers = {step.key: number for number, step in enumerate(plan.steps, 1)}
    for number, step in enumerate(plan.steps, 1):
        lines += [*_step(number, step, numbers, look, has_users), ""]
    for note in plan.notes:
        lines += [*look.fold(f"note: {note}", "", "  "), ""]
    return look.finished("\n".join(lines[:-1])) + "\n"


def _count(steps: Sequence[Step]) -> str:
    return "1 step" if len(steps) == 1 else f"{len(steps)} steps"


def _step(number: int, step: Step, numbers: dict[str, int], look: Look, has_users: bool) -> Iterator[str]:
    first, *rest = look.fold(f"{step.title}: {step.why}" if step.why else step.title, f"{number:>3} ", _INDENT)
    yield first.replace(step.title, look.paint(step.title, "title"), 1)
    yield from rest
    for label, said in _parts(step, numbers, has_users):
        yield from look.fold(said, f"{_INDENT}{label:<7}", " " * (len(_INDENT) + 7))


def _parts(step: Step, numbers: dict[str, int], has_users: bool) -> Iterator[tuple[str, str]]:
    if done := actions(step.actions):
        yield "does", "; ".join(_some(done))
    if after := [str(numbers[key]) for key in step.needs if key in numbers]:
        yield "after", f"{'step' if len(after) == 1 else 'steps'} {', '.join(after)}"
    if waits := _together(_split(wait) for wait in step.waits if not wait.what.endswith(_GONE)):
        yield "waits", "; ".join(_some(waits))
    if step.affects and has_users:
        yield "users", step.affects


def actions(them: Sequence[Action]) -> list[str]:
    """In words, those that do the same to things of one kind together. Marks are told where nothing else is done."""
    seen = [action for action in them if not isinstance(action, Mark)]
    return _together(_parted(action) for action in seen or them)


def _split(wait: Wait) -> tuple[str, str, str]:
    """What comes before the object's place, the place, and what comes after: where `what` is written like that."""
    where = f"{wait.namespace}/{wait.name}" if wait.namespace else wait.name
    before, found, after = wait.what.partition(f" {where} ")
    return (before, where, after) if found else (wait.what, "", "")


def _parted(action: Action) -> tuple[str, str, str]:
    if not isinstance(action, Apply | Delete | Mark):
        return described(action), "", ""
    said, _, why = described(action).partition(" (")
    before, _, place = said.rpartition(" ")
    return before, place, f"({why}" if why and why != _OURS else ""


def _together(parts: Iterable[tuple[str, str, str]]) -> list[str]:
    """ "HTTPRoute", "llm/a", "is gone" and "HTTPRoute", "llm/b", "is gone": "HTTPRoute llm/a, llm/b is gone"."""
    places: dict[tuple[str, str], list[str]] = {}
    for before, place, after in parts:
        places.setdefault((before, after), []).append(place)
    return [
        " ".join(filter(None, [before, _listed(found), _said_of(after, found)]))
        for (before, after), found in places.items()
    ]


def _said_of(what: str, places: Sequence[str]) -> str:
    return f"are {what.removeprefix('is ')}" if len(places) > 1 and what.startswith("is ") else what


def _listed(places: Sequence[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(places[:_SHOWN]) + more


def _some(said: list[str]) -> list[str]:
    return said if len(said) <= _SHOWN else [*said[:_SHOWN], f"and {len(said) - _SHOWN} more"]


def described(action: Action) -> str:
    match action:
        case Apply(object=object, adopt=adopt):
            verb = "set fields of" if adopt else "apply"
            return f"{verb} {_placed(text(object, 'kind'), namespace(object), name(object))}"
        case Chart(release=release, namespace=where, chart=chart, version=version):
            return f"Helm release {where}/{release} ({chart.rpartition('/')[2]} {version})"
        case Manifest(name=called):
            return f"apply every object of {called}"
        case Restart(kind=kind, name=called, namespace=where, why=why):
            return f"restart {_placed(kind.name, where, called)} ({why})"
        case Approve(subscription=subscription, namespace=where):
            return f"approve the InstallPlan of Subscription {where}/{subscription}, after asking"
        case Delete(kind=kind, name=called, namespace=where, why=why):
            return f"delete {_placed(kind.name, where, called)} ({why})"
        case Uninstall(release=release, namespace=where):
            return f"uninstall Helm release {where}/{release}"
        case Mark(kind=kind, name=called, namespace=where, why=why):
            return f"mark {_placed(kind.name, where, called)} ({why})"
        case Release(object=object, why=why):
            return f"give up our fields of {_placed(text(object, 'kind'), namespace(object), name(object))} ({why})"
    raise AssertionError(action)


def _placed(kind: str, where: str, called: str) -> str:
    return f"{kind} {where}/{called}" if where else f"{kind} {called}"


def document(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "step": step.key,
            "title": step.title,
            "why": step.why,
            "actions": [_action(action) for action in step.actions],
            "waitsFor": [wait.what for wait in step.waits],
            "after": list(step.needs),
            "undo": step.undo,
            "affects": step.affects,
        }
        for number, step in enumerate(plan.steps, 1)
    ]


def _action(action: Action) -> dict[str, Any]:
    """Values of charts are left out: they may hold what is nobody's business."""
    kind = type(action).__name__.lower()
    match action:
        case Apply(object=object, adopt=adopt):
            about = {"kind": text(object, "kind"), "namespace": namespace(object), "name": name(object), "adopt": adopt}
        case Chart():
            about = {key: value for key, value in asdict(action).items() if key != "values"}
        case Manifest():
            about = {"name": action.name, "url": action.url, "sha256": action.sha256}
        case Restart(kind=of) | Delete(kind=of) | Mark(kind=of):
            about = {"kind": of.name, "namespace": action.namespace, "name": action.name, "why": action.why}
        case Approve() | Uninstall():
            about = asdict(action)
        case Release(object=object):
            about = {"kind": text(object, "kind"), "namespace": namespace(object), "name": name(object)}
    return {"action": kind, **about, "described": described(action)}
