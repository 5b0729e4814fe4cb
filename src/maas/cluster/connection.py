"""From what a machine knows of its clusters to an Api: contexts of kubeconfigs, or the service account of a pod.

Our own and not lightkube's, which DESIGN.md named: version 1.0 knows neither exec plug-ins of API v1, nor their client
certificates, nor OIDC, several files in $KUBECONFIG, proxy-url or tls-server-name, and takes 0.4 seconds to import.
A kubeconfig comes before the service account: whoever has one in a pod put it there on purpose.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from maas.cluster.api import Api
from maas.cluster.credentials import Credentials, Fixed, Identity, TokenFile, basic, bearer, certificate_of
from maas.cluster.exec_plugin import ExecPlugin
from maas.cluster.failures import BadKubeconfig
from maas.cluster.kubeconfig import Entry, Login, files, read
from maas.cluster.proxies import route, split
from maas.cluster.session import Session

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def connect(context: str | None = None, kubeconfig: Path | None = None) -> Api:
    """Reads files and decides; the network is touched by the Api's first request. Raises BadKubeconfig."""
    login = find(context, kubeconfig)
    return Api(Session(login, credentials(login), route(login)), described(login))


def find(
    context: str | None,
    kubeconfig: Path | None,
    environment: Mapping[str, str] = os.environ,
    account: Path = SERVICE_ACCOUNT,
) -> Login:
    """Raises BadKubeconfig."""
    known = read(files(kubeconfig, environment))
    if known.contexts or context or kubeconfig:
        return known.login(context)
    if login := _in_cluster(environment, account):
        return login
    looked = environment.get("KUBECONFIG") or "~/.kube/config"
    raise BadKubeconfig(
        f"No cluster is known here: no kubeconfig was found ({looked}), and this is no pod. "
        "Name one with --kubeconfig or $KUBECONFIG; `kubectl config view` shows what kubectl uses"
    )


def _in_cluster(environment: Mapping[str, str], account: Path) -> Login | None:
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (account / "token").is_file():
        return None
    server = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    cluster = Entry({"certificate-authority": "ca.crt", "server": server}, account)
    return Login("", cluster, Entry({"tokenFile": "token"}, account), server)


def described(login: Login) -> str:
    return f"context {login.context} ({login.server})" if login.context else f"this pod's cluster ({login.server})"


def credentials(login: Login) -> Credentials:
    """Raises BadKubeconfig."""
    user = login.user
    base = certificate_of(user)
    if path := user.path("tokenFile"):
        return TokenFile(path, base)
    if token := user.text("token"):
        return Fixed(replace(base, authorization=bearer(token)))
    if user.mapping("exec"):
        return ExecPlugin(login, base)
    if user.mapping("auth-provider"):
        return _of_provider(login, base)
    name, password = user.text("username"), user.text("password")
    if not name:
        name, password = _of_address(login)
    return Fixed(replace(base, authorization=basic(name, password)) if name else base)


def _of_address(login: Login) -> tuple[str, str]:
    """User and password of https://user:password@host, as kubectl takes them."""
    parts = split(login.cluster.text("server"))
    return unquote(parts.username or ""), unquote(parts.password or "")


def _of_provider(login: Login, base: Identity) -> Credentials:
    name = login.user.text("auth-provider", "name")
    if name != "oidc":
        raise BadKubeconfig(
            f"Context {login.context!r} logs in with the auth-provider {name!r}, which kubectl dropped in 1.26. "
            "Use the provider's exec plug-in (gke-gcloud-auth-plugin, kubelogin)"
        )
    from maas.cluster.oidc import Oidc  # imports httpx, which nobody else here needs

    return Oidc(login, base)
