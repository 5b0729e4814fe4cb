"""Where the platform is to be installed: on this machine, or on the cluster that is configured."""

import os
from enum import StrEnum
from pathlib import Path

from maas.domain.errors import InvalidInput


class Target(StrEnum):
    auto = "auto"
    local = "local"
    kubernetes = "kubernetes"
    openshift = "openshift"


def of_flags(target: Target, *, ocp: bool, no_ocp: bool) -> Target:
    """--ocp and --no-ocp are older names of two targets. Raises InvalidInput where they contradict each other."""
    meant = {Target.openshift} if ocp else set()
    meant |= {Target.kubernetes} if no_ocp else set()
    meant |= {target} if target is not Target.auto else set()
    if len(meant) > 1:
        raise InvalidInput("--ocp means --target openshift, --no-ocp means --target kubernetes: give one of them")
    return meant.pop() if meant else target


def is_local(target: Target, *, named: bool) -> bool:
    """named: the command says which cluster. auto is this machine only where no cluster is configured."""
    if target is Target.auto:
        return not named and configured_cluster() is None
    return target is Target.local


def configured_cluster() -> str | None:
    """What says so, or None. The places are those where kubectl looks."""
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "this is a pod: KUBERNETES_SERVICE_HOST is set"
    if given := os.environ.get("KUBECONFIG"):
        return f"KUBECONFIG is {given}"
    default = Path("~/.kube/config").expanduser()
    return str(default) if default.exists() else None
