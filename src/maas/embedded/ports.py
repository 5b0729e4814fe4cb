"""Whether the gateway's ports can be had, asked before anything is started: then the answer names the port."""

import errno
import socket
from collections.abc import Iterable

from maas.domain.errors import Conflict
from maas.domain.platform import Gateway
from maas.embedded.addresses import Address, listening


def require_free(gateway: Gateway, running: Gateway | None = None) -> None:
    """Raises Conflict that names every address that is taken, and the setting of its port.

    running: what we listen on already, if we do.
    """
    own = set(listening(running).values()) if running else set()
    ours = {port for _, port in own}
    taken = [
        f"port {address[1]} of {address[0]} (gateway.{setting})"
        for setting, address in listening(gateway).items()
        if address not in own and _taken(address, shared=address[1] in ours)
    ]
    if taken:
        raise Conflict(_message(taken))


def _taken(address: Address, *, shared: bool) -> bool:
    """TIME_WAIT is no obstacle, as it is none for Envoy.

    shared: a port that we have at another address, say 127.0.0.1 when it is to be 0.0.0.0. Envoy shares what is its
    own, and what is somebody else's still is in the way.
    """
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            attempt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        try:
            attempt.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise Conflict(f"can't listen on {host}, port {port}: {error.strerror}") from error
    return False


def _message(taken: Iterable[str]) -> str:
    return f"another program uses {', '.join(taken)}; stop it, or set another port in maas.yaml"
