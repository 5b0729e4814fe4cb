"""Whose log a file is: by where it lies, and where that says too little, by the pods that the snapshot holds.

Known are the trees of `oc adm inspect`, of troubleshoot's support bundles and of a node's /var/log/pods; elsewhere
some folder above the log must be called like a pod.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from os import SEEK_END
from typing import BinaryIO

from maas.cluster.facts.model import Log
from maas.cluster.facts.snapshot_layout import part
from maas.cluster.objects import Object, items, name, namespace, text

LAST_LINES = 400  # as many as are read of a live cluster
MOST = 100_000_000  # characters of all logs: a must-gather has thousands of them
_LINE = 4096  # characters
_KEPT = 512 * 1024  # bytes from a file's end, where it can be sought

_INSPECT = re.compile(r"(?:^|/)namespaces/([^/]+)/pods/([^/]+)/([^/]+)/(?:[^/]+/)?logs/(current|previous)\.log$")
_SUPPORT_BUNDLE = re.compile(r"(?:^|/)pods?[/-]logs/([^/]+)/([^/]+)/([^/]+?)(-previous)?\.log$")
_NODE = re.compile(r"(?:^|/)([^/_]+)_([^/_]+)_[0-9a-f-]+/([^/]+)/(\d+)\.log$")


def is_log(path: str) -> bool:
    return path.endswith((".log", "/logs.txt"))


def tail(file: BinaryIO, *, sought: bool) -> tuple[str, ...]:
    """The last lines, without reading what comes before where that can be skipped."""
    if sought:
        size = file.seek(0, SEEK_END)
        file.seek(max(0, size - _KEPT))
    lines = deque(file, LAST_LINES)
    return tuple(line[:_LINE].decode("utf-8", errors="replace").rstrip("\r\n") for line in lines)


def logs(tails: Mapping[str, tuple[str, ...]], pods: Sequence[Object]) -> Iterator[Log]:
    """tails: by path. A log of nobody's is left out."""
    by_name: dict[str, Object] = {name(pod): pod for pod in pods}
    for path, lines in tails.items():
        if whose := _by_path(path) or _by_pods(path, by_name):
            yield Log(whose[0], whose[1], whose[2], lines, previous=whose[3])


def _by_path(path: str) -> tuple[str, str, str, bool] | None:
    if match := _INSPECT.search(path):
        in_namespace, pod, container = (part(each) for each in match.groups()[:3])
        return in_namespace, pod, container, match[4] == "previous"
    if match := _SUPPORT_BUNDLE.search(path):
        return match[1], match[2], match[3], match[4] is not None
    if match := _NODE.search(path):
        return match[1], match[2], match[3], False
    return None


def _by_pods(path: str, pods: Mapping[str, Object]) -> tuple[str, str, str, bool] | None:
    *folders, file = path.split("/")
    stem = re.sub(r"\.(log|txt)$", "", file)
    pod = next((pods[folder] for folder in (*reversed(folders), stem) if folder in pods), None)
    if pod is None:
        return None
    previous = "previous" in stem
    of_pod = _containers(pod)
    named = (re.sub(r"[-._]?previous$", "", stem), *reversed(folders))
    container = next((each for each in named if each in of_pod), of_pod[0] if of_pod else stem)
    return namespace(pod), name(pod), container, previous


def _containers(pod: Object) -> list[str]:
    return [text(each, "name") for field in ("containers", "initContainers") for each in items(pod, "spec", field)]
