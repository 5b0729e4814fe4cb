"""The images that objects have nodes pull, also those that operators only come to ask for at run time.

Operators are told of theirs in variables, in ConfigMaps of JSON, or in parts (repository, image, version): all of
these are read. An image that is built into a program is not to be seen from outside.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from maas.cluster.objects import Object, mapping, text

_IMAGE = re.compile(r"[a-z0-9][\w.-]*(?::\d+)?(?:/[\w.-]+)+(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?", re.ASCII)
_TAGGED = re.compile(r"(?::[\w.-]+|@sha256:[0-9a-f]{64})$")


def images(objects: Iterable[Object]) -> list[str]:
    return sorted({found for each in objects for found in _within(each)})


def _within(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _within(each)
    elif isinstance(value, Mapping):
        yield from _of(value)
        for key, each in value.items():
            yield from _of_json(each) if isinstance(each, str) and key != "description" else _within(each)


def _of(value: Mapping[str, Any]) -> Iterator[str]:
    """What this mapping itself says."""
    image = text(value, "image")
    if _IMAGE.fullmatch(image) and _TAGGED.search(image):
        yield image
    if (repository := text(value, "repository")) and (version := text(value, "version")) and image:
        yield f"{repository}/{image}{'@' if version.startswith('sha256:') else ':'}{version}"
    if (hub := text(value, "hub")) and (tag := text(value, "tag")) and (proxy := text(value, "proxy", "image")):
        yield f"{hub}/{proxy}:{tag}"  # Istio's, for the pods of gateways
    variable, told = text(value, "name"), text(value, "value")
    if "IMAGE" in variable and _IMAGE.fullmatch(told.removeprefix("oci://")) and _TAGGED.search(told):
        yield told.removeprefix("oci://")


def _of_json(written: str) -> Iterator[str]:
    if written.lstrip().startswith(("{", "[")):
        try:
            found = json.loads(written)
        except ValueError:
            return
        yield from _within(found if isinstance(found, list) else mapping({"it": found}, "it"))
