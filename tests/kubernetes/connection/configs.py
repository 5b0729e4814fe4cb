"""Kubeconfigs for tests."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(
    path: Path,
    server: str = "https://cluster.example:6443",
    *,
    user: Mapping[str, Any] | None = None,
    cluster: Mapping[str, Any] | None = None,
    context: str = "here",
    current: str | None = None,
) -> Path:
    """One with a single context; current: its own name unless told otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context if current is None else current,
        "contexts": [{"name": context, "context": {"cluster": f"{context}-c", "user": f"{context}-u"}}],
        "clusters": [{"name": f"{context}-c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": f"{context}-u", "user": dict(user or {})}],
    }
    path.write_text(json.dumps(config))  # JSON is YAML
    return path
