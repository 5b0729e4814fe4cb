"""Where the platform is to be installed: this machine, until the cluster targets are built."""

import os
from enum import StrEnum
from pathlib import Path

from maas.domain.errors import MaasError


class Target(StrEnum):
    auto = "auto"
    local = "local"
    kubernetes = "kubernetes"
    openshift = "openshift"


class NotBuilt(MaasError):
    exit_code = 8


def require_local(target: Target) -> None:
    """Raises NotBuilt when it would be a cluster."""
    if target in (Target.kubernetes, Target.openshift):
        raise NotBuilt(f"installing on {target} is not built yet; --target local sets the platform up on this machine")
    if target is Target.auto and (sign := configured_cluster()):
        raise NotBuilt(
            f"a cluster is configured ({sign}), and installing on clusters is not built yet;"
            " --target local sets the platform up on this machine"
        )


def configured_cluster() -> str | None:
    """What says so, or None. The places are those where kubectl looks."""
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "this is a pod: KUBERNETES_SERVICE_HOST is set"
    if given := os.environ.get("KUBECONFIG"):
        return f"KUBECONFIG is {given}"
    default = Path("~/.kube/config").expanduser()
    return str(default) if default.exists() else None
