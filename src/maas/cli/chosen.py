"""Which platform a command is about: the one on this machine, or the one on a cluster.

What runs here comes first, since it is at hand. Else it is the cluster that `maas install` was last used on, which
$MAAS_HOME remembers. $MAAS_TARGET decides where both are: local, kubernetes, openshift or cluster.
"""

import os

from maas.cli.frame import home
from maas.cli.installing import remembered
from maas.cli.installing.remembered import Remembered
from maas.domain.errors import InvalidInput
from maas.embedded.supervisor import client

_HERE, _CLUSTERS = "local", ("cluster", "kubernetes", "openshift")
_NAMESPACE = "llm"  # where `maas install` puts the platform if nobody says otherwise


def cluster() -> Remembered | None:
    """None where it is this machine. Raises InvalidInput."""
    said = os.environ.get("MAAS_TARGET", "").strip().lower()
    if said not in ("", "auto", _HERE, *_CLUSTERS):
        raise InvalidInput(f"MAAS_TARGET={said} is no target; write {_HERE}, {', '.join(_CLUSTERS)}, or unset it")
    if said == _HERE:
        return None
    known = remembered.load(home())
    if said in _CLUSTERS:
        target = said if said != "cluster" else "kubernetes"
        return known or Remembered("", None, _NAMESPACE, target)
    return None if known is None or client.running(home()) is not None else known
