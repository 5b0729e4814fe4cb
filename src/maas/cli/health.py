"""What the control plane says of its parts, asked with the standard library alone: `maas status` has to be quick."""

import http.client
import json
import socket

from maas.embedded.home import Home

OK = "ok"
_TIMEOUT = 2.0  # seconds; as long as the gateway waits for admission, which is the same process


def parts(home: Home) -> dict[str, str]:
    """By name: "ok", or what is wrong. A control plane that has no good answer is one part, with that as its fault."""
    connection = _UnixConnection(str(home.api_socket))
    try:
        connection.request("GET", "/health")
        return {str(name): str(said) for name, said in json.load(connection.getresponse())["parts"].items()}
    except TimeoutError:
        return {"control": f"its process runs, but does not answer within {_TIMEOUT:g} s"}
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError) as error:
        return {"control": f"its process runs, but gives no good answer: {error!r}"}
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("maas", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(self._path)
