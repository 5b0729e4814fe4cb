"""Whether the gateway's ports can be had, asked before anything is started: then the answer names the port."""

import errno
import socket
from collections.abc import Iterable

from maas.domain.errors import Conflict
from maas.domain.platform import Gateway


def require_free(gateway: Gateway, running: Gateway | None = None) -> None:
    """Raises Conflict that names every port that is taken, and where another one is set.

    running: what we listen on already, if we do.
    """
    wanted = {"http_port": gateway.http_port, "https_port": gateway.https_port, "metrics_port": gateway.metrics_port}
    own = {running.http_port, running.https_port, running.metrics_port} if running else set()
    taken = [
        f"port {port} (gateway.{name})"
        for name, port in wanted.items()
        if port not in own and _taken(gateway.bind, port)
    ]
    if taken:
        raise Conflict(_message(taken))


def _taken(host: str, port: int) -> bool:
    """TIME_WAIT is no obstacle, as it is none for Envoy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise Conflict(f"can't listen on {host}, port {port}: {error.strerror}") from error
    return False


def _message(taken: Iterable[str]) -> str:
    return f"another program uses {', '.join(taken)}; stop it, or set another port in maas.yaml"
