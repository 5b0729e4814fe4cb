"""From what somebody calls a model to its Architecture: a folder, a file, a name of the Qwen3 family, or the hub's.

The hub is asked last, and only for the two small files that say what a model is. What an earlier download left in
the hub's own cache is taken before that, so a site without a network can size what it has.
"""

import json
import os
from pathlib import Path
from typing import Any

from maas.domain.errors import InvalidInput, Unavailable
from maas.models.sizing import config, gguf, qwen3
from maas.models.sizing.architecture import Architecture

_HUB = "https://huggingface.co"
_PATIENCE = 10.0  # seconds
_LARGEST = 2**24  # bytes; a config.json has a few thousand


def find(model: str) -> Architecture:
    """Raises InvalidInput for what is no model, Unavailable where the hub can't be asked."""
    path = Path(model).expanduser()
    if path.suffix == ".gguf" and path.exists():
        return gguf.read(path)
    if path.exists():
        return config.read(path)
    if known := qwen3.find(model):
        return known
    if model.startswith((".", "/", "~")) or path.suffix in (".gguf", ".json"):
        raise InvalidInput(f"there is no file or folder {model}")
    if model.count("/") != 1:
        raise InvalidInput(
            f"there is no model {model!r}: give a folder with a config.json, a .gguf file, a name on the hub such as"
            f" meta-llama/Llama-3.1-8B, or one of {', '.join(name.removeprefix('Qwen/') for name in qwen3.names())}"
        )
    return config.read(cached, model) if (cached := _cached(model)) else _of_the_hub(model)


def _cached(model: str) -> Path | None:
    """The newest snapshot that the hub's own tools have downloaded."""
    home = Path(os.environ.get("HF_HOME") or Path("~/.cache/huggingface").expanduser())
    folder = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{model.replace('/', '--')}" / "snapshots"
    found = sorted(folder.glob("*/config.json"), key=lambda file: file.stat().st_mtime)
    return found[-1].parent if found else None


def _of_the_hub(model: str) -> Architecture:
    found = _fetch(model, "config.json")
    if found is None:
        raise InvalidInput(f"the hub has no model {model}, or it has no config.json")
    index = _fetch(model, "model.safetensors.index.json") or {}
    size = index.get("metadata", {}).get("total_size") if isinstance(index.get("metadata"), dict) else None
    return config.from_config(found, model, weights_bytes=size if isinstance(size, int) and size > 0 else None)


def _fetch(model: str, file: str) -> dict[str, Any] | None:
    """None if it is not there."""
    import httpx

    hub = os.environ.get("HF_ENDPOINT", _HUB).rstrip("/")
    token = os.environ.get("HF_TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(
            f"{hub}/{model}/resolve/main/{file}", headers=headers, timeout=_PATIENCE, follow_redirects=True
        )
    except httpx.HTTPError as error:
        raise Unavailable(
            f"{hub} can't be asked for {model} ({type(error).__name__}); give a folder with its config.json instead"
        ) from error
    if answer.status_code in (401, 403):
        raise InvalidInput(f"the hub shows {model} only to those it knows: put a token that may read it into $HF_TOKEN")
    if answer.status_code == 404:
        return None
    if answer.status_code != 200 or len(answer.content) > _LARGEST:
        raise Unavailable(f"{hub} answered {answer.status_code} for {model}'s {file}")
    try:
        found = json.loads(answer.content)
    except ValueError:
        raise Unavailable(f"{hub} answered for {model}'s {file}, but not with JSON") from None
    return found if isinstance(found, dict) else None
