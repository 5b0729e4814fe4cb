"""Where the embedded platform keeps its things: one folder, readable by its owner only."""

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_SOCKET_PATH_MAX = 107  # sockaddr_un.sun_path, less the closing NUL
_LONGEST_SOCKET_NAME = len("0123456789ab.sock")  # of a model's instance


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
    def weights(self) -> Path:
        """Of models, as they were brought here."""
        return self.root / "weights"

    @property
    def run(self) -> Path:
        """What should run, what does, and who sees to it."""
        return self.root / "run"

    @property
    def sockets(self) -> Path:
        """`run`, or a folder in /tmp if that is too long for a socket's address.

        The same for everybody who means this home: whatever the environment is, and through links. Raises
        PermissionError when somebody else has made it.
        """
        real = os.path.realpath(self.root)
        inside = Path(real) / "run"
        if len(os.fsencode(inside)) + 1 + _LONGEST_SOCKET_NAME <= _SOCKET_PATH_MAX:
            return inside
        digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
        outside = Path("/tmp") / f"maas-{os.getuid()}-{digest}"  # noqa: S108 (looked at before it is used)
        with contextlib.suppress(FileNotFoundError):
            _require_ours(outside, outside.lstat())
        return outside

    @property
    def admission_socket(self) -> Path:
        return self.sockets / "admission.sock"

    @property
    def api_socket(self) -> Path:
        return self.sockets / "api.sock"

    @property
    def admin_socket(self) -> Path:
        """Envoy's own administration."""
        return self.sockets / "envoy.sock"

    def model_socket(self, instance: str) -> Path:
        return self.sockets / f"{instance}.sock"

    def prepare(self) -> None:
        """Make the folders, closed to others. Raises PermissionError when one of them is somebody else's."""
        self.hold("secrets", "tls", "state", "journal", "envoy", "logs", "run")
        _make(self.sockets)

    def hold(self, *folders: str) -> None:
        """As `prepare`, of these folders alone: a platform on a cluster keeps little here."""
        for folder in (self.root, *(self.root / name for name in folders)):
            _make(folder)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_ours(folder, folder.stat())
    folder.chmod(0o700)


def _require_ours(folder: Path, found: os.stat_result) -> None:
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} belongs to another user, or is no folder")
