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
from maas.cluster.shell import word
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


def port(wanted: Wanted) -> int:
    """Of the gateway's Service: on OpenShift it takes plain http from the router."""
    return 80 if wanted.site.target is Target.openshift else 443


def command(cluster: Cluster, wanted: Wanted) -> str:
    """For a shell."""
    return " ".join(word(part) for part in _command(wanted, cluster, f"{LOCAL}:{port(wanted)}"))


@contextmanager
def opened(cluster: Cluster, wanted: Wanted) -> Iterator[Open | Closed]:
    if shutil.which("kubectl") is None:
        yield Closed("the gateway has no address that can be reached from here, and there is no kubectl")
        return
    scheme = "http" if wanted.site.target is Target.openshift else "https"
    with subprocess.Popen(
        _command(wanted, cluster, f":{port(wanted)}"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as forward:
        try:
            found, said = _local_port(forward)
            yield Open(f"{scheme}://127.0.0.1:{found}") if found else Closed(f"kubectl port-forward: {said}")
        finally:
            forward.terminate()


def _command(wanted: Wanted, cluster: Cluster, ports: str) -> list[str]:
    named = ["--context", cluster.context] if cluster.context else []
    named += ["--kubeconfig", str(cluster.kubeconfig)] if cluster.kubeconfig else []
    service = f"svc/{wanted.site.gateway_service}"
    return ["kubectl", "port-forward", *named, "-n", wanted.namespace, service, ports]


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
