"""Which cluster was installed last from this machine: keys, tiers, models, usage and status look there.

No credentials: the context's name and the kubeconfig's path. In $MAAS_HOME, readable by its owner alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maas.embedded.home import Home
from maas.embedded.supervisor.files import replace_file

_NAME = "cluster.json"


@dataclass(frozen=True)
class Remembered:
    """context: "" in a pod. kubeconfig: None where kubectl looks. target: "kubernetes" or "openshift"."""

    context: str
    kubeconfig: Path | None
    namespace: str
    target: str


def place(home: Home) -> Path:
    return home.root / _NAME


def load(home: Home) -> Remembered | None:
    """None where none was installed from here, or the file is no such one any more."""
    try:
        found = json.loads(place(home).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, Mapping) or not isinstance(found.get("namespace"), str):
        return None
    kubeconfig = found.get("kubeconfig")
    return Remembered(
        str(found.get("context") or ""),
        Path(kubeconfig) if isinstance(kubeconfig, str) and kubeconfig else None,
        found["namespace"],
        str(found.get("target") or "kubernetes"),
    )


def save(home: Home, cluster: Remembered) -> None:
    home.hold()
    plain: Mapping[str, Any] = asdict(cluster) | {"kubeconfig": str(cluster.kubeconfig) if cluster.kubeconfig else None}
    replace_file(place(home), json.dumps(plain, indent=2) + "\n")


def forget(home: Home) -> None:
    place(home).unlink(missing_ok=True)
