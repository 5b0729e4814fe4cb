"""AuthPolicy: `credentials` written under `apiKey`, where the API server throws it away."""

from collections.abc import Iterator
from typing import Any

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import AUTH_POLICY
from maas.cluster.objects import Object, mapping, name, namespace
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.signs import called

_PLACES = (("spec", "rules"), ("spec", "defaults", "rules"), ("spec", "overrides", "rules"))


@known_issue(
    "MAAS-418",
    "the AuthPolicy says where the key is read",
    sign="An authentication rule with apiKey and no credentials beside it, or with credentials under apiKey.",
    cause="credentials belongs beside apiKey. Under it, as some samples have it, the API server drops it without an "
    "error, and Authorino reads keys after the word Bearer: clients that send APIKEY get 401.",
    mend="Put credentials beside apiKey: authorizationHeader.prefix: APIKEY. If all clients send Bearer, nothing "
    "is wrong.",
    needs=(AUTH_POLICY,),
    covers=("Authentication/Rate Limiting Issues",),
    explains=("MAAS-322",),
)
def misplaced(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for policy in facts.all(AUTH_POLICY):
        for path in _PLACES:
            for key, rule in mapping(policy, *path, "authentication").items():
                yield from _of_rule(policy, (*path, "authentication", str(key)), rule)


def _of_rule(policy: Object, path: tuple[str, ...], rule: object) -> Iterator[Outcome]:
    credentials, under = mapping(rule, "credentials"), mapping(rule, "apiKey", "credentials")
    if not mapping(rule, "apiKey") or (credentials and not under):
        return
    about, field = called(AUTH_POLICY, policy), ".".join(path)
    if under:
        message = "it has credentials under apiKey, where they are ignored"
        moved = {"apiKey": {"credentials": None}, "credentials": credentials or under}
        change = _patch(policy, path, moved)
        remedy = Remedy("Move credentials beside apiKey.", changes=(change,))
        yield failed(message, Seen(about, f"{field}.apiKey.credentials", "present"), remedy=remedy, about=about)
    else:
        wanted = _patch(policy, path, {"credentials": {"authorizationHeader": {"prefix": "APIKEY"}}})
        message = "it does not say where the key is read: only keys after the word Bearer are"
        remedy = Remedy(
            "If clients are to send their keys after the word APIKEY, say so; if all send Bearer, leave it.",
            (wanted.command,),
        )
        yield warning(message, Seen(about, f"{field}.credentials", "absent"), remedy=remedy, about=about)


def _patch(policy: Object, path: tuple[str, ...], leaf: dict[str, Any]) -> Change:
    body = leaf
    for step in reversed(path):
        body = {step: body}
    return Change(Verb.patch, AUTH_POLICY, name(policy), namespace(policy), body, "it is read there")
