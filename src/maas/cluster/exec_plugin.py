"""Credentials from a program: aws, gke-gcloud-auth-plugin, kubelogin, and whatever else a kubeconfig names under exec.

The contract is client.authentication.k8s.io, v1 and v1beta1: KUBERNETES_EXEC_INFO in the environment, an
ExecCredential on stdout, and nobody's patience tried: a program that may not ask gets no stdin and a minute.
"""

import base64
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from maas.cluster.aside import run
from maas.cluster.credentials import NOBODY, Identity, bearer, blob
from maas.cluster.facts.redaction import scrubbed
from maas.cluster.failures import BadKubeconfig, LoginFailed
from maas.cluster.kubeconfig import Entry, Login
from maas.cluster.objects import flag, items, mapping, text, texts

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_PATIENCE = 60.0
_PATIENCE_WITH_PEOPLE = 300.0
_BEFORE_EXPIRY = 10.0
_LOOKS_SECRET = re.compile(r"(?=\S*\d)[A-Za-z0-9_\-+=.]{40,}")


@dataclass(frozen=True)
class ExecPlugin:
    login: Login
    base: Identity = NOBODY
    patience: float | None = None
    renewable: bool = field(default=True, init=False)

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.login.user.mapping("exec")

    @property
    def interactive(self) -> bool:
        mode = text(self.spec, "interactiveMode")
        if mode == "Always" and not _at_a_terminal():
            raise LoginFailed(f"{self._name} wants to ask you something (interactiveMode: Always), on a terminal only")
        return mode != "Never" and _at_a_terminal()

    @property
    def _name(self) -> str:
        return f"The credential plug-in {text(self.spec, 'command')!r} of context {self.login.context!r}"

    async def identity(self) -> Identity:
        version = text(self.spec, "apiVersion")
        if version not in _VERSIONS:
            raise BadKubeconfig(f"{self._name} speaks {version!r}; {' or '.join(_VERSIONS)} is understood")
        return self._identity(await self._output(), version)

    async def _output(self) -> bytes:
        patience = self.patience or (_PATIENCE_WITH_PEOPLE if self.interactive else _PATIENCE)
        command = [self._program(), *texts(self.spec, "args")]
        try:
            ended = await run(command, patience=patience, environment=self._environment(), talks=self.interactive)
        except TimeoutError:
            raise LoginFailed(f"{self._name} gave no answer within {patience:g} seconds") from None
        except OSError as error:
            raise LoginFailed(f"{self._name} cannot be run: {error.strerror}{self._hint}") from None
        if ended.code:
            said = _shown(ended.errors)
            raise LoginFailed(f"{self._name} failed with exit code {ended.code}" + (f": {said}" if said else ""))
        return ended.output

    def _program(self) -> str:
        command = text(self.spec, "command")
        if not command:
            raise BadKubeconfig(f"exec of the user in context {self.login.context!r} names no command")
        if os.sep in command:
            command = str(self.login.user.folder / command)
        found = shutil.which(command, path=self._environment().get("PATH"))
        if found is None:
            raise LoginFailed(f"{self._name} is not installed{self._hint}")
        return found

    @property
    def _hint(self) -> str:
        hint = text(self.spec, "installHint").strip()
        return f". {hint}" if hint else ""

    def _environment(self) -> dict[str, str]:
        own = {text(each, "name"): text(each, "value") for each in items(self.spec, "env") if text(each, "name")}
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(self._info())}

    def _info(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"interactive": self.interactive}
        if flag(self.spec, "provideClusterInfo"):
            spec["cluster"] = _cluster(self.login)
        return {"kind": "ExecCredential", "apiVersion": text(self.spec, "apiVersion"), "spec": spec}

    def _identity(self, output: bytes, version: str) -> Identity:
        answer = self._parsed(output)
        if text(answer, "apiVersion") != version or text(answer, "kind") != "ExecCredential":
            raise LoginFailed(f"{self._name} answered in another language than {version} ExecCredential")
        token = text(answer, "status", "token")
        certificate = text(answer, "status", "clientCertificateData").encode()
        key = text(answer, "status", "clientKeyData").encode()
        if not token and not (certificate and key):
            raise LoginFailed(f"{self._name} gave neither a token nor a client certificate with its key")
        return Identity(
            bearer(token) if token else "",
            certificate or self.base.certificate,
            key or self.base.key,
            _expiry(text(answer, "status", "expirationTimestamp")),
        )

    def _parsed(self, output: bytes) -> object:
        try:
            return json.loads(output)
        except ValueError:
            raise LoginFailed(f"{self._name} did not answer in JSON") from None


def _shown(errors: bytes) -> str:
    """The end of what it complained of, without the credentials that some programs put there."""
    return _LOOKS_SECRET.sub("…", scrubbed(errors.decode(errors="replace"))).strip()[-400:]


def _at_a_terminal() -> bool:
    """Services have no stdin at all, or a closed one."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _cluster(login: Login) -> dict[str, Any]:
    cluster = login.cluster
    known = {
        "server": login.server,
        "tls-server-name": cluster.text("tls-server-name"),
        "insecure-skip-tls-verify": cluster.flag("insecure-skip-tls-verify"),
        "certificate-authority-data": base64.b64encode(blob(cluster, "certificate-authority")).decode(),
        "proxy-url": cluster.text("proxy-url"),
        "config": _extension(cluster),
    }
    return {key: value for key, value in known.items() if value}


def _extension(cluster: Entry) -> Mapping[str, Any]:
    wanted = "client.authentication.k8s.io/exec"
    found = (mapping(e, "extension") for e in items(cluster.fields, "extensions") if text(e, "name") == wanted)
    return next(found, {})


def _expiry(written: str) -> float | None:
    try:
        return datetime.fromisoformat(written.replace("Z", "+00:00")).timestamp() - _BEFORE_EXPIRY
    except ValueError:
        return None
