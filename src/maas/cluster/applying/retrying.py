"""Which failures of a write pass by themselves, what to say meanwhile, and how long they are given."""

import re

from maas.cluster.failures import Conflicting, Denied, Missing, ServerFailed, Unreachable, Untrusted
from maas.cluster.helm_failures import HelmFailed
from maas.domain.errors import MaasError

_WEBHOOK = re.compile(r'failed calling webhook "([^"]+)"')
_OF_OURS = re.compile(r"failed to create typed|failed to create manager|not declared in schema|illegal base64")
_UNSERVED = "no matches for kind"
_TERMINATING = "because it is being terminated"
_UP_SOON, _SERVED_SOON = 300.0, 60.0


def patience(error: MaasError) -> float:
    """Seconds that this failure is tried again; 0: it will not pass."""
    match error:
        case Untrusted():
            return 0.0
        case HelmFailed() if _UNSERVED in error.words:
            return _SERVED_SOON
        case HelmFailed():
            return _UP_SOON if _WEBHOOK.search(error.words) or _TERMINATING in error.words else 0.0
        case ServerFailed() if _OF_OURS.search(str(error)):
            return 0.0  # of an apply that it cannot read, a server says 500
        case ServerFailed() | Unreachable():
            return _UP_SOON
        case Missing():
            return 0.0 if error.object_named else _SERVED_SOON
        case Denied():
            return _UP_SOON if _TERMINATING in str(error) else 0.0
        case Conflicting():
            return 0.0 if error.conflicts else _SERVED_SOON
    return 0.0


def told(error: MaasError) -> str:
    """A sentence that stays the same from one attempt to the next."""
    if webhook := _WEBHOOK.search(str(error)):
        return f"webhook {webhook[1]} does not answer yet: trying again"
    match error:
        case Unreachable():
            return "the API server cannot be reached: trying again"
        case Missing():
            return "the cluster does not serve this kind yet: trying again"
        case HelmFailed() if _UNSERVED in error.words:
            return "the cluster does not serve this kind yet: trying again"
        case Denied() | HelmFailed():
            return "its namespace is being deleted: waiting until it has gone"
        case Conflicting():
            return "somebody else is writing it at the same time: trying again"
    return "the API server does not answer: trying again"
