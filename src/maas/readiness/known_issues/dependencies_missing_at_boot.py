"""Kuadrant's operator started before what it depends on, and looks only when it starts."""

from collections.abc import Iterator

from maas.cluster.changes import restart
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import (
    AUTH_POLICY,
    CERTIFICATE,
    DEPLOYMENT,
    ENVOY_FILTER,
    GATEWAY,
    KUADRANT,
    PEER_AUTHENTICATION,
    RATE_LIMIT_POLICY,
    TLS_POLICY,
    TOKEN_RATE_LIMIT_POLICY,
    WASM_PLUGIN,
    Kind,
)
from maas.cluster.objects import Object, items, name, namespace, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, listed, quoted

_OPERATOR = "kuadrant-operator-controller-manager"
_POLICIES = (AUTH_POLICY, RATE_LIMIT_POLICY, TOKEN_RATE_LIMIT_POLICY, TLS_POLICY)
_NEEDED: tuple[tuple[str, str, tuple[Kind, ...]], ...] = (  # a word of the message, what it is, how it is recognised
    ("gateway api", "Gateway API", (GATEWAY,)),
    ("istio", "Istio", (WASM_PLUGIN, ENVOY_FILTER, PEER_AUTHENTICATION)),
    ("cert-manager", "cert-manager", (CERTIFICATE,)),
    ("cert manager", "cert-manager", (CERTIFICATE,)),
)


@known_issue(
    "MAAS-406",
    "Kuadrant's operator has found what it depends on",
    sign="Condition reason MissingDependency of the Kuadrant resource or of a policy.",
    cause="The operator looks for Gateway API, Istio and cert-manager once, when it starts. What is installed later "
    "does not exist for it, and no policy is enforced.",
    mend="Restart the operator once the dependency is installed; install it first where it is not.",
    needs=(KUADRANT,),
    covers=("Authentication/Rate Limiting Issues",),
    explains=(
        "MAAS-272",
        "MAAS-320",
    ),
)
def missing_at_boot(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    told = list(_told(facts, (KUADRANT, *_POLICIES)))
    if not told:
        return
    messages = " ".join(seen.value for seen in told).lower()
    lacking = sorted({what for word, what, kinds in _NEEDED if word in messages and not _has(facts, kinds)})
    if lacking:
        yield failed(
            f"Kuadrant misses {listed(lacking)}, which is not installed; its operator looks again only when it starts",
            *few(told),
            remedy=Remedy(
                f"Install {listed(lacking)} first (`maas install` does it), then restart Kuadrant's operator.",
                (f"kubectl rollout restart deployments.apps/{_OPERATOR} -n {word(_home(facts))}",),
            ),
        )
        return
    yield failed(
        "Kuadrant's operator started before what it depends on: the dependency is there now, but it looks only once",
        *few(told),
        remedy=Remedy(
            "Restart Kuadrant's operator.",
            changes=(restart(DEPLOYMENT, _OPERATOR, _home(facts), why="it looks for its dependencies as it starts"),),
        ),
    )


def _told(facts: Facts, kinds: tuple[Kind, ...]) -> Iterator[Seen]:
    for kind in kinds:
        for each in facts.all(kind):
            yield from _conditions(kind, each)


def _conditions(kind: Kind, object: Object) -> Iterator[Seen]:
    for condition in items(object, "status", "conditions"):
        if text(condition, "reason") == "MissingDependency" and text(condition, "status") != "True":
            field = f"status.conditions[{text(condition, 'type')}]"
            yield Seen(called(kind, object), field, f"MissingDependency: {quoted(text(condition, 'message'))}")


def _has(facts: Facts, kinds: tuple[Kind, ...]) -> bool:
    return all(facts.serves(kind) for kind in kinds)


def _home(facts: Facts) -> str:
    """Where the operator runs; beside the Kuadrant resource if nobody knows."""
    operators = [namespace(each) for each in facts.known(DEPLOYMENT) if name(each) == _OPERATOR]
    return next(iter([*operators, *map(namespace, facts.known(KUADRANT))]), "kuadrant-system")
