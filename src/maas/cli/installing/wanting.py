"""What is to be served: what is served already, or a maas.yaml, and the models that options name."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from maas.cli import files
from maas.cli.installing.options import Choices, Models, Options
from maas.cluster import certificate_files
from maas.cluster.document import Document
from maas.cluster.resources import own_certificate
from maas.cluster.wanted import Site, Wanted
from maas.domain import platform_file
from maas.domain.errors import InvalidInput
from maas.domain.platform import Platform
from maas.domain.platform_file import editing
from maas.models.sizing import qwen3

Spec = Mapping[str, object]

QWEN3 = "Qwen/Qwen3-0.6B"
_SIMULATOR: Spec = {"runtime": "simulator", "context_length": 8192}
_PLACES = ("hf://", "pvc://", "s3://", "oci://")
_ON_HUB = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def wanted(options: Options, site: Site, stored: Document | None) -> Wanted:
    """stored: what the cluster is said to serve already. Raises InvalidInput."""
    document = chosen(options, stored)
    return Wanted(
        platform_file.load(document.text),
        replace(site, domain=document.domain or site.domain),
        options.cluster.namespace,
        document.tokens_only,
        document.metrics,
        document.gpu_operator,
        document.text,
    )


def with_credentials(wanted: Wanted) -> Wanted:
    """With what is in the files that maas.yaml names: keys of servers, a certificate. Raises InvalidInput."""
    servers = [server for model in wanted.platform.models.values() for server in model.endpoints]
    named = {server.api_key_file for server in servers if server.api_key_file} | {*own_certificate.files(wanted)}
    found = replace(wanted, credentials={file: files.text(Path(file)).strip() for file in sorted(named)})
    certificate_files.require_usable(found, time.time())
    return found


def chosen(options: Options, stored: Document | None) -> Document:
    return _with(Document(_text(options.models, stored)) if stored is None else _served(options, stored), options)


def _served(options: Options, stored: Document) -> Document:
    return replace(stored, text=_text(options.models, stored))


def _with(document: Document, options: Options) -> Document:
    choices: Choices = options.choices
    given = {
        "tokens_only": choices.tokens_only,
        "metrics": choices.metrics,
        "gpu_operator": choices.gpu_operator,
        "domain": choices.domain,
    }
    return replace(document, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def _text(models: Models, stored: Document | None) -> str:
    asked = dict(specs(models))
    if models.file is not None:
        text = files.text(models.file)
    elif stored is not None:
        text = stored.text
    elif asked:
        text = platform_file.default_text()
        if "simulator" not in asked:
            text = editing.without_model(text, "simulator")
    else:
        raise InvalidInput("say what to serve: --simulator, --qwen3 or --model NAME, or give a maas.yaml with -f")
    known = platform_file.load(text).models
    for name in asked.keys() - known.keys():
        text = editing.with_model(text, name, asked[name])
    return text


def specs(models: Models) -> Iterator[tuple[str, Spec]]:
    """Names and entries of maas.yaml. Raises InvalidInput."""
    if models.simulator:
        yield "simulator", _SIMULATOR
    if models.qwen3:
        yield _of_weights(QWEN3)
    for named in models.names:
        yield _named(named)


def _named(named: str) -> tuple[str, Spec]:
    if named == "simulator":
        return named, _SIMULATOR
    if named == "qwen3":
        return _of_weights(QWEN3)
    if found := qwen3.find(named):
        return _of_weights(found.name)
    if named.startswith(_PLACES) or _ON_HUB.fullmatch(named):
        return _of_weights(named)
    if named.startswith(("/", "~", ".")):
        raise InvalidInput(
            f"--model {named}: no pod of a cluster sees a folder of this machine. Put the weights into a volume"
            " (pvc://CLAIM/PATH), a bucket (s3://BUCKET/PATH) or an image (oci://REGISTRY/NAME:TAG)"
        )
    known = ", ".join(name.removeprefix("Qwen/").lower() for name in qwen3.names())
    raise InvalidInput(
        f"--model {named}: no model is known by this name. Known are simulator, {known}; others are named as on"
        " Hugging Face (ORG/NAME), or by where they are (pvc://CLAIM/PATH, s3://BUCKET/PATH, oci://REGISTRY/NAME:TAG)"
    )


def _of_weights(weights: str) -> tuple[str, Spec]:
    last = weights.rstrip("/").rpartition("/")[2].partition(":")[0]
    name = re.sub(r"[^a-z0-9.-]+", "-", last.lower()).strip("-.")
    return name, {"runtime": "vllm", "weights": weights}


def on_gpus(platform: Platform) -> list[str]:
    """Weights of the models that need GPUs."""
    return [model.weights or name for name, model in platform.models.items() if model.runtime == "vllm"]


def known_to_checks(platform: Platform) -> frozenset[str]:
    """As `maas preflight --for` takes them; others that need GPUs are covered by --gpu."""
    sized = {found.name for weights in on_gpus(platform) if (found := qwen3.find(weights))}
    return frozenset(sized or {"simulator"})
