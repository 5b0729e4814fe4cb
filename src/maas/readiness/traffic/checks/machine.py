"""The platform on this machine, before traffic is sent through it: processes, parts, ports, certificate, disk.

What these looks need is imported when they look: the catalogue has to load fast.
"""

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Collection, Iterator

from maas.cluster.facts.model import Facts
from maas.domain.errors import MaasError
from maas.domain.platform import Platform
from maas.embedded.home import Home
from maas.embedded.supervisor.status import READY, ProcessStatus
from maas.readiness.catalogue import MACHINE, Asked, Phase, check, checks
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Finding, Outcome, Remedy, Seen, failed, passed, skipped, unknown, warning
from maas.readiness.judging import findings, is_chosen

_ASK = 5.0  # seconds
_SOON = 14 * 86400.0
_LEAST_FREE, _FEW_FREE = 200 << 20, 1 << 30  # bytes; journals and ledger grow while the platform runs
_UP = Remedy("Start it.", ("maas up",))

Look = Callable[[Home], Iterator[Outcome]]
LOOKS: dict[str, Look] = {}


def examine(home: Home, *, only: Collection[str] = (), skip: Collection[str] = ()) -> tuple[Finding, ...]:
    chosen = [c for c in checks() if Phase.machine in c.phases and is_chosen(c, only, skip)]
    return findings((check, outcome) for check in chosen for outcome in _looked(LOOKS[check.code], home))


def _looked(look: Look, home: Home) -> list[Outcome]:
    try:
        return list(look(home))
    except (MaasError, OSError) as error:
        return [unknown(str(error))]


def on_this_machine(
    code: str, title: str, *, wanted: str, looks: str, why: str, mend: str, after: tuple[str, ...] = ()
) -> Callable[[Look], Look]:
    def declared(look: Look) -> Look:
        declare = check(
            code,
            title,
            Category.machine,
            wanted=wanted,
            looks=looks,
            why=why,
            mend=mend,
            phases=MACHINE,
            after=after,
        )
        declare(_elsewhere)
        LOOKS[code] = look
        return look

    return declared


def _elsewhere(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield skipped("is about the platform on this machine, and not about a cluster")


@on_this_machine(
    "MAAS-520",
    "every process of the platform is ready",
    wanted="supervisor, control plane, gateway and models run",
    looks="What the supervisor says of each process: as `maas status` does.",
    why="What does not run serves nobody.",
    mend="maas up starts it; maas logs NAME says why a process died.",
)
def processes(home: Home) -> Iterator[Outcome]:
    from maas.embedded.supervisor import client

    current = client.status(home)
    if current is None:
        yield failed("the platform is not running", Seen(str(home.root)), remedy=_UP)
        return
    for process in current.processes:
        if process.state != READY:
            yield _not_ready(process)
    if all(process.state == READY for process in current.processes):
        yield passed(f"{len(current.processes)} processes are ready")


def _not_ready(process: ProcessStatus) -> Outcome:
    died = f", died before ({process.last_exit})" if process.last_exit else ""
    remedy = Remedy("Read its log.", (f"maas logs {process.name}",))
    seen = Seen(process.name, "state", process.state)
    return failed(f"{process.name} is {process.state}{died}", seen, remedy=remedy, about=process.name)


@on_this_machine(
    "MAAS-521",
    "every part of the control plane works",
    wanted='"ok" of each part: store, journal, admission, gateway',
    looks="GET /health of the management API.",
    why="A process can run while its store is out of reach: then keys cannot be looked up or made.",
    mend="Do what the part says; maas logs control says more.",
    after=("MAAS-520",),
)
def parts(home: Home) -> Iterator[Outcome]:
    said = _health(home)
    bad = {name: word for name, word in said.items() if word != "ok"}
    for name, word in bad.items():
        remedy = Remedy("Read the log of the control plane.", ("maas logs control",))
        yield failed(f"{name}: {word}", Seen("GET /health", name, word), remedy=remedy, about=name)
    if not bad:
        yield passed(names(said, 10))


def _health(home: Home) -> dict[str, str]:
    """A control plane that gives no good answer is one part, with that as its fault."""
    import httpx

    if not home.api_socket.exists():  # httpx would leave a socket open that never connected
        return {"control": f"does not listen: there is no {home.api_socket}"}
    transport = httpx.HTTPTransport(uds=str(home.api_socket))
    try:
        with httpx.Client(transport=transport, base_url="http://maas", timeout=_ASK) as http:
            found = http.get("/health").json()["parts"]
            return {str(name): str(word) for name, word in found.items()}
    except (httpx.HTTPError, json.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
        return {"control": f"gives no good answer: {str(error) or type(error).__name__}"}


@on_this_machine(
    "MAAS-522",
    "the gateway's ports accept connections",
    wanted="a connection to each port: http, https, metrics",
    looks="TCP connections to the addresses in maas.yaml.",
    why="A port that another program took, or that nobody listens on, is where clients find somebody else, or nobody.",
    mend="Stop the other program, or set another port in maas.yaml; then maas restart.",
    after=("MAAS-520",),
)
def ports(home: Home) -> Iterator[Outcome]:
    from maas.embedded import addresses

    listening = addresses.listening(_platform(home).gateway)
    for setting, (host, port) in listening.items():
        reached = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host  # noqa: S104 (compared)
        try:
            socket.create_connection((reached, port), timeout=_ASK).close()
        except OSError as error:
            said = f"nobody listens on {addresses.in_url(host)}:{port} (gateway.{setting}): {error.strerror or error}"
            yield failed(said, Seen(f"{host}:{port}"), remedy=_UP, about=f"gateway.{setting}")
            continue
        yield passed(f"{addresses.in_url(host)}:{port}", about=f"gateway.{setting}")


@on_this_machine(
    "MAAS-523",
    "the gateway's certificate is not about to expire",
    wanted="14 days left at least",
    looks="The end of the certificate that is served: the local CA's, or gateway.certificate.",
    why="With an expired certificate every client refuses to connect.",
    mend="The local one is renewed by maas restart; your own: put the new one in its place, then maas up.",
)
def certificate(home: Home) -> Iterator[Outcome]:
    from cryptography import x509

    gateway = _platform(home).gateway
    path = gateway.certificate or str(home.server_certificate)
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a path as the user wrote it
            end = x509.load_pem_x509_certificates(file.read())[0].not_valid_after_utc.timestamp()
    except ValueError:
        yield failed(f"{path} holds no PEM certificate", Seen(path), remedy=Remedy("Put one there."))
        return
    left, seen = end - time.time(), Seen(path, "not valid after", time.strftime("%Y-%m-%d", time.gmtime(end)))
    remedy = Remedy("Renew it.", ("maas restart",) if not gateway.certificate else ("maas up",))
    if left <= 0:
        yield failed(f"{path} expired {-left / 86400:.0f} days ago", seen, remedy=remedy)
    elif left < _SOON:
        yield warning(f"{path} expires in {left / 86400:.0f} days", seen, remedy=remedy)
    else:
        yield passed(f"{left / 86400:.0f} days left")


@on_this_machine(
    "MAAS-524",
    "there is room on the disk",
    wanted="1 GiB free where the platform keeps its things",
    looks="Free bytes and inodes of the file system of $MAAS_HOME.",
    why="A full disk stops the ledger: requests are refused, since what cannot be counted is not served.",
    mend="Make room; usage.days in maas.yaml bounds how long records are kept.",
)
def disk(home: Home) -> Iterator[Outcome]:
    free, of = shutil.disk_usage(home.root).free, os.statvfs(home.root)
    seen = Seen(str(home.root), "free", f"{free >> 20} MiB")
    remedy = Remedy("Make room on the disk.", (f"df -h {home.root}", f"du -sh {home.root}/*"))
    if free < _LEAST_FREE or (of.f_files and of.f_favail < 100):
        yield failed(f"{free >> 20} MiB and {of.f_favail} inodes are free", seen, remedy=remedy)
    elif free < _FEW_FREE:
        yield warning(f"{free >> 20} MiB are free", seen, remedy=remedy)
    else:
        yield passed(f"{free / (1 << 30):.1f} GiB are free")


def _platform(home: Home) -> Platform:
    from maas.embedded import platform as embedded

    return embedded.applied(home)
