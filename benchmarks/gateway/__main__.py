"""`python -m benchmarks.gateway`: measure everything side by side, print it, and write it down."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.gateway import envoys, litellm_proxy, maas_platform, machine, parts, processes, report, start
from benchmarks.gateway.effort import FULL, PARTS, QUICK, Effort
from benchmarks.gateway.load import Missing, Tools, tools
from benchmarks.gateway.results import Results
from benchmarks.gateway.target import FAST, STREAMING, TOKENS_PER_SECOND, Target, chat_body

_HERE = Path(__file__).parent
_SOURCE = _HERE.parents[1] / "src"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "maas-bench"
INSTANT, SIMULATOR = "instant", "simulator"
_LOADED = {"throughput", "latency", "rate", "streams", "memory"}  # parts that need everything running


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    effort = QUICK if given.quick else FULL
    if given.repeats:
        effort = replace(effort, repeats=given.repeats)
    folder = Path(tempfile.mkdtemp(prefix="maas-bench-"))
    try:
        results = _measured(given, effort, folder)
    except (Missing, processes.NotReady) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report.text(results))
    given.output.mkdir(parents=True, exist_ok=True)
    name = "results" if given.backend == INSTANT else f"results-{given.backend}"
    (given.output / f"{name}.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    (given.output / f"{name}.md").write_text(report.markdown(results))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test; its figures say little")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--backend",
        choices=(INSTANT, SIMULATOR),
        default=INSTANT,
        help="what answers requests that are not streamed: an Envoy that says one thing at once, harder than any"
        " model; or our simulator, a real model server without its waiting",
    )
    parser.add_argument("--repeats", type=int, help="turns of each load (default: 5, quick: 1)")
    parser.add_argument("--no-litellm", action="store_true", help="leave LiteLLM out")
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="NAME=SRC",
        help="measure another tree's src folder too, to compare two versions of MaaS; can be repeated",
    )
    parser.add_argument("--source", type=Path, default=_SOURCE, help="the src folder to measure")
    parser.add_argument("--output", type=Path, help="folder for results.json and results.md (default: this package's)")
    given = parser.parse_args()
    if given.output is None:
        given.output = _CACHE / "quick" if given.quick or set(given.only) != set(PARTS) else _HERE
    return given


def _measured(given: argparse.Namespace, effort: Effort, folder: Path) -> Results:
    results = Results({**machine.facts(), "backend": given.backend}, asdict(effort))
    litellm = None if given.no_litellm else _litellm(results)
    wanted = set(given.only)
    if "help" in wanted:
        results.helps["maas --help"], results.helps["python -c pass"] = start.help_times(given.source, effort.helps)
    if "start" in wanted:
        say("cold starts")
        results.starts["MaaS"] = start.maas_cold_starts(folder / "cold", given.source, effort.starts)
        if litellm and not given.quick:
            results.starts["LiteLLM"] = start.litellm_cold_starts(litellm, folder, min(3, effort.starts))
    if wanted & _LOADED:
        body = folder / "body.json"
        body.write_bytes(chat_body())
        loaders = tools(_CACHE, body)
        with _targets(given, folder, litellm) as targets:
            _load(results, wanted, loaders, targets, effort)
    return results


def _litellm(results: Results) -> Path | None:
    try:
        return litellm_proxy.installed(_CACHE)
    except litellm_proxy.NotInstalled as error:
        results.skipped.append(f"LiteLLM could not be installed: {error}")
        say(results.skipped[-1])
        return None


@contextlib.contextmanager
def _targets(given: argparse.Namespace, folder: Path, litellm: Path | None) -> Iterator[list[Target]]:
    """Everything up at once. The second list of a MaaS differs from the first in its tier only."""
    trees = [(maas_platform.NAME, given.source)]
    trees += [
        (f"MaaS {name}", Path(path).absolute()) for name, _, path in (each.partition("=") for each in given.beside)
    ]
    fast, streaming, bare = processes.free_ports(3)
    with contextlib.ExitStack() as stack:
        if given.backend == INSTANT:
            stack.enter_context(envoys.backend(folder, fast))
        else:
            stack.enter_context(_simulator(folder, FAST, fast, []))
        pace = ["--inter-token-latency", f"{1000 // TOKENS_PER_SECOND}ms", "--time-to-first-token", "50ms"]
        stack.enter_context(_simulator(folder, STREAMING, streaming, pace))
        targets = [stack.enter_context(envoys.bare(folder, bare, fast, streaming))]
        for number, (name, source) in enumerate(trees):
            maas = stack.enter_context(maas_platform.running(folder / f"home{number}", source, fast, streaming))
            targets += maas_platform.targets(maas, name)
        if litellm:
            workers = litellm_proxy.workers()
            targets.append(stack.enter_context(litellm_proxy.running(litellm, folder, fast, streaming, workers)))
        yield targets


@contextlib.contextmanager
def _simulator(folder: Path, model: str, port: int, options: list[str]) -> Iterator[None]:
    argv = [sys.executable, "-m", "maas.models.simulator", "--port", str(port), "--model", model]
    argv += ["--max-num-seqs", "5000", *options]
    log = folder / f"{model}.log"
    with processes.started(argv, log, {"PYTHONPATH": str(_SOURCE)}) as process:
        processes.wait_until_served(f"http://127.0.0.1:{port}/health", process, log, timeout=30)
        yield


def _load(results: Results, wanted: set[str], loaders: Tools, targets: list[Target], effort: Effort) -> None:
    one_of_each = [target for target in targets if not target.name.endswith(maas_platform.UNLIMITED)]
    time.sleep(effort.warm_up)
    if "memory" in wanted:
        results.idle = {_system(target): parts.memory(target) for target in one_of_each}
    if wanted & {"throughput", "latency", "rate"}:
        parts.warm_up(loaders, targets, effort)
    if wanted & {"throughput", "rate"}:
        results.saturation = parts.throughput(loaders, targets, effort, say)
    if "latency" in wanted:
        results.at_one = parts.latency(loaders, targets, effort, say)
    if "rate" in wanted:
        results.at_rate = parts.at_half(loaders, targets, results.saturation, effort, say)
    if "streams" in wanted:
        results.stream_count = effort.streams
        results.streams = parts.streams(one_of_each, effort, say)
    if "memory" in wanted:
        results.after = {_system(target): parts.memory(target) for target in one_of_each}


def _system(target: Target) -> str:
    return target.name.partition(",")[0]


def say(what: str) -> None:
    """Progress, for people."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
