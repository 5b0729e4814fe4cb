"""What can go wrong in words its reader can act on.

MaasError                  base: the message is for people, `exit_code` for scripts
├── InvalidInput           something a user wrote is wrong; says where and what to write instead   (exit 2)
│   └── InvalidPlatform    maas.yaml, with every problem found, each with its line
├── NotFound               no such key, model, tier or request                                     (exit 4)
├── Conflict               it exists already, or something else holds it (a port, a lock)          (exit 5)
├── NotRunning             the platform is not up                                                  (exit 6)
└── Unavailable            a part of the platform failed; says which                               (exit 7)
"""

from collections.abc import Sequence


class MaasError(Exception):
    exit_code = 1


class InvalidInput(MaasError):
    exit_code = 2


class InvalidPlatform(InvalidInput):
    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class NotFound(MaasError):
    exit_code = 4


class Conflict(MaasError):
    exit_code = 5


class NotRunning(MaasError):
    exit_code = 6


class Unavailable(MaasError):
    exit_code = 7
