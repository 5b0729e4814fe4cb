"""Whether clients reach the gateway at all, and whether what they send can be read on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from maas.readiness.findings import Outcome, Remedy, Seen, failed, passed, warning
from maas.readiness.traffic.answers import MODELS
from maas.readiness.traffic.declaring import live
from maas.readiness.traffic.site import Endpoint

if TYPE_CHECKING:
    from maas.readiness.traffic.visit import Visit

_LOCAL = ("http://127.", "http://localhost", "http://[::1]")


@live(
    "MAAS-500",
    "the gateway answers at its address",
    wanted="an HTTP answer from the address that clients use",
    looks="A request for /v1/models at each address: of the Gateway's status, of its Routes, or of --url.",
    why="All else that is said of the platform is worth nothing to clients who cannot reach it.",
    mend="Look at DNS, the load balancer and the Route; --url names an address that this machine can reach.",
    covers=("Ingress", "Ports", "Wildcard DNS for application routes"),
    after=("MAAS-301", "MAAS-303", "MAAS-305"),
)
async def answers(visit: Visit) -> AsyncIterator[Outcome]:
    if not visit.answers:
        remedy = Remedy("Name an address that this machine can reach.", ("maas validate --url https://HOST",))
        yield failed("no address of the gateway is known", remedy=remedy)
    for endpoint, answer in visit.answers.items():
        if answer.status:
            yield passed(f"answers within {answer.seconds * 1000:.0f} ms", about=str(endpoint))
        else:
            seen = Seen(f"GET {endpoint.base}{MODELS}", value=answer.said)
            yield failed(f"answers {answer.said}", seen, remedy=_reach(endpoint), about=str(endpoint))


def _reach(endpoint: Endpoint) -> Remedy:
    host = f" -H 'Host: {endpoint.host}'" if endpoint.host else ""
    return Remedy(
        "Look whether this machine can reach it; if another address can be reached, name that with --url.",
        (f"curl -vk{host} {endpoint.base}{MODELS}",),
    )


@live(
    "MAAS-501",
    "the gateway's certificate can be verified",
    wanted="https, with a certificate that clients' machines believe and that names the host",
    looks="The TLS handshake at each https address, with this machine's certificate authorities (and the local one).",
    why="Over http everybody on the way can read keys; a certificate that nobody verifies proves nothing.",
    mend="Get a certificate from an authority that clients know; until then give them the CA's certificate.",
    covers=("TLS termination at edge (OpenShift Routes)", "6. Cert-Manager"),
    after=("MAAS-500", "MAAS-310", "MAAS-311"),
)
async def certificate(visit: Visit) -> AsyncIterator[Outcome]:
    for endpoint in visit.answers:
        about = str(endpoint)
        if endpoint in visit.distrusted:
            why = visit.distrusted[endpoint]
            remedy = Remedy("Give clients the certificate of the CA, or get one from a CA that they know.")
            said = f"the certificate cannot be verified: {why}"
            yield warning(said, Seen(about, "certificate", why), remedy=remedy, about=about)
        elif endpoint.is_secure:
            yield passed("the certificate is verified", about=about)
        elif endpoint.base.startswith(_LOCAL):
            yield passed("is http, which never leaves this machine", about=about)
        else:
            remedy = Remedy("Add an HTTPS listener (a TLSPolicy makes its certificate), or a Route with edge TLS.")
            yield warning("is http: keys travel readably", remedy=remedy, about=about)
    if not visit.answers:
        from maas.readiness.findings import skipped

        yield skipped("no address of the gateway is known: MAAS-500")
