"""Objects as the API takes them, with the label that says whose they are.

That we made one, and may remove it, is not said here: whoever applies it knows whether it was there before.
"""

from collections.abc import Mapping
from typing import Any

from maas.cluster.wanted import NOTHING, PART_OF

Body = dict[str, Any]
OURS: Mapping[str, str] = {PART_OF: "maas"}


def made(
    api_version: str,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: Mapping[str, str] = NOTHING,
    annotations: Mapping[str, str] = NOTHING,
    **fields: Any,
) -> Body:
    metadata: Body = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {**OURS, **labels}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
