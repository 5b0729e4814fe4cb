"""Helm charts made of a description, and packed as `helm package` packs them, but the same bytes every time.

A chart here is a real one (templates, values, a schema of its values), only smaller than that for which it stands.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maas.cluster import kinds
from tests.kubernetes.definitions import of_components, stored

Schema = Mapping[str, Any]
_USED = {kind.key for kind in (*kinds.ALL, *kinds.OURS, *kinds.SERVED_ONLY)}

_LARGE = {"llminferenceservices.serving.kserve.io"}  # ten seconds of an API server's time; MaaS writes none

_CRDS_AS_TEMPLATES = """\
{{- if __CONDITION__ }}
{{- range $path, $_ := .Files.Glob "definitions/*.json" }}
---
{{- if __KEEP__ }}
{{- $crd := fromJson ($.Files.Get $path) }}
{{- $_ := set $crd.metadata "annotations" (merge (dict "helm.sh/resource-policy" "keep") $crd.metadata.annotations) }}
{{ toJson $crd }}
{{- else }}
{{ $.Files.Get $path }}
{{- end }}
{{- end }}
{{- end }}
"""


@dataclass(frozen=True)
class StandIn:
    """
    values: the chart's defaults. schema: of its values; nothing that it does not name is taken.
    templates: by file name.
    crds: folders of ../shared/crds; of those, only the kinds that MaaS has anything to do with.
    condition, keep: when its CRDs are made, and kept when it is uninstalled: expressions of templates.
    crds_apart: they are in the chart's folder crds/, which Helm installs once and never touches again.
    """

    name: str
    templates: Mapping[str, str]
    values: Mapping[str, Any] = field(default_factory=dict)
    schema: Schema | None = None
    crds: Sequence[str] = ()
    condition: str = "true"
    keep: str = "false"
    crds_apart: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)  # of its CRDs


def pack(chart: StandIn, version: str, folder: Path) -> Path:
    """Skips the test where ../shared is not there."""
    path = folder / f"{chart.name}-{version}.tgz"
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as zipped,
        tarfile.open(mode="w", fileobj=zipped) as archive,
    ):
        for name, content in _files(chart, version).items():
            entry = tarfile.TarInfo(f"{chart.name}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def _files(chart: StandIn, version: str) -> dict[str, bytes]:
    described = {"apiVersion": "v2", "name": chart.name, "version": version, "appVersion": version}
    files = {"Chart.yaml": _json(described), "values.yaml": _json(chart.values)}
    files |= {f"templates/{name}": text.encode() for name, text in chart.templates.items()}
    if chart.schema is not None:
        files["values.schema.json"] = _json(chart.schema)
    place = "crds" if chart.crds_apart else "definitions"
    files |= {f"{place}/{name}.json": _json(crd) for name, crd in _definitions(chart).items()}
    if chart.crds and not chart.crds_apart:
        template = _CRDS_AS_TEMPLATES.replace("__CONDITION__", chart.condition).replace("__KEEP__", chart.keep)
        files["templates/definitions.yaml"] = template.encode()
    return files


def _definitions(chart: StandIn) -> dict[str, dict[str, Any]]:
    """As their makers publish them: the server adds the rest."""
    return {crd["metadata"]["name"]: crd for crd in definitions(chart.crds, chart.annotations)}


def definitions(components: Sequence[str], annotations: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        _published(stored(crd, annotations)) for crd in of_components(*components) if _is_used(crd.plural, crd.group)
    ]


def _is_used(plural: str, group: str) -> bool:
    return f"{plural}.{group}" in _USED - _LARGE


def _published(crd: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in crd["metadata"].items() if key in ("name", "annotations", "labels")}
    return {"apiVersion": crd["apiVersion"], "kind": crd["kind"], "metadata": metadata, "spec": crd["spec"]}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
