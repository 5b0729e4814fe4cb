"""Objects as the API takes them, with the labels that say whose they are."""

from collections.abc import Mapping
from typing import Any

from maas.cluster.wanted import MANAGED_BY, NOTHING, PART_OF

Body = dict[str, Any]
OURS: Mapping[str, str] = {PART_OF: "maas", MANAGED_BY: "maas"}
SHARED: Mapping[str, str] = {PART_OF: "maas"}  # of what may have been there before, and is not ours to remove then


def made(
    api_version: str,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: Mapping[str, str] = NOTHING,
    annotations: Mapping[str, str] = NOTHING,
    whose: Mapping[str, str] = OURS,
    **fields: Any,
) -> Body:
    metadata: Body = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {**whose, **labels}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
