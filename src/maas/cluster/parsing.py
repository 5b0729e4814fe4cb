"""Streams of YAML documents, as charts and release manifests are made of."""

import yaml

from maas.cluster.failures import ServerFailed
from maas.cluster.objects import Object, items, text

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parsed(written: bytes, whose: str) -> list[Object]:
    """Its objects, those of Lists one by one. Raises ServerFailed."""
    try:
        documents = list(yaml.load_all(written, _LOADER))  # a safe loader, the quick one
    except (yaml.YAMLError, RecursionError):
        raise ServerFailed(f"{whose} holds what is no YAML") from None
    return [each for document in documents if isinstance(document, dict) for each in _unpacked(document)]


def _unpacked(document: Object) -> list[Object]:
    if text(document, "kind") == "List":
        return list(items(document, "items"))
    return [document] if text(document, "kind") else []
