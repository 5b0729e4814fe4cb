"""What a snapshot does not say itself, from what its objects say: the version of Kubernetes, and the time."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CLUSTER_OPERATOR, CLUSTER_VERSION, NODE
from maas.cluster.objects import Object, at, items, mapping, name, text

Lists = Mapping[str, Sequence[Object] | Unread]

_NUMBERS = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_A_DAY = 86_400.0
_OPENSHIFT_BEHIND = 13  # OpenShift 4.16 is Kubernetes 1.29
_CHANGED = ("lastTransitionTime", "lastHeartbeatTime", "lastUpdateTime", "lastProbeTime")
_HAPPENED = (("metadata", "creationTimestamp"), ("lastTimestamp",), ("eventTime",), ("status", "startTime"))


def served_version(given: Mapping[str, Any], lists: Lists) -> Mapping[str, Any] | Unread:
    """given: the answer of /version, or what `kubectl version -o json` prints around it.

    Else {"gitVersion", "major", "minor", "derivedFrom"}.
    """
    answer = mapping(given, "serverVersion") or given
    if text(answer, "gitVersion"):
        return answer
    for version, source in _told(lists):
        if found := _NUMBERS.match(version):
            return {"gitVersion": version, "major": found[1], "minor": found[2], "derivedFrom": source}
    return Unread(
        Cause.not_exported,
        "the snapshot does not say which version the cluster is; `kubectl get --raw /version > version.json` adds it",
    )


def _told(lists: Lists) -> Iterator[tuple[str, str]]:
    for operator in _known(lists, CLUSTER_OPERATOR.key):
        if name(operator) == "kube-apiserver":
            versions = items(operator, "status", "versions")
            told = next((text(each, "version") for each in versions if each.get("name") == "kube-apiserver"), "")
            yield f"v{told.removeprefix('v')}", "ClusterOperator kube-apiserver"
    kubelets = {text(node, "status", "nodeInfo", "kubeletVersion") for node in _known(lists, NODE.key)}
    yield from ((version, "the newest kubelet") for version in sorted(kubelets, key=_numbers, reverse=True))
    for cluster in _known(lists, CLUSTER_VERSION.key):
        if (found := _NUMBERS.match(text(cluster, "status", "desired", "version"))) and found[1] == "4":
            yield f"v1.{int(found[2]) + _OPENSHIFT_BEHIND}.0", "ClusterVersion version"


def _numbers(version: str) -> tuple[int, ...]:
    found = _NUMBERS.match(version)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def taken_at(about: Mapping[str, Any], timestamp: str, lists: Lists, newest_file: float) -> float:
    """Seconds since the epoch. timestamp: of must-gather, as "2026-08-20 12:34:56"."""
    written = at(about, "taken_at")
    if isinstance(written, int | float) and not isinstance(written, bool):
        return float(written)
    stamped = _seconds(text(about, "taken_at")) or _seconds(timestamp.replace(" ", "T") + "Z")
    return stamped or max(_times(lists), default=0.0) or newest_file


def _times(lists: Lists) -> Iterator[float]:
    """When anything was last seen to happen. What a spec or a certificate says of the future is none of it."""
    moments: set[str] = set()
    for found in lists.values():
        for each in () if isinstance(found, Unread) else found:
            moments.update(text(each, *path) for path in _HAPPENED)
            moments.update(_of_conditions(each))
    latest_believable = time.time() + _A_DAY
    yield from (at for moment in moments if (at := _seconds(moment)) and at < latest_believable)


def _of_conditions(object: Object) -> Iterator[str]:
    for condition in items(object, "status", "conditions"):
        yield from (text(condition, field) for field in _CHANGED)


def _seconds(moment: str) -> float | None:
    try:
        found = datetime.fromisoformat(moment)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _known(lists: Lists, key: str) -> Sequence[Object]:
    found = lists.get(key, ())
    return () if isinstance(found, Unread) else found
