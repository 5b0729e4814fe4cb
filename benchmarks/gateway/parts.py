"""The parts of the benchmark: each drives its load against every target in turns, and returns what it saw.

In turns, because a machine is never equally quiet for long: what disturbs one target then disturbs all.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway import litellm_proxy
from benchmarks.gateway.aims import served
from benchmarks.gateway.effort import Effort
from benchmarks.gateway.figures import Load, Streams
from benchmarks.gateway.load import Tools, closed_loop, constant_rate
from benchmarks.gateway.target import Target
from benchmarks.gateway.usage import Watch, memory_mb

Say = Callable[[str], None]
_SPARE = 60.0


def warm_up(tools: Tools, targets: Sequence[Target], effort: Effort) -> None:
    """LiteLLM imports much of itself with its first requests; each of its workers has to have had some."""
    for target in targets:
        for _ in range(2):
            closed_loop(tools, target, max(target.connections), effort.warm_up)


def throughput(tools: Tools, targets: Sequence[Target], effort: Effort, say: Say) -> list[Load]:
    found = []
    for turn in range(effort.repeats):
        for target in targets:
            for connections in target.connections:
                found.append(closed_loop(tools, target, connections, effort.load))
                say(f"throughput {turn + 1}/{effort.repeats}: {_told(found[-1])}")
    return found


def latency(tools: Tools, targets: Sequence[Target], effort: Effort, say: Say) -> list[Load]:
    found = []
    for turn in range(effort.repeats):
        for target in targets:
            found.append(closed_loop(tools, target, 1, effort.load / 2))
            say(f"one connection {turn + 1}/{effort.repeats}: {_told(found[-1])}")
    return found


def at_half(
    tools: Tools, targets: Sequence[Target], saturation: Sequence[Load], effort: Effort, say: Say
) -> list[Load]:
    """At half of what MaaS serves, the same for all so that it can be compared; LiteLLM at half of its own."""
    peaks = {target.name: served(list(saturation), target.name) or 0.0 for target in targets}
    shared = min((peak for name, peak in peaks.items() if name != litellm_proxy.NAME), default=0.0) / 2
    found = []
    for turn in range(effort.repeats):
        for target in targets:
            rate = peaks[target.name] / 2 if target.name == litellm_proxy.NAME else shared
            found.append(constant_rate(tools, target, rate, effort.load))
            say(f"constant rate {turn + 1}/{effort.repeats}: {_told(found[-1])}")
    return found


def streams(targets: Iterable[Target], effort: Effort, say: Say) -> list[Streams]:
    found = []
    for target in targets:
        found.append(_streams(target, effort))
        say(f"{effort.streams} streams: {found[-1].target}: {found[-1].tokens} tokens, {found[-1].failed} failed")
    return found


def memory(target: Target) -> dict[str, float]:
    return {name: memory_mb(pids) for name, pids in target.processes().items()}


def _streams(target: Target, effort: Effort) -> Streams:
    options = {"--streams": effort.streams, "--tokens": effort.stream_tokens, "--seconds": effort.stream_seconds}
    argv = [sys.executable, "-m", "benchmarks.gateway.streams", target.chat, target.key]
    argv += [str(word) for pair in options.items() for word in pair]
    longest = effort.stream_seconds + effort.stream_tokens / 20 + _SPARE
    with Watch(target.processes()) as watch:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=True, timeout=longest, cwd=Path(__file__).parents[2]
        )
    seen: dict[str, Any] = json.loads(done.stdout)
    return Streams(target=target.name, **seen, cpu=watch.cores(), memory=watch.peak_mb)


def _told(load: Load) -> str:
    failed = f", {load.failed} failed" if load.failed else ""
    return f"{load.target}: {load.per_second:.0f}/s, p50 {load.p50:.2f} ms, p99 {load.p99:.2f} ms{failed}"
