"""CRDs as operators bring them."""

from functools import cache

from maas.cluster import kinds
from maas.cluster.objects import Object
from tests.kubernetes.definitions import stored
from tests.kubernetes.shared import crds


@cache
def definitions(*components: str, only: tuple[str, ...] = ()) -> tuple[Object, ...]:
    """CRDs as operators bring them, of these folders of ../shared/crds: those that MaaS has anything to do with."""
    known = {kind.key for kind in (*kinds.ALL, *kinds.OURS, *kinds.SERVED_ONLY)}
    wanted = [crd for crd in crds() if crd.component in components and crd.name in known]
    return tuple(_published(stored(crd)) for crd in wanted if not only or crd.kind in only)


def _published(definition: Object) -> Object:
    metadata = {key: value for key, value in definition["metadata"].items() if key in ("name", "annotations", "labels")}
    return {**{key: definition[key] for key in ("apiVersion", "kind", "spec")}, "metadata": metadata}


def labelled(definition: Object, **labels: str) -> Object:
    metadata = definition["metadata"]
    return {**definition, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}}
