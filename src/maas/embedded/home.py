"""Where the embedded platform keeps its things: one folder, readable by its owner only."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

_SOCKET_PATH_MAX = 107  # sockaddr_un.sun_path, less the closing NUL
_LONGEST_SOCKET_NAME = 40


def default_root() -> Path:
    """$MAAS_HOME, or `maas` in the XDG data folder."""
    if home := os.environ.get("MAAS_HOME"):
        return Path(home).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "maas"


@dataclass(frozen=True)
class Home:
    root: Path

    @property
    def config(self) -> Path:
        return self.root / "maas.yaml"

    @property
    def applied(self) -> Path:
        """The platform file that is in force, while maas.yaml may be being edited."""
        return self.root / "state" / "applied.yaml"

    @property
    def pepper(self) -> Path:
        return self.root / "secrets" / "pepper"

    @property
    def ca_key(self) -> Path:
        return self.root / "secrets" / "ca.key"

    @property
    def server_key(self) -> Path:
        return self.root / "secrets" / "server.key"

    @property
    def ca_certificate(self) -> Path:
        return self.root / "tls" / "ca.crt"

    @property
    def server_certificate(self) -> Path:
        return self.root / "tls" / "server.crt"

    @property
    def database(self) -> Path:
        return self.root / "state" / "maas.db"

    @property
    def journal(self) -> Path:
        """Decisions of admission, and Envoy's access log: what the ledger and the counters are made of."""
        return self.root / "journal"

    @property
    def access_log(self) -> Path:
        return self.journal / "access.log"

    @property
    def envoy(self) -> Path:
        """Envoy's bootstrap and its dynamic configuration."""
        return self.root / "envoy"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Sockets and process state. Elsewhere if the home's path is too long for a socket's address."""
        inside = self.root / "run"
        if len(os.fsencode(inside)) + 1 + _LONGEST_SOCKET_NAME <= _SOCKET_PATH_MAX:
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"maas-{os.getuid()}-{digest}"  # noqa: S108

    @property
    def admission_socket(self) -> Path:
        return self.run / "admission.sock"

    @property
    def api_socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def admin_socket(self) -> Path:
        """Envoy's own administration."""
        return self.run / "envoy.sock"

    def model_socket(self, instance: str) -> Path:
        return self.run / f"{instance}.sock"

    def prepare(self) -> None:
        """Make the folders, closed to others. Raises PermissionError when one of them is somebody else's."""
        inside = ("secrets", "tls", "state", "journal", "envoy", "logs")
        for folder in (self.root, *(self.root / name for name in inside), self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to another user")
            folder.chmod(0o700)
