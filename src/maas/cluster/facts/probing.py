"""What only trying tells: what we may do, whether webhooks let objects through, whether names resolve, which tools
are at hand. Nothing is changed by it: reviews and dry runs.
"""

import asyncio
import os
import shutil
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import orjson

from maas.cluster.access import Permission, needed
from maas.cluster.api import Api, path_of
from maas.cluster.aside import run
from maas.cluster.failures import Denied, Refused, ServerFailed, TooSlow
from maas.cluster.kinds import ISSUER
from maas.cluster.names import resolve
from maas.cluster.objects import Object, flag, items, text

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_EVERYTHING = Permission("*", "*", "*")
_PROBED_HOST = "maas-probe-k3x7q"  # below a wildcard domain: nobody has this host, so only the wildcard answers
_NAMES = 10
_DNS_PATIENCE = 5.0
_TOOL_PATIENCE = 5.0
_TOOLS = {
    "kubectl": ("version", "--client", "--output=json"),
    "oc": ("version", "--client", "--output=json"),
    "helm": ("version", "--template={{.Version}}"),
}


async def access(api: Api, *, openshift: bool) -> list[dict[str, Any]]:
    """One entry for who may do everything, else one for each permission that an installation needs."""
    everything = await _reviewed(api, _EVERYTHING)
    if everything["allowed"]:
        return [everything]
    wanted = needed("openshift" if openshift else "kubernetes")
    return list(await asyncio.gather(*(_reviewed(api, permission) for permission in wanted)))


async def _reviewed(api: Api, permission: Permission) -> dict[str, Any]:
    asked = {
        "verb": permission.verb,
        "group": permission.group,
        "resource": permission.resource,
        "subresource": permission.subresource,
        "namespace": "",
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
    }
    answer = await api.post(_REVIEWS, body, again=True)
    return {**asked, "allowed": flag(answer, "status", "allowed"), "reason": text(answer, "status", "reason")}


async def dry_run_issuer(api: Api, version: str) -> dict[str, Any]:
    """Whether cert-manager's webhook lets an Issuer through. Raises Denied where RBAC does not even let us try."""
    issuer = {
        "apiVersion": f"{ISSUER.group}/{version}",
        "kind": ISSUER.name,
        "metadata": {"generateName": "maas-probe-", "namespace": "default"},
        "spec": {"selfSigned": {}},
    }
    try:
        await api.post(f"{path_of(ISSUER, version, 'default')}?dryRun=All", issuer, again=False)
    except TooSlow:
        raise
    except (Refused, ServerFailed) as error:
        return {"accepted": False, "message": str(error)}
    except Denied as error:
        if "admission" not in str(error):
            raise
        return {"accepted": False, "message": str(error)}
    return {"accepted": True, "message": ""}


async def dns(gateways: Sequence[Object], ingresses: Sequence[Object]) -> list[dict[str, Any]]:
    """Of a host below each domain that traffic is to come by."""
    names = list(dict.fromkeys(_names(gateways, ingresses)))[:_NAMES]
    return list(await asyncio.gather(*(_resolved(name) for name in names)))


def _names(gateways: Sequence[Object], ingresses: Sequence[Object]) -> Iterable[str]:
    for ingress in ingresses:
        if domain := text(ingress, "spec", "domain"):
            yield f"{_PROBED_HOST}.{domain}"
    for gateway in gateways:
        for listener in items(gateway, "spec", "listeners"):
            if hostname := text(listener, "hostname"):
                yield f"{_PROBED_HOST}{hostname[1:]}" if hostname.startswith("*.") else hostname


async def _resolved(name: str) -> dict[str, Any]:
    try:
        return {"name": name, "addresses": await resolve(name, within=_DNS_PATIENCE), "error": ""}
    except TimeoutError:
        return {"name": name, "addresses": [], "error": f"no answer within {_DNS_PATIENCE:g} seconds"}
    except socket.gaierror as error:
        return {"name": name, "addresses": [], "error": error.strerror or "it does not resolve"}
    except OSError as error:
        return {"name": name, "addresses": [], "error": str(error)}


async def tools_at_hand() -> dict[str, dict[str, str] | None]:
    found = await asyncio.gather(*(_tool(name, arguments) for name, arguments in _TOOLS.items()))
    return dict(zip(_TOOLS, found, strict=True))


async def _tool(name: str, arguments: Sequence[str]) -> dict[str, str] | None:
    path = os.environ.get(f"MAAS_{name.upper()}") or shutil.which(name)
    return {"path": path, "version": _version(await _output(path, arguments))} if path else None


def _version(output: bytes) -> str:
    """ "" for a tool that does not say."""
    with suppress(orjson.JSONDecodeError):
        answer = orjson.loads(output)
        return text(answer, "releaseClientVersion") or text(answer, "clientVersion", "gitVersion")
    said = output.decode(errors="replace").strip()
    return said if said.startswith("v") and len(said) < 40 else ""


async def _output(path: str, arguments: Sequence[str]) -> bytes:
    try:
        return (await run([path, *arguments], patience=_TOOL_PATIENCE)).output
    except OSError:  # TimeoutError is one
        return b""
