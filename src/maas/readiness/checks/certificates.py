"""Certificates of the way in: issued, and not about to expire."""

from collections.abc import Iterator
from datetime import UTC, datetime

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, condition, items, mapping, name, namespace, text
from maas.cluster.shell import word
from maas.cluster.stack import ours
from maas.readiness import conditions
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.checks.routes import lets_plain_in, routes_to
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, unknown, warning

_SOON = 14 * 86400.0
_DAY = 86400.0


@check(
    "MAAS-310",
    "certificates are issued",
    Category.certificates,
    phases=AFTER,
    wanted="each Certificate of the platform is Ready",
    looks="cert-manager's Certificates in the namespaces of gateways, models and Kuadrant, and those whose Secret a "
    "listener names.",
    why="A listener whose certificate was not issued is not programmed: https does not work.",
    mend="Look at the CertificateRequest and the issuer that the message names.",
    covers=("6. Cert-Manager", "TLS termination at edge (OpenShift Routes)"),
)
def issued(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = _certificates(facts, asked)
    bad = [certificate for certificate in found if text(_ready(certificate), "status") != "True"]
    for certificate in bad:
        about, ready = ours.shown(kinds.CERTIFICATE, certificate), _ready(certificate)
        seen = Seen(about, "status.conditions[Ready]", conditions.status(ready))
        issuer = f"{text(certificate, 'spec', 'issuerRef', 'kind') or 'Issuer'} {_issuer(certificate)}"
        remedy = Remedy(
            f"Look at its requests, and at {issuer}.",
            (f"kubectl describe certificate,certificaterequest -n {word(namespace(certificate))}",),
        )
        yield failed(f"is not ready: {conditions.why(ready)}", seen, remedy=remedy, about=about)
    if not bad:
        yield passed(f"{len(found)} ready: {names(map(name, found))}") if found else skipped(_NONE)


_NONE = "there is no Certificate; TLS may end elsewhere: MAAS-312"


@check(
    "MAAS-311",
    "certificates are not about to expire",
    Category.certificates,
    phases=AFTER,
    wanted="no renewal overdue; where no renewal is planned, 14 days left, or a third of a shorter life",
    looks="status.notBefore, notAfter and renewalTime of the same Certificates, against the time of the facts.",
    why="With an expired certificate every client refuses to connect, at once and all together.",
    mend="Have it renewed: cmctl renew, or delete its Secret; look why cert-manager did not.",
    covers=("6. Cert-Manager",),
    after=("MAAS-310",),
)
def expiry(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = _certificates(facts, asked)
    if not found:
        yield skipped(_NONE)
        return
    bad = [outcome for certificate in found if (outcome := _expires(certificate, facts.taken_at))]
    yield from bad
    dated = [end for certificate in found if (end := moment(text(certificate, "status", "notAfter"))) is not None]
    if not bad and dated:
        yield passed(f"the first of {len(dated)} expires in {_span(min(dated) - facts.taken_at)}")
    elif not bad:
        yield unknown("no Certificate says when it ends: MAAS-310")


def _expires(certificate: Object, now: float) -> Outcome | None:
    about, said = ours.shown(kinds.CERTIFICATE, certificate), text(certificate, "status", "notAfter")
    end, seen = moment(said), Seen(about, "status.notAfter", said)
    if end is None:
        return None
    if end <= now:
        return failed(f"expired {_span(now - end)} ago", seen, remedy=_renew(certificate), about=about)
    due = _due(certificate, end)
    if due is not None and due + min(_DAY, (end - due) / 4) < now:  # a moment for whoever renews it
        overdue = Seen(about, "status.renewalTime", text(certificate, "status", "renewalTime"))
        message = f"should have been renewed {_span(now - due)} ago, and expires in {_span(end - now)}"
        return warning(message, overdue, seen, remedy=_renew(certificate), about=about)
    if due is None and end - now < _soon(certificate, end):
        return warning(f"expires in {_span(end - now)}", seen, remedy=_renew(certificate), about=about)
    return None


def _due(certificate: Object, end: float) -> float | None:
    """When cert-manager wants to renew it; None if it does not, or only when it is too late."""
    due = moment(text(certificate, "status", "renewalTime"))
    return due if due is not None and due < end else None


def _soon(certificate: Object, end: float) -> float:
    """What is left of a life when one must look; some certificates live for days only, and all is well with them."""
    begin = moment(text(certificate, "status", "notBefore"))
    return _SOON if begin is None else min(_SOON, max(end - begin, 0.0) / 3)


def _renew(certificate: Object) -> Remedy:
    return Remedy(
        "Have it renewed, and look why cert-manager has not done so.",
        (
            f"cmctl renew {word(name(certificate))} -n {word(namespace(certificate))}",
            "kubectl logs -n cert-manager deploy/cert-manager",
        ),
    )


@check(
    "MAAS-312",
    "keys travel encrypted",
    Category.certificates,
    phases=AFTER,
    wanted="an HTTPS listener, or a Route that ends TLS in front of the gateway",
    looks="The protocols of the gateways' listeners, and the Routes to their Services.",
    why="Over plain http everybody on the way can read API keys and what is asked.",
    mend="Add an HTTPS listener and a TLSPolicy; on OpenShift a Route with edge termination does.",
    covers=("TLS termination at edge (OpenShift Routes)",),
    after=("MAAS-300", "MAAS-305"),
)
def encrypted(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = ours.gateways(facts, asked.namespace)
    if not found:
        yield skipped("there is no gateway: MAAS-300")
    for gateway in found:
        yield _encrypted(facts, gateway)


def _encrypted(facts: Facts, gateway: Object) -> Outcome:
    about = ours.shown(kinds.GATEWAY, gateway)
    protocols = [text(listener, "protocol") for listener in items(gateway, "spec", "listeners")]
    if any(protocol in ("HTTPS", "TLS") for protocol in protocols):
        return passed("has an HTTPS listener", about=about)
    if any(text(r, "spec", "tls", "termination") and not lets_plain_in(r) for r in routes_to(facts, [gateway])):
        return passed(f"a Route ends TLS in front of {about}", about=about)
    remedy = Remedy("Add an HTTPS listener with a certificate, or a Route with edge termination.", step="gateway")
    seen = Seen(about, "spec.listeners[].protocol", ", ".join(protocols))
    said = "speaks plain http only; something else must end TLS in front of it"
    return warning(said, seen, remedy=remedy, about=about)


def _span(seconds: float) -> str:
    return f"{int(seconds // _DAY)} days" if seconds >= 2 * _DAY else f"{int(seconds // 3600)} hours"


def moment(written: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None if it is none."""
    try:
        found = datetime.fromisoformat(written.replace("Z", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _certificates(facts: Facts, asked: Asked) -> list[Object]:
    """In the platform's namespaces, and those whose Secret a listener of the platform names."""
    wanted, named = ours.namespaces(facts, asked.namespace), set(_secrets_of_listeners(facts, asked))
    return [
        certificate
        for certificate in facts.all(kinds.CERTIFICATE)
        if namespace(certificate) in wanted
        or (namespace(certificate), text(certificate, "spec", "secretName")) in named
    ]


def _secrets_of_listeners(facts: Facts, asked: Asked) -> Iterator[tuple[str, str]]:
    """With a ReferenceGrant they may be anywhere."""
    for gateway in ours.known_gateways(facts, asked.namespace):
        for listener in items(gateway, "spec", "listeners"):
            for ref in items(listener, "tls", "certificateRefs"):
                yield text(ref, "namespace") or namespace(gateway), text(ref, "name")


def _ready(certificate: Object) -> Object:
    return condition(certificate, "Ready")


def _issuer(certificate: Object) -> str:
    return text(mapping(certificate, "spec", "issuerRef"), "name") or "?"
