"""Where a model's server keeps what it downloaded and compiled.

On a claim, where the cluster gives one: a restart is minutes faster, and the hub is asked once. Else in an emptyDir.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maas.cluster.resources import names
from maas.cluster.resources.making import Body, made
from maas.cluster.wanted import Wanted
from maas.domain.platform import Model

_GIB = 2**30
_UNKNOWN = 100  # GiB: what the prerequisites ask for
_COMPILED = 10  # GiB of kernels and graphs, and of a download that is under way


@dataclass(frozen=True)
class Cache:
    volume: Mapping[str, Any]
    objects: Sequence[Body] = ()


def cache(wanted: Wanted, model: Model, weights: int | None) -> Cache:
    """weights: bytes that will be downloaded; 0 if nobody knows how many, None if nothing is."""
    if weights is None:
        return Cache({"emptyDir": {"sizeLimit": f"{_COMPILED}Gi"}})
    size = f"{_COMPILED - (-weights * 5 // 4 // _GIB) if weights else _UNKNOWN}Gi"
    if not wanted.site.has_default_storage:
        return Cache({"emptyDir": {"sizeLimit": size}})
    name = f"{names.object_name(model.name)}-cache"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    claim = made("v1", "PersistentVolumeClaim", name, wanted.namespace, spec=spec)
    return Cache({"persistentVolumeClaim": {"claimName": name}}, (claim,))
