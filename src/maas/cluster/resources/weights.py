"""Where a model's weights are, and how its server gets at them.

A name on the hub is left to the server itself: KServe's own download of hf:// works from 0.15 on only, and fetches into
a volume that is empty again after each restart. A claim is mounted as it is. Buckets and images are KServe's to fetch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maas.cluster.resources.servers import Mount
from maas.domain.errors import InvalidInput
from maas.domain.platform import Model

HUB_SECRET = "maas-huggingface"  # noqa: S105  # its name
ACCOUNT = "maas-models"  # the ServiceAccount to which credentials for buckets are added
_MOUNTED = "/mnt/models"  # where KServe puts what it fetched
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_BUCKET = re.compile(r"[A-Za-z0-9][\w.-]+", re.ASCII)
_IMAGE = re.compile(r"\w[\w.:-]*(/\w[\w.-]*)+(:\w[\w.-]*)?(@sha256:[0-9a-f]{64})?", re.ASCII)


@dataclass(frozen=True)
class Weights:
    """
    model: what the server is told. shape: the name by which one may know how large it is.
    on_hub: whether the server downloads them itself; env, mounts: else how it finds them.
    account: whether KServe fetches them, with the credentials of a ServiceAccount.
    """

    model: str
    shape: str
    on_hub: bool = False
    env: Sequence[Mapping[str, Any]] = ()
    mounts: Sequence[Mount] = ()
    account: bool = False

    @property
    def is_fetched_by_pod(self) -> bool:
        """Images are the node's to pull, and claims are there."""
        return self.on_hub or self.account


def of(model: Model) -> Weights:
    """Raises InvalidInput for what no pod can get."""
    written = model.weights or ""
    scheme, separator, rest = written.partition("://")
    if separator and scheme == "pvc":
        return _on_claim(model, rest)
    if separator and scheme in ("s3", "oci"):
        if not (_is_in_bucket(rest) if scheme == "s3" else _IMAGE.fullmatch(rest)):
            raise InvalidInput(_refusal(model))
        return Weights(_MOUNTED, model.name, env=({"name": "STORAGE_URI", "value": written},), account=scheme == "s3")
    name = rest if separator and scheme == "hf" else written
    if not _HUB_NAME.fullmatch(name) or name.startswith("."):
        raise InvalidInput(_refusal(model))
    return Weights(name, name, on_hub=True)


def _on_claim(model: Model, place: str) -> Weights:
    name, _, path = place.removesuffix("/").partition("/")
    if not _CLAIM.fullmatch(name) or not _is_path(path):
        raise InvalidInput(_refusal(model))
    claim = {"persistentVolumeClaim": {"claimName": name, "readOnly": True}}
    mount = Mount("weights", _MOUNTED, claim, read_only=True)
    return Weights(f"{_MOUNTED}/{path}" if path else _MOUNTED, model.name, mounts=(mount,))


def _is_in_bucket(place: str) -> bool:
    bucket, _, path = place.removesuffix("/").partition("/")
    return bool(_BUCKET.fullmatch(bucket)) and _is_path(path)


def _is_path(path: str) -> bool:
    """Whether it means what it says, and leads nowhere else."""
    return not path or not any(each in ("", ".", "..") for each in path.split("/"))


def _refusal(model: Model) -> str:
    return (
        f"maas.yaml: models.{model.name}.weights: {model.weights!r} is nothing that a cluster's pods can read; write a"
        " name on the hub (Qwen/Qwen3-0.6B), pvc://CLAIM/PATH for a volume of the models' namespace,"
        " s3://BUCKET/PATH, or oci://REGISTRY/IMAGE:TAG"
    )
