"""The platform's description, kept on the cluster: the ConfigMap `maas-platform` holds maas.yaml as it is wanted.

Whoever administers the platform from another machine finds it there, and `maas install --qwen3` adds to what is served
instead of replacing it. It is no inventory: what exists is known by its labels, and deleting the ConfigMap loses
nothing but the comments in it. It is written first, so an installation that was interrupted is taken up again by a
plain `maas install`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from maas.cluster.api import Api, path_of
from maas.cluster.facts.model import Facts
from maas.cluster.failures import Missing
from maas.cluster.kinds import OUR_CONFIG_MAP, Kind
from maas.cluster.objects import Object, at, text
from maas.cluster.plan.model import Apply, Step
from maas.cluster.wanted import NAMESPACE, PART_OF, Wanted
from maas.domain import platform_file

NAME = "maas-platform"
KEY = "platform"  # of the step
CONFIG_MAP = Kind("ConfigMap", "configmaps")
_TEXT = "maas.yaml"
_OPTIONS = "options.json"


@dataclass(frozen=True)
class Document:
    """text: maas.yaml. domain: "" if nothing was written of it. The rest is as in Wanted."""

    text: str
    tokens_only: bool = False
    metrics: bool = True
    gpu_operator: bool = False
    domain: str = ""


def of(wanted: Wanted) -> Document:
    text = wanted.document or platform_file.dump(wanted.platform)
    return Document(text, wanted.tokens_only, wanted.metrics, wanted.gpu_operator, wanted.site.domain)


def steps(wanted: Wanted) -> list[Step]:
    return [
        Step(
            KEY,
            "the platform's description",
            f"keeps maas.yaml in ConfigMap {wanted.namespace}/{NAME}, for whoever administers it next",
            (Apply(manifest(of(wanted), wanted.namespace)),),
            needs=("namespaces",),
            undo=f"kubectl delete configmap -n {wanted.namespace} {NAME}",
        )
    ]


def manifest(document: Document, namespace: str = NAMESPACE) -> Object:
    options = {
        "tokensOnly": document.tokens_only,
        "metrics": document.metrics,
        "gpuOperator": document.gpu_operator,
        "domain": document.domain,
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": namespace, "labels": {PART_OF: "maas"}},
        "data": {_TEXT: document.text, _OPTIONS: json.dumps(options)},
    }


def in_facts(facts: Facts, namespace: str = NAMESPACE) -> Document | None:
    """Of a reading with `ours`. Raises NotRead."""
    found = facts.one(OUR_CONFIG_MAP, NAME, namespace)
    return None if found is None else parsed(found)


async def read(api: Api, namespace: str = NAMESPACE) -> Document | None:
    """None where no platform was installed. Raises MaasError."""
    try:
        found = await api.get(path_of(CONFIG_MAP, "v1", namespace, NAME))
    except Missing:
        return None
    return parsed(found)


def parsed(found: Object) -> Document | None:
    written = text(found, "data", _TEXT)
    if not written:
        return None
    options = _options(text(found, "data", _OPTIONS))
    return Document(
        written,
        at(options, "tokensOnly") is True,
        at(options, "metrics") is not False,
        at(options, "gpuOperator") is True,
        text(options, "domain"),
    )


def _options(written: str) -> Mapping[str, object]:
    try:
        found = json.loads(written)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
