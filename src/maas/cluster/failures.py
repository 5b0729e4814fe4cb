"""What can go wrong between us and a cluster, in sentences that say what to do. None ever holds a token or a key.

MaasError
├── InvalidInput
│   ├── BadKubeconfig     a kubeconfig is missing, unreadable, or does not say what is needed   (exit 2)
│   └── Refused           the server found the object wrong (400, 422)                          (exit 2)
├── NotFound
│   └── Missing           no such object, or no such API (404)                                  (exit 4)
├── Conflict
│   └── Conflicting       somebody else's object, field or newer version (409)                  (exit 5)
└── Unavailable
    ├── Unreachable       no connection: name, network, proxy                                   (exit 7)
    │   └── Untrusted     a connection, but not a certificate that is trusted
    ├── LoginFailed       no credentials were to be had, or they were not accepted (401)
    ├── Denied            RBAC, or an admission policy (403)
    └── ServerFailed      429 and 5xx to the last attempt, answers cut off, answers in another language
        └── TooSlow       no answer in time
"""

from maas.domain.errors import Conflict, InvalidInput, NotFound, Unavailable


class BadKubeconfig(InvalidInput):
    pass


class Refused(InvalidInput):
    pass


class Missing(NotFound):
    def __init__(self, message: str, *, object_named: bool = False) -> None:
        """object_named: the API is there, the object is not."""
        super().__init__(message)
        self.object_named = object_named


class Conflicting(Conflict):
    def __init__(self, message: str, *, conflicts: tuple[tuple[str, str], ...] = ()) -> None:
        """conflicts: of a server-side apply, field managers and the fields they hold: ("kubectl", ".spec.replicas")."""
        super().__init__(message)
        self.conflicts = conflicts


class Unreachable(Unavailable):
    pass


class Untrusted(Unreachable):
    pass


class LoginFailed(Unavailable):
    pass


class Denied(Unavailable):
    pass


class ServerFailed(Unavailable):
    pass


class TooSlow(ServerFailed):
    pass
