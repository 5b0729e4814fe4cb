"""What somebody writes as `weights`, and the file that it means.

    /models/llama.gguf            that file (or a folder, for vLLM)
    smollm2                       the small model that comes as a Python package (packaged.py)
    Qwen/Qwen3-0.6B-GGUF          a repository of the hub: the best of its files for CPUs
    Qwen/Qwen3-0.6B-GGUF:Q4_K_M   its file of that quantisation
    org/repo/file.gguf            that file of it

A folder mirror ($MAAS_WEIGHTS_MIRROR, laid out as org/repo/file.gguf) is looked into first, and used in place.
"""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maas.domain.errors import InvalidInput, NotFound

PACKAGED = "smollm2"
DEFAULT = "Qwen/Qwen3-0.6B-GGUF:Q8_0"
PREFERRED = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "F16", "BF16")
_PART_OF_NAME = r"(?!\.{1,2}(?:[/:]|$))[\w.-]+"
_REPOSITORY = re.compile(
    rf"({_PART_OF_NAME})/({_PART_OF_NAME})(?::([\w.-]+)|/((?:{_PART_OF_NAME}/)*[\w.-]+\.gguf))?", re.ASCII
)
_PART = re.compile(r"-\d{5}-of-\d{5}\.gguf$")


@dataclass(frozen=True)
class OnHub:
    """quantisation, file: which of the repository's files; at most one of them is told."""

    repository: str
    quantisation: str | None = None
    file: str | None = None

    def choose(self, files: Sequence[str]) -> str:
        """Raises InvalidInput."""
        whole = [file for file in files if file.endswith(".gguf") and not _PART.search(file) and _stays_inside(file)]
        if self.file is not None:
            if self.file in whole:
                return self.file
            raise InvalidInput(f"{self.repository} has no {self.file}; it has {_listed(whole)}")
        for wanted in (self.quantisation,) if self.quantisation else PREFERRED:
            if found := [file for file in whole if _is_of(file, wanted)]:
                return min(found, key=len)
        wished = f"of {self.quantisation}" if self.quantisation else "for CPUs"
        raise InvalidInput(f"{self.repository} has no single GGUF file {wished}; it has {_listed(whole)}")


def parse(weights: str) -> Path | OnHub | None:
    """None for the packaged model. Raises InvalidInput."""
    if weights == PACKAGED:
        return None
    if weights.startswith(("/", "~/")) and weights.isprintable():
        return Path(weights).expanduser()
    match = _REPOSITORY.fullmatch(weights)
    if match is None:
        raise InvalidInput(
            f"{weights!r} names no weights: write a path that begins with /, {PACKAGED}, or a name on the hub such as"
            f" {DEFAULT}"
        )
    return OnHub(f"{match[1]}/{match[2]}", match[3], match[4])


def locate(weights: str, folder: Path) -> Path:
    """The file on this machine. Raises InvalidInput, and NotFound if it still has to be brought."""
    meant = parse(weights)
    if isinstance(meant, Path):
        if not os.path.exists(meant):  # noqa: PTH110  # Path.exists raises for names that are too long, or not ours
            raise NotFound(f"there are no weights at {meant}")
        return meant
    if meant is None:
        found: Path | None = packaged_place(folder)
    else:
        found = _in_a_repository(meant, folder)
    if found is None or not found.exists():
        raise NotFound(f"the weights {weights} are not on this machine yet: `maas models pull {weights}` brings them")
    return found


def packaged_place(folder: Path) -> Path:
    return folder / PACKAGED / "SmolLM2-135M-Instruct.Q4_1.gguf"


def repository_place(repository: str, folder: Path) -> Path:
    return folder.joinpath(*repository.split("/"))


def _in_a_repository(meant: OnHub, folder: Path) -> Path | None:
    mirror = os.environ.get("MAAS_WEIGHTS_MIRROR")
    for root in (*((Path(mirror),) if mirror else ()), folder):
        place = repository_place(meant.repository, root)
        files = sorted(str(file.relative_to(place)) for file in place.rglob("*.gguf")) if place.is_dir() else []
        try:
            return place / meant.choose(files)
        except InvalidInput:
            continue
    return None


def _stays_inside(file: str) -> bool:
    """Whether a name that somebody else made up means a file below the folder that it is put into."""
    return bool(file) and "\0" not in file and not any(part in ("", ".", "..") for part in file.split("/"))


def _is_of(file: str, quantisation: str) -> bool:
    return re.search(rf"[-._]{re.escape(quantisation)}\.gguf$", file, re.IGNORECASE) is not None


def _listed(files: Iterable[str]) -> str:
    return ", ".join(sorted(files)[:8]) or "none"
