"""Single objects and small lists, whatever version of their kind the cluster serves."""

from collections.abc import Sequence
from urllib.parse import urlencode

from maas.cluster.api import Api, path_of
from maas.cluster.failures import Missing
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, items


async def one(api: Api, kind: Kind, name: str, namespace: str = "") -> Object | None:
    """None if there is none, or no such API (yet). Raises MaasError."""
    for version in kind.versions:
        try:
            found: Object = await api.get(path_of(kind, version, namespace, name))
        except Missing as missing:
            if missing.object_named:
                return None
        else:
            return found
    return None


async def some(api: Api, kind: Kind, namespace: str, *, labels: str = "", fields: str = "") -> Sequence[Object]:
    """Of one namespace, at most 500. Raises MaasError."""
    asked = {"labelSelector": labels, "fieldSelector": fields, "limit": "500"}
    query = urlencode({key: value for key, value in asked.items() if value})
    try:
        found = await api.get(f"{path_of(kind, kind.versions[0], namespace)}?{query}")
    except Missing:
        return ()
    named = {"kind": kind.name}
    return [{**named, **each} for each in items(found, "items")]
