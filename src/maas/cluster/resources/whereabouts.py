"""Where the platform may be: in a namespace that is nobody else's, under a domain that hosts can be made of.

Both come from options or from what a cluster says of itself, and end in names of objects, in hosts of routes and in the
policies' rules: what no API server would take is refused before anything is made or written.
"""

import re
from collections.abc import Sequence

from maas.cluster.objects import name, text
from maas.cluster.plan.model import Apply, Step
from maas.cluster.resources import names, namespaces
from maas.cluster.wanted import Wanted
from maas.domain.errors import InvalidInput

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAMESPACE, _DOMAIN = re.compile(_LABEL), re.compile(rf"({_LABEL}\.)*{_LABEL}")
_LONGEST = 253 - names.LONGEST - 1  # characters: a model's host is one name more, and a host has no more than 253
_OF_THE_CLUSTER = re.compile(r"kube-.*|openshift(-.*)?")


def require(wanted: Wanted, steps: Sequence[Step]) -> None:
    """steps: all of an installation. Raises InvalidInput."""
    if problems := [*_of_namespace(wanted.namespace, steps), *_of_domain(wanted.site.domain)]:
        raise InvalidInput("\n".join(problems))


def _of_namespace(called: str, steps: Sequence[Step]) -> list[str]:
    if not _NAMESPACE.fullmatch(called):
        return [
            f"--namespace {called!r} is no name of a namespace: up to 63 lower-case letters, digits and '-', with a"
            " letter or a digit at both ends; write for example llm"
        ]
    if _OF_THE_CLUSTER.fullmatch(called):
        return [f"--namespace {called}: that is one of the cluster's own; name another, for example llm"]
    if others := [step.title for step in steps if step.key != namespaces.KEY and called in _made(step)]:
        return [f"--namespace {called}: that is where {others[0]} goes; name another, for example llm"]
    return []


def _made(step: Step) -> set[str]:
    applied = (each.object for each in step.actions if isinstance(each, Apply))
    return {name(each) for each in applied if text(each, "kind") == "Namespace"}


def _of_domain(domain: str) -> list[str]:
    last = domain.rpartition(".")[2]
    if len(domain) <= _LONGEST and _DOMAIN.fullmatch(domain) and not last.isdecimal():
        return []
    return [
        f"--domain {domain!r} is no domain that hosts can be made of: up to {_LONGEST} lower-case letters, digits, '-'"
        " and '.', without '*.' before it or a port after it; write for example models.example.com"
    ]
