import subprocess
from typing import Protocol


class Maas(Protocol):
    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]: ...
