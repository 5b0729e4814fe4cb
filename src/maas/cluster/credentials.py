"""Who we are to the API server: the headers and the client certificate that say so, and how to renew them.

Every way that kubeconfigs know: client certificates, tokens, token files, user and password, exec plug-ins
(exec_plugin.py), and the OIDC provider of old (oidc.py). In a pod it is the service account's token file, which the
kubelet replaces every hour or so: files are read again now and then, and at once after a 401.
"""

import base64
import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from maas.cluster import reading_files
from maas.cluster.aside import aside
from maas.cluster.failures import BadKubeconfig, LoginFailed
from maas.cluster.kubeconfig import Entry
from maas.cluster.objects import texts

_FILE_IS_FRESH_FOR = 60.0  # seconds, as client-go


@dataclass(frozen=True)
class Identity:
    """authorization: of the header; certificate and key: PEM."""

    authorization: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires: float | None = None  # seconds since the epoch

    def is_fresh(self, now: float) -> bool:
        return self.expires is None or now < self.expires


NOBODY = Identity()


class Credentials(Protocol):
    @property
    def interactive(self) -> bool:
        """Whether somebody may be asked something, which takes as long as it takes."""

    @property
    def renewable(self) -> bool:
        """Whether a second identity may be better than the one that was not accepted."""

    async def identity(self) -> Identity:
        """A new one. Raises LoginFailed, BadKubeconfig."""


@dataclass(frozen=True)
class Fixed:
    known: Identity
    interactive: bool = False
    renewable: bool = False

    async def identity(self) -> Identity:
        return self.known


@dataclass(frozen=True)
class TokenFile:
    path: Path
    base: Identity = NOBODY
    interactive: bool = False
    renewable: bool = True

    async def identity(self) -> Identity:
        try:
            token = (await aside(lambda: reading_files.whole(self.path))).decode().strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise LoginFailed(f"The token file {self.path} cannot be read: {reason}") from None
        if not token:
            raise LoginFailed(f"The token file {self.path} is empty")
        expires = time.time() + _FILE_IS_FRESH_FOR
        return Identity(bearer(token), self.base.certificate, self.base.key, expires)


def bearer(token: str) -> str:
    if not token.isascii() or not token.isprintable():
        raise LoginFailed("The token holds characters that no token has: was it pasted with a line break?")
    return f"Bearer {token}"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def certificate_of(user: Entry) -> Identity:
    certificate = blob(user, "client-certificate")
    key = blob(user, "client-key")
    if bool(certificate) != bool(key):
        missing = "client-key" if certificate else "client-certificate"
        raise BadKubeconfig(f"The user in the kubeconfig has one half of a client certificate: {missing} is missing")
    return Identity(certificate=certificate, key=key)


def blob(entry: Entry, name: str) -> bytes:
    """What `name-data` holds inline, or the file that `name` names. The data wins, as in kubectl."""
    if inline := entry.text(f"{name}-data"):
        try:
            return base64.b64decode(inline, validate=True)
        except binascii.Error:
            raise BadKubeconfig(f"{name}-data in the kubeconfig is not base64") from None
    path = entry.path(name)
    if path is None:
        return b""
    try:
        return reading_files.whole(path)
    except OSError as error:
        raise BadKubeconfig(f"{name} of the kubeconfig cannot be read: {path}: {error.strerror}") from None


def impersonation(user: Entry) -> list[tuple[str, str]]:
    """As headers."""
    headers = [("Impersonate-User", user.text("as"))] if user.text("as") else []
    headers += [("Impersonate-Uid", user.text("as-uid"))] if user.text("as-uid") else []
    headers += [("Impersonate-Group", group) for group in user.texts("as-groups")]
    extra: Mapping[str, object] = user.mapping("as-user-extra")
    headers += [(f"Impersonate-Extra-{key}", value) for key in extra for value in texts(extra, key)]
    if headers and not user.text("as"):
        raise BadKubeconfig("The kubeconfig impersonates groups without a user: as-groups needs `as`")
    return headers
