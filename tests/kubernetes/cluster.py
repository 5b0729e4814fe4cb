"""A real Kubernetes API server for tests: etcd and kube-apiserver with RBAC, ready in about three seconds.

    with running() as cluster:
        cluster.kubeconfig()                      # of an administrator
        cluster.kubeconfig("eve", groups=["dev"])  # of somebody with no rights until a RoleBinding gives them

Starting one is cheap, clearing one is not (CRDs and namespaces take controllers to go away): a test that changes what
others see starts its own, and nobody shares an etcd. No race for ports: the socket that chose the port stays bound
while the server, which shares ports, is there.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from tests.kubernetes.authority import Authority
from tests.kubernetes.definitions import write as write_definitions

ADMINISTRATORS, FRONT_PROXY = "system:masters", "front-proxy"
_BUILD = Path(__file__).parent / "programs" / "build.sh"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Cluster:
    """url: of the API server. folder: gone when the cluster is."""

    folder: Path
    url: str
    authority: Authority
    token: str  # of an administrator

    @property
    def ca(self) -> Path:
        """What signed the server's certificate."""
        return self.authority.certificate

    @property
    def front_proxy(self) -> str:
        """Whose certificate may name others: see front.py."""
        return FRONT_PROXY

    @property
    def etcd(self) -> str:
        """Its socket, which speaks gRPC and JSON over HTTP."""
        return str(self.folder / "etcd.sock")

    def client(self) -> httpx.Client:
        """An administrator's, for relative paths."""
        return httpx.Client(**self._client_settings())

    def async_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(**self._client_settings())

    def kubeconfig(
        self,
        user: str = "admin",
        *,
        groups: Sequence[str] = (),
        url: str | None = None,
        context: str = "test",
        token: str | None = None,
    ) -> Path:
        """A file for somebody with a client certificate, or with that token; url: of a proxy in front.

        "admin" is in the administrators' group; others have only what bindings of RBAC give them and their groups.
        """
        credentials: dict[str, str] = {"token": token} if token else {}
        if token is None:
            wanted = (*groups, ADMINISTRATORS) if user == "admin" else tuple(groups)
            certificate, key = self.authority.client(user, wanted)
            credentials = {"client-certificate": str(certificate), "client-key": str(key)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": context, "cluster": {"server": url or self.url, "certificate-authority": str(self.ca)}}
            ],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user, "namespace": "default"}}],
            "current-context": context,
        }
        handle, path = tempfile.mkstemp(prefix=f"kubeconfig-{user.replace(':', '-')}-", dir=self.folder)
        with os.fdopen(handle, "w") as file:
            json.dump(config, file)  # JSON is YAML
        return Path(path)

    def allow(self, user: str, *rules: dict[str, Any]) -> None:
        """Gives a user these rules of RBAC, cluster-wide: {"apiGroups": [""], "resources": ["pods"], "verbs": […]}.

        They are in force on return: the server's authorizer learns of them from a watch, some moments later.
        """
        name, base = f"test-{user}", "/apis/rbac.authorization.k8s.io/v1"
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
        with self.client() as client:
            for plural, body in (
                ("clusterroles", {"rules": list(rules)}),
                ("clusterrolebindings", {"roleRef": reference, "subjects": [subject]}),
            ):
                client.post(f"{base}/{plural}", json={"metadata": {"name": name}, **body}).raise_for_status()
            deadline = time.monotonic() + _PATIENCE
            while not all(_is_allowed(client, user, rule) for rule in rules if "resources" in rule):
                assert time.monotonic() < deadline, f"{user} is still not allowed {rules}"
                time.sleep(0.02)

    def _client_settings(self) -> dict[str, Any]:
        return {
            "base_url": self.url,
            "headers": {"Authorization": f"Bearer {self.token}"},
            "verify": ssl.create_default_context(cafile=str(self.ca)),
            "timeout": _PATIENCE,
        }


def _is_allowed(client: httpx.Client, user: str, rule: dict[str, Any]) -> bool:
    resource, _, subresource = rule["resources"][-1].partition("/")
    asked = {
        "group": rule["apiGroups"][-1],
        "resource": resource,
        "subresource": subresource,
        "verb": rule["verbs"][-1],
    }
    asked |= {"name": rule["resourceNames"][-1]} if rule.get("resourceNames") else {}
    review = {"spec": {"user": user, "resourceAttributes": asked}}
    answer = client.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json=review).raise_for_status()
    return bool(answer.json()["status"]["allowed"])


@cache
def program(name: str) -> Path | None:
    """Where the environment names it, or our own build has it; None if neither does."""
    if name == "helm":
        places = [Path(os.environ.get("MAAS_HELM") or "/nowhere"), _built("helm") / "helm"]
    else:
        places = [Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nowhere") / name, _built() / name]
    return next((place for place in places if place.is_file()), None)


@cache
def _built(*part: str) -> Path:
    command = ["sh", str(_BUILD), "--where", *part]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def need(*names: str) -> None:
    """Skips the test where one of these programs is not there."""
    missing = [name for name in names if program(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)}: tests/kubernetes/programs/build.sh builds them where Go is")


@contextlib.contextmanager
def running(*options: str, definitions: Sequence[Mapping[str, Any]] = ()) -> Iterator[Cluster]:
    """options: further flags of kube-apiserver. definitions: CRDs, as definitions.stored() has them.

    Skips the test where the programs are missing.
    """
    need("etcd", "kube-apiserver")
    folder = Path(tempfile.mkdtemp(prefix="kube", dir="/tmp"))  # a socket's path has 107 bytes at most
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(etcd(folder))
            write_definitions(folder / "etcd.sock", definitions)
            yield stack.enter_context(api_server(folder, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def etcd(folder: Path) -> Iterator[None]:
    """On a socket in the folder, where what it keeps stays for the next one. Safe from nothing."""
    nowhere = "http://localhost:1"  # it is alone: nobody asks at what it advertises
    socket_path = folder / "etcd.sock"
    command = [
        *("--name=only", f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn"),
        *(f"--listen-client-urls=unix://{socket_path}", f"--advertise-client-urls={nowhere}"),
        *(f"--listen-peer-urls=unix://{folder / 'peer.sock'}", f"--initial-advertise-peer-urls={nowhere}"),
        *(f"--initial-cluster=only={nowhere}", "--quota-backend-bytes=8589934592", "--max-request-bytes=8000000"),
    ]
    with Process.start("etcd", command, folder) as process:
        process.until(socket_path.exists)
        yield


@contextlib.contextmanager
def api_server(folder: Path, options: Sequence[str] = (), *, patience: float = _PATIENCE) -> Iterator[Cluster]:
    """On the etcd of that folder. For when running() is not enough. patience: seconds until it is ready."""
    authority, token = Authority.new(folder / "pki"), "the-token-of-an-administrator"
    certificate, key = authority.server()
    (folder / "tokens").write_text(f'{token},admin,admin,"{ADMINISTRATORS}"\n')
    with _port() as port:
        cluster = Cluster(folder, f"https://127.0.0.1:{port}", authority, token)
        command = [
            *(f"--etcd-servers=unix://{cluster.etcd}", "--etcd-compaction-interval=0"),
            *("--bind-address=127.0.0.1", f"--secure-port={port}", "--permit-port-sharing"),
            *(f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}", f"--client-ca-file={cluster.ca}"),
            *("--authorization-mode=RBAC", f"--token-auth-file={folder / 'tokens'}", "--allow-privileged"),
            "--kubelet-preferred-address-types=InternalIP",
            *(f"--requestheader-client-ca-file={cluster.ca}", f"--requestheader-allowed-names={FRONT_PROXY}"),
            *("--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group"),
            *(f"--service-account-signing-key-file={key}", f"--service-account-key-file={key}"),
            *("--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/16"),
            *("--disable-admission-plugins=ServiceAccount", "--profiling=false"),  # nobody makes `default` accounts
            *options,
        ]
        with Process.start("kube-apiserver", command, folder) as process, cluster.client() as client:
            process.until(lambda: _answers(client), patience)
            yield cluster


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@contextlib.contextmanager
def _port() -> Iterator[int]:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@dataclass(frozen=True)
class Process:
    """One of the programs, with its log; stopped on leaving, and by the kernel if the tests are killed."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, name: str, options: Sequence[str], folder: Path) -> Self:
        log, found = folder / f"{name}.log", program(name)
        with log.open("ab") as output:
            child = subprocess.Popen(
                [str(found), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                preexec_fn=_dies_with_us,  # one call of the C library, loaded before
            )
        return cls(name, child, log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()  # nothing of it is kept
        self.child.wait()

    def until(self, ready: Callable[[], bool], patience: float = _PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not ready():
            if self.child.poll() is not None or time.monotonic() > deadline:
                end = self.log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{self.name} is not ready ({self.child.poll()}):\n{end}")
            time.sleep(0.03)


_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _dies_with_us() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
