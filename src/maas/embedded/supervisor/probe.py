"""Whether something at a unix socket's path or at "host:port" accepts connections, or says that it can work."""

import socket

_TIMEOUT = 0.2  # seconds; what listens on this machine answers at once, and the supervisor waits meanwhile
_STATUS = len("HTTP/1.1 200")


def accepts(address: str) -> bool:
    return _asked(address, b"") is not None


def answers(address: str, path: str) -> bool:
    """Whether a GET of this path gets 200."""
    request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    return (_asked(address, request.encode()) or b"").endswith(b" 200")


def _asked(address: str, request: bytes) -> bytes | None:
    """The answer up to its status, if something was asked; None without a connection or an answer."""
    family, target = _parsed(address)
    with socket.socket(family) as connection:
        connection.settimeout(_TIMEOUT)
        try:
            connection.connect(target)
            connection.sendall(request)
            return connection.recv(_STATUS) if request else b""
        except OSError:
            return None


def _parsed(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if "/" in address:
        return socket.AF_UNIX, address
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, (host.strip("[]"), int(port))
