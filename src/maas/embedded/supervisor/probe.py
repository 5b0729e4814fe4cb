"""Whether something accepts connections at a unix socket's path or at "host:port"."""

import socket

_TIMEOUT = 0.2  # seconds; what listens on this machine answers at once, and the supervisor waits meanwhile


def accepts(address: str) -> bool:
    family, target = _parsed(address)
    with socket.socket(family) as connection:
        connection.settimeout(_TIMEOUT)
        try:
            connection.connect(target)
        except OSError:
            return False
    return True


def _parsed(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if "/" in address:
        return socket.AF_UNIX, address
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, (host.strip("[]"), int(port))
