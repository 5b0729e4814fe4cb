"""TLS: which certificates of the server are believed, and our own."""

import os
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path

from maas.cluster.credentials import Identity
from maas.cluster.failures import BadKubeconfig


def context(authority: bytes = b"", identity: Identity | None = None, *, insecure: bool = False) -> ssl.SSLContext:
    """authority: PEM; without it, what the machine trusts."""
    made = ssl.create_default_context()
    # Python 3.13 began to refuse authorities without a key identifier, which clusters made by older tools have.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if authority:
        made = _only(authority)
    if insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if identity and identity.certificate:
        _present(made, identity)
    return made


def _only(authority: bytes) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        made.load_verify_locations(cadata=authority.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise BadKubeconfig("certificate-authority in the kubeconfig holds no certificates in PEM form") from None
    return made


def _present(made: ssl.SSLContext, identity: Identity) -> None:
    """OpenSSL's binding takes keys from files only: this one is in memory, or private and gone at once."""
    descriptor, path = _private_file()
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(identity.certificate + b"\n" + identity.key)
        made.load_cert_chain(path, password=lambda: "")
    except ssl.SSLError:
        raise BadKubeconfig(
            "The client certificate and key cannot be used: they are not PEM, don't belong together, or the key "
            "has a passphrase"
        ) from None
    finally:
        os.close(descriptor)
        if not path.startswith("/proc/"):
            Path(path).unlink()


def _private_file() -> tuple[int, str]:
    if Path("/proc/self/fd").is_dir():
        with suppress(AttributeError, OSError):
            descriptor = os.memfd_create("identity")
            return descriptor, f"/proc/self/fd/{descriptor}"
    return tempfile.mkstemp(prefix="maas-")
