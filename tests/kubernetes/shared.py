"""The folder of third-party material beside the repository: CRD schemas that tests give to a real API server.

They are other people's files and are read where they lie, never copied: the folder is $MAAS_SHARED, else ../shared
beside the repository. Without it, the tests that need it are skipped.
"""

import csv
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[3] / "shared"


@dataclass(frozen=True)
class Crd:
    """One line of the manifest of CRDs. component is its folder, such as "opendatahub-3.5"."""

    component: str
    group: str
    kind: str
    plural: str
    path: Path

    @property
    def name(self) -> str:
        return f"{self.plural}.{self.group}"


def folder() -> Path | None:
    place = Path(os.environ.get("MAAS_SHARED") or _BESIDE)
    return place if (place / "crds" / "MANIFEST.tsv").is_file() else None


def need() -> Path:
    """The folder; skips the test where it is not there."""
    found = folder()
    if found is None:
        pytest.skip("no CRD schemas: neither $MAAS_SHARED nor ../shared beside the repository has crds/MANIFEST.tsv")
    return found


@cache
def crds() -> tuple[Crd, ...]:
    """All of them. Some are there twice, in the versions of two components. Skips the test where there are none."""
    place = need() / "crds"
    with (place / "MANIFEST.tsv").open(newline="") as lines:
        return tuple(
            Crd(row["component"], row["group"], row["kind"], row["plural"], place / row["component"] / row["file"])
            for row in csv.DictReader(lines, delimiter="\t")
        )
