"""What an installation needs from the internet, in a folder that can be carried to where there is none.

    DIR/charts/NAME-VERSION.tgz    as the projects packed them
    DIR/manifests/NAME.yaml
    DIR/images.txt                 what nodes pull, for a registry of the site's own: one image a line
    DIR/mirror.json                written last: what belongs to the mirror, each with its checksum

A folder without mirror.json is a mirror that was not completed. What is in the list and not as the list says is damage,
and refused by name: an installation from a mirror asks the network for nothing, so it could only fail half-way.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maas.cluster import helm, manifests
from maas.cluster.plan.model import Chart, Manifest, Step
from maas.domain.errors import InvalidInput

LIST = "mirror.json"
IMAGES = "images.txt"
_FORMAT = 1


class BadMirror(InvalidInput):
    pass


@dataclass(frozen=True)
class Mirror:
    """files: checksums by path. images: by what asks for them: {"kserve-resources v0.20.0": ("kserve/…",)}."""

    folder: Path
    files: Mapping[str, str]
    images: Mapping[str, Sequence[str]] = field(default_factory=dict)


def places(steps: Iterable[Step]) -> dict[str, Chart | Manifest]:
    """What these steps take from a mirror, by its path there."""
    actions = (action for step in steps for action in step.actions)
    found = {_place(each): each for each in actions if isinstance(each, Chart | Manifest)}
    return dict(sorted(found.items()))


def _place(action: Chart | Manifest) -> str:
    return helm.packed(action) if isinstance(action, Chart) else manifests.place(action)


def seal(folder: Path, paths: Iterable[str], images: Mapping[str, Sequence[str]] | None = None) -> Mirror:
    """Writes the list of what belongs to it: the mirror is complete."""
    files = {path: digest(folder / path) for path in sorted(paths)}
    found = {key: sorted(value) for key, value in sorted((images or {}).items())}
    every = sorted({image for each in found.values() for image in each})
    _write(folder / IMAGES, "".join(f"{image}\n" for image in every))
    _write(folder / LIST, json.dumps({"format": _FORMAT, "files": files, "images": found}, indent=1) + "\n")
    return Mirror(folder, files, found)


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text)
    part.replace(path)


def digest(path: Path) -> str:
    """Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(folder: Path) -> Mirror:
    """Whole, or not at all. Raises BadMirror."""
    found = listed(folder)
    wrong = [f"  {path}: {why}" for path, known in found.files.items() if (why := _damage(folder / path, known))]
    if wrong:
        raise BadMirror(
            f"the mirror {folder} is damaged, and nothing was installed:\n"
            + "\n".join(wrong[:20])
            + f"\nMake it anew where there is a network, `maas mirror {folder}`, and copy it again"
        )
    return found


def _damage(path: Path, expected: str) -> str:
    try:
        return "" if digest(path) == expected else "not the file that was mirrored (its checksum is another one)"
    except OSError as error:
        return "missing" if isinstance(error, FileNotFoundError) else (error.strerror or "unreadable")


def listed(folder: Path) -> Mirror:
    """What the list says; the files are not looked at. Raises BadMirror."""
    try:
        written = json.loads((folder / LIST).read_bytes())
        files, images = _texts(written["files"]), dict(written["images"])
    except FileNotFoundError:
        what = "is not there" if not folder.is_dir() else f"has no {LIST}: it was never completed"
        raise BadMirror(f"the mirror {folder} {what}. `maas mirror {folder}` makes one") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise BadMirror(f"{folder / LIST} cannot be read: make the mirror anew, `maas mirror {folder}`") from None
    if written.get("format") != _FORMAT:
        raise BadMirror(f"the mirror {folder} is of another version of MaaS: make it anew, `maas mirror {folder}`")
    return Mirror(folder, files, images)


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    """No path leads out of the folder."""
    found = {str(key): str(digest) for key, digest in value.items()}
    if any(Path(path).is_absolute() or ".." in Path(path).parts for path in found):
        raise ValueError("a path leads out of the mirror")
    return found


def require(folder: Path, steps: Iterable[Step]) -> Mirror:
    """Before an installation: the mirror is whole, and holds what these steps bring. Raises BadMirror."""
    found = read(folder)
    missing = [path for path in places(steps) if path not in found.files]
    if missing:
        names = "\n".join(f"  {path}" for path in missing)
        raise BadMirror(
            f"the mirror {folder} lacks what this cluster needs:\n{names}\n"
            "It was made for other versions. `maas mirror` without --kubernetes collects those for all"
        )
    return found
