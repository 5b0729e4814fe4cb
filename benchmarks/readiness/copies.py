"""Copies of what etcd holds of the templates, under other names."""

import re
import uuid
import zlib
from collections.abc import Iterator, Mapping

from benchmarks.readiness import templates
from benchmarks.readiness.templates import APP, CRASHING, GPU_NODE, NAMESPACE, NODE, POD_IP, PODS_PER_NODE

# Places in etcd.
_NODE, _GPU_NODE = f"/registry/minions/{NODE}", f"/registry/minions/{GPU_NODE}"
_PODS = [f"/registry/pods/{NAMESPACE}/{templates.pod_name(slot)}" for slot in range(PODS_PER_NODE)]
_CRASHING = f"/registry/pods/{NAMESPACE}/{CRASHING}"
_OTHERS = (
    f"/registry/deployments/{NAMESPACE}/{APP}",
    f"/registry/services/specs/{NAMESPACE}/{APP}",
    f"/registry/endpointslices/{NAMESPACE}/{APP}-abcde",
)
ORIGINALS = (*_PODS, _CRASHING, *_OTHERS, _NODE, _GPU_NODE)
PER_NODE = 1 + PODS_PER_NODE + len(_OTHERS)
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def of(originals: Mapping[str, bytes], nodes: int) -> Iterator[tuple[str, bytes]]:
    """Keys and values of all nodes but the first, which the templates are."""
    for number in range(1, nodes):
        has_gpu, crashes = number % 20 == 0, number % 5 == 0
        yield _copy(originals, _GPU_NODE if has_gpu else _NODE, number)
        for slot, key in enumerate(_PODS):
            yield _copy(originals, _CRASHING if crashes and slot == 0 else key, number, slot)
        for key in _OTHERS:
            yield _copy(originals, key, number)


def _copy(originals: Mapping[str, bytes], key: str, number: int, slot: int = 0) -> tuple[str, bytes]:
    """Everything that is replaced is as long as what replaces it, so that protobuf's lengths still hold."""
    identity = str(uuid.UUID(int=zlib.crc32(f"{key}{number}".encode()) << 64 | number << 8 | slot)).encode()
    value = _UUID.sub(identity, originals[key], count=1)  # the first one is the object's own
    high, low = divmod(number, 156)
    address = f"10.{128 + high}.{100 + low}.{100 + slot}"
    for old, new in (
        (NAMESPACE, f"load-{number % templates.NAMESPACES:02}"),
        (APP, f"app-{number:05}"),
        (GPU_NODE, f"gpu--{number:05}"),
        (NODE, f"gpu--{number:05}" if number % 20 == 0 else f"node-{number:05}"),
        (POD_IP, address),
    ):
        assert len(old) == len(new)
        value, key = value.replace(old.encode(), new.encode()), key.replace(old, new)
    return key, value
