"""What a plan would change in each object: the object as it is, beside what the server says it would become.

Values of Secrets are hidden, and so is what looks like a credential elsewhere; whether a value changes is said. What
the server writes for itself (versions, statuses, who manages which field) is left out.
"""

import asyncio
import base64
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from maas.cluster.api import Api
from maas.cluster.applying import objects
from maas.cluster.applying.rehearsing import Rehearsed, rehearse
from maas.cluster.facts.redaction import redacted
from maas.cluster.helm import Helm
from maas.cluster.objects import Object, items, mapping, place, text
from maas.cluster.plan.model import Apply, Chart, Delete, Manifest, Plan, Step
from maas.domain.errors import MaasError

_HIDDEN, _OTHER = "(hidden)", "(hidden, another value)"
_SERVERS_OWN = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})


@dataclass(frozen=True)
class Changed:
    """before: None: it is made. after: None: it is deleted. note: why it could not be tried, or where it was."""

    step: Step
    about: str
    before: Object | None
    after: Object | None
    note: str = ""

    @property
    def lines(self) -> list[str]:
        """A unified diff of YAML, without the names of files."""
        whole = self.before is not None and self.after is not None
        old, new = (_written(each if whole else _without_schemas(each)) for each in (self.before, self.after))
        return [line.rstrip("\n") for line in list(difflib.unified_diff(old, new, n=3))[2:]]


async def differences(
    plan: Plan, api: Api, helm: Helm | None = None, *, now: float, mirror: Path | None = None
) -> list[Changed]:
    """In the plan's order; objects that would stay as they are, are left out. Raises MaasError."""
    found: list[Changed] = []
    for each in await rehearse(plan, api, None, now=now, mirror=mirror):
        match each.action:
            case Apply() | Manifest():
                found.append(_applied(each))
            case Delete():
                before = await objects.one(api, each.action.kind, each.action.name, each.action.namespace)
                found.append(Changed(each.step, each.about, _clean(before), None))
            case Chart() if helm is not None:
                found += await _of_chart(helm, each.step, each.action)
            case Chart():
                found.append(Changed(each.step, each.about, None, None, "there is no helm to render it with"))
    return [each for each in found if each.lines or each.note]


def _applied(rehearsed: Rehearsed) -> Changed:
    """Where nothing could be tried, what is wanted stands for what it would become."""
    wanted = rehearsed.after or (rehearsed.action.object if isinstance(rehearsed.action, Apply) else None)
    old, new = _masked(rehearsed.before, wanted)
    return Changed(rehearsed.step, rehearsed.about, _clean(old), _clean(new), rehearsed.why)


async def _of_chart(helm: Helm, step: Step, chart: Chart) -> list[Changed]:
    """Object by object, as the release holds them and as the chart would have them."""
    try:
        old, new = await asyncio.gather(helm.manifest(chart.release, chart.namespace), helm.rendered(chart))
    except MaasError as error:
        return [Changed(step, f"Helm release {chart.namespace}/{chart.release}", None, None, str(error))]
    before, after = _by_name(old), _by_name(new)
    changed = []
    for key in [*after, *(key for key in before if key not in after)]:
        one, other = _masked(before.get(key), after.get(key))
        changed.append(Changed(step, f"{key[0]} {key[1]}", _clean(one), _clean(other)))
    return changed


def _by_name(found: Sequence[Object]) -> dict[tuple[str, str], Object]:
    return {(text(each, "kind"), place(each)): each for each in found}


def _clean(object: Object | None) -> Object | None:
    if object is None:
        return None
    metadata = {key: value for key, value in mapping(object, "metadata").items() if key not in _SERVERS_OWN}
    rest = {key: value for key, value in object.items() if key not in ("metadata", "status")}
    shown = {**rest, "metadata": metadata}
    if text(object, "kind") == "Secret":
        return shown
    cleaned: Object = redacted(shown)
    return cleaned


def _masked(before: Object | None, after: Object | None) -> tuple[Object | None, Object | None]:
    """Of Secrets: their keys, and which of their values would be another."""
    if text(before or after, "kind") != "Secret":
        return before, after
    old, new = _values(before), _values(after)
    hidden: dict[str, str] = dict.fromkeys(old, _HIDDEN)
    shown = {key: _HIDDEN if key not in old or old[key] == value else _OTHER for key, value in new.items()}
    return _with(before, hidden), _with(after, shown)


def _values(secret: Object | None) -> dict[str, Any]:
    plain = {
        key: base64.b64encode(str(value).encode()).decode() for key, value in mapping(secret, "stringData").items()
    }
    return {**mapping(secret, "data"), **plain}


def _with(secret: Object | None, data: Mapping[str, str]) -> Object | None:
    if secret is None:
        return None
    return {**{key: value for key, value in secret.items() if key not in ("data", "stringData")}, "data": dict(data)}


def _without_schemas(object: Object | None) -> Object | None:
    """A new kind's fields are thousands of lines that nobody compares with anything."""
    if object is None or text(object, "kind") != "CustomResourceDefinition":
        return object
    versions = [
        {key: "(left out)" if key == "schema" else value for key, value in version.items()}
        for version in items(object, "spec", "versions")
    ]
    return {**object, "spec": {**mapping(object, "spec"), "versions": versions}}


def _written(object: Object | None) -> list[str]:
    if object is None:
        return []
    return yaml.dump(dict(object), Dumper=_Blocks, sort_keys=True, width=1000).splitlines(keepends=True)


class _Blocks(yaml.SafeDumper):
    """Texts of several lines as such: a diff is to show the one that changed."""


def _block(dumper: yaml.SafeDumper, written: str) -> yaml.ScalarNode:
    several = "\n" in written
    plain = "\n".join(line.rstrip() for line in written.split("\n")) if several else written  # YAML's own condition
    return dumper.represent_scalar("tag:yaml.org,2002:str", plain, style="|" if several else None)


_Blocks.add_representer(str, _block)
