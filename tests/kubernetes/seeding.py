"""Writes objects, with their statuses, into a test cluster through its API.

The order is that of their needs: namespaces first, quotas last (they would count what follows). What a controller would
have written into a status is written here, since most of these controllers need containers to run: of Kubernetes' own
only those are started that a test asks for (controllers.py). The shapes are those of the components' own types and
documents; see the modules that make the objects.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from maas.cluster.objects import at, name, namespace, text
from tests.kubernetes.cluster import Cluster

Object = Mapping[str, Any]
_TOGETHER = 16
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_FIRST, _LAST = ("Namespace", "PriorityClass", "RuntimeClass"), ("ResourceQuota",)


@dataclass(frozen=True)
class _Resource:
    plural: str
    namespaced: bool
    has_status: bool  # a subresource of its own


class Refused(Exception):
    """The API server does not take an object: the test's object is wrong."""


def seed(cluster: Cluster, objects: Sequence[Object]) -> None:
    """What is there already is brought to what is given. Raises Refused."""
    asyncio.run(_seed(cluster, objects))


async def _seed(cluster: Cluster, objects: Sequence[Object]) -> None:
    async with cluster.async_client() as client:
        resources = await _discovered(client)
        seeder = _Seeder(client, resources, asyncio.Semaphore(_TOGETHER))
        first = [each for each in objects if each["kind"] in _FIRST]
        last = [each for each in objects if each["kind"] in _LAST]
        rest = [each for each in objects if each["kind"] not in (*_FIRST, *_LAST)]
        for group in (first, rest, last):
            refused = [each for each in await asyncio.gather(*map(seeder.write, group)) if each]
            if refused:
                raise Refused("\n".join(refused))


@dataclass(frozen=True)
class _Seeder:
    client: httpx.AsyncClient
    resources: Mapping[tuple[str, str], _Resource]
    turn: asyncio.Semaphore

    async def write(self, object: Object) -> str:
        """Why the server does not take it; "" if it does."""
        async with self.turn:
            resource = self.resources.get((str(object["apiVersion"]), str(object["kind"])))
            if resource is None:
                return f"{object['apiVersion']} {object['kind']} is not served: {name(object)}"
            collection = _collection(object, resource)
            place = f"{collection}/{name(object)}"
            answer = await self._send("POST", collection, object)
            if answer.status_code == httpx.codes.CONFLICT:
                answer = await self._send("PATCH", place, object)
            if object.get("status") and resource.has_status and answer.is_success:
                answer = await self._send("PATCH", f"{place}/status", {"status": object["status"]})
            return _refusal(answer, object)

    async def _send(self, method: str, path: str, body: Object) -> httpx.Response:
        """Waits where the storage of a new CRD says that it is not ready yet."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        for _ in range(50):
            answer = await self.client.request(
                method, path, json=body, headers={"Content-Type": kind}, params={"fieldValidation": "Strict"}
            )
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(0.2)
        return answer


def _refusal(answer: httpx.Response, object: Object) -> str:
    if answer.is_success:
        return ""
    message = text(answer.json(), "message") or answer.text
    return f"{object['kind']} {namespace(object)}/{name(object)}: {answer.status_code}: {message}"


def _collection(object: Object, resource: _Resource) -> str:
    version = str(object["apiVersion"])
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{namespace(object)}" if resource.namespaced else ""
    return f"{base}{where}/{resource.plural}"


async def _discovered(client: httpx.AsyncClient) -> dict[tuple[str, str], _Resource]:
    """By apiVersion and kind."""
    found = {}
    for path in ("/api", "/apis"):
        answer = await client.get(path, headers={"Accept": _DISCOVERY})
        for group in answer.raise_for_status().json()["items"]:
            for version in group["versions"]:
                prefix = text(group, "metadata", "name")
                api_version = f"{prefix}/{version['version']}" if prefix else version["version"]
                for each in version["resources"]:
                    subresources = [text(sub, "subresource") for sub in at(each, "subresources") or []]
                    resource = _Resource(each["resource"], each["scope"] == "Namespaced", "status" in subresources)
                    found[api_version, text(each, "responseKind", "kind")] = resource
    return found
