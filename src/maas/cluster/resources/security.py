"""What our pods may do: as little as the `restricted` pod security standard and OpenShift's restricted-v2 allow."""

from collections.abc import Mapping
from typing import Any

from maas.cluster.resources.making import Body
from maas.cluster.wanted import Target, Wanted

_USER = 65532  # nobody's: no file of an image or a node belongs to it


def of_pod(wanted: Wanted) -> Body:
    """On OpenShift the user is one of the namespace's own range, which the server fills in; a fixed one is refused.

    On Kubernetes it is named, since some images would run as root. Volumes belong to the group.
    """
    context: Body = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if wanted.site.target is Target.openshift:
        return context
    return {
        **context,
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "fsGroup": _USER,
        "fsGroupChangePolicy": "OnRootMismatch",
    }


def of_container() -> Mapping[str, Any]:
    """runAsNonRoot and seccomp again: init containers that older versions of KServe add copy this, not the pod's."""
    return {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
