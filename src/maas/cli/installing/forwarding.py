"""A way to a gateway that has no address outside of its cluster: `kubectl port-forward`, for as long as it is needed.

kubectl, because every administrator has and trusts it; where it is missing, people are told the command instead.
"""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Queue

from maas.cli.installing.options import Cluster
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, items, name, namespace, number, text
from maas.cluster.shell import word
from maas.cluster.stack import ends, ours
from maas.cluster.wanted import Target, Wanted

LOCAL = 8443  # the port that people are told to use
_OPENING = 15.0  # seconds
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Open:
    url: str


@dataclass(frozen=True)
class Closed:
    why: str


@dataclass(frozen=True)
class Entry:
    """The Service before a gateway, and the port of it that is to be taken."""

    namespace: str
    service: str
    port: int
    scheme: str


def entry(wanted: Wanted) -> Entry:
    """On OpenShift it takes plain http, from the router."""
    plain = wanted.site.target is Target.openshift
    return Entry(wanted.namespace, wanted.site.gateway_service, *((80, "http") if plain else (443, "https")))


def entry_in(facts: Facts, preferred: str) -> Entry | None:
    """Of the first gateway of the platform that has a Service; https where it listens for that."""
    for gateway in ours.known_gateways(facts, preferred):
        for service in ends.services_of(facts, gateway):
            served = {number(each, "port") for each in items(service, "spec", "ports")}
            for port, scheme in sorted(_listened(gateway), key=lambda each: each[1] != "https"):
                if port in served:
                    return Entry(namespace(service), name(service), port, scheme)
    return None


def _listened(gateway: Object) -> Iterator[tuple[int, str]]:
    for listener in items(gateway, "spec", "listeners"):
        port, scheme = number(listener, "port"), text(listener, "protocol").lower()
        if port and scheme in ("http", "https"):
            yield port, scheme


def command(cluster: Cluster, entry: Entry) -> str:
    """For a shell."""
    return " ".join(word(part) for part in _command(entry, cluster, f"{LOCAL}:{entry.port}"))


@contextmanager
def opened(cluster: Cluster, entry: Entry) -> Iterator[Open | Closed]:
    if shutil.which("kubectl") is None:
        yield Closed("the gateway has no address that can be reached from here, and there is no kubectl")
        return
    with subprocess.Popen(
        _command(entry, cluster, f":{entry.port}"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as forward:
        try:
            found, said = _local_port(forward)
            yield Open(f"{entry.scheme}://127.0.0.1:{found}") if found else Closed(f"kubectl port-forward: {said}")
        finally:
            forward.terminate()


def _command(entry: Entry, cluster: Cluster, ports: str) -> list[str]:
    named = ["--context", cluster.context] if cluster.context else []
    named += ["--kubeconfig", str(cluster.kubeconfig)] if cluster.kubeconfig else []
    return ["kubectl", "port-forward", *named, "-n", entry.namespace, f"svc/{entry.service}", ports]


def _local_port(forward: "subprocess.Popen[str]") -> tuple[str, str]:
    """The port that it chose, or "" and its last words."""
    lines: Queue[str | None] = Queue()
    threading.Thread(target=_read, args=(forward, lines), daemon=True).start()
    said = f"nothing within {_OPENING:g} s"
    try:
        while (line := lines.get(timeout=_OPENING)) is not None:
            said = line.strip()
            if match := _FORWARDING.search(line):
                return match[1], said
    except Empty:
        pass
    return "", said


def _read(forward: "subprocess.Popen[str]", lines: "Queue[str | None]") -> None:
    """Until its end, or its pipe would fill up."""
    assert forward.stdout is not None
    for line in forward.stdout:
        lines.put(line)
    lines.put(None)
