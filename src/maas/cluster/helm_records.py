"""What Helm keeps of a release: JSON, gzipped, in base64, in a Secret (whose values are in base64 once more)."""

import base64
import gzip
import json
import re

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BETWEEN = re.compile(r"(?m)^---[ \t]*$")
_CRD = "CustomResourceDefinition"


def kept(packed: str) -> str:
    """A record, as the Secret has it, with every CRD in it marked: Helm leaves it where it is."""
    record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(packed))))
    record["manifest"] = "---".join(map(_marked, _BETWEEN.split(record["manifest"])))
    written = gzip.compress(json.dumps(record).encode())
    return base64.b64encode(base64.b64encode(written)).decode()


def _marked(document: str) -> str:
    if _CRD not in document:
        return document
    object = yaml.load(document, _LOADER)
    if not isinstance(object, dict) or object.get("kind") != _CRD:
        return document
    metadata = object.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), "helm.sh/resource-policy": "keep"}
    return f"\n{json.dumps(object)}\n"  # JSON is YAML
