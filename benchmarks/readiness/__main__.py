"""`python -m benchmarks.readiness`: how long a preflight takes on clusters of three sizes, live and from a snapshot."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.gateway import machine
from benchmarks.readiness import report
from benchmarks.readiness.measuring import Broken, measured
from benchmarks.readiness.results import Results

_HERE = Path(__file__).parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "maas-bench"
SIZES = (100, 1000, 5000)


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    results = Results(machine.basics(), given.repeats)
    folder = Path(tempfile.mkdtemp(prefix="maas-bench-"))
    try:
        results.sizes = [measured(nodes, given.repeats, folder, say) for nodes in given.nodes]
    except (Broken, pytest.skip.Exception) as error:  # the test cluster says so where its programs are missing
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report.text(results))
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    (given.output / "results.md").write_text(report.markdown(results))
    say(f"written to {given.output}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readiness", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=list(SIZES), help="sizes (default: 100 1000 5000)")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each (default: 5)")
    parser.add_argument("--output", type=Path, help="folder for results.json and results.md (default: this package's)")
    given = parser.parse_args()
    if given.output is None:
        whole = tuple(given.nodes) == SIZES and given.repeats >= 5
        given.output = _HERE if whole else _CACHE / "readiness"
    return given


def say(what: str) -> None:
    """Progress, for people."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
