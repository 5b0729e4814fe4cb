"""How the simulated model behaves: one frozen value, and one table that names every field once.

The table (`OPTIONS`) gives the command line its flags and /admin/config its fields, so that both read, check and
show a setting in the same way.
The names are llm-d-inference-sim's.
A change at run time makes a new `Settings`, which is checked as a whole before it replaces the old one: nothing is
half-applied, and a request that has started keeps the latencies it started with.

Defaults that differ from llm-d-inference-sim, on purpose: `max-num-seqs` 256 (not 5) and `max-model-len` 8192
(not 1024), because here it stands in for a model server on a whole machine and must not be the bottleneck of what
is tested through it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from .fields import INT64

FAILURES = (
    "rate_limit",
    "invalid_api_key",
    "context_length",
    "server_error",
    "invalid_request",
    "model_not_found",
)
MODES = ("echo", "random")
MAX_DEVIATION = 0.3
MAX_DIMENSIONS = 8192
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m)")
_HOUR = 3600.0


class BadSetting(ValueError):
    """`option` as it is written on the command line, without the dashes before it; `problem` in words."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Durations in seconds."""

    model: str = "simulator-model"
    served_model_name: tuple[str, ...] = ()
    max_model_len: int = 8192
    max_num_seqs: int = 256
    max_waiting_queue_length: int = 1000
    mode: str = "random"
    time_to_first_token: float = 0.0
    time_to_first_token_std_dev: float = 0.0
    inter_token_latency: float = 0.0
    inter_token_latency_std_dev: float = 0.0
    failure_injection_rate: int = 0
    failure_types: tuple[str, ...] = FAILURES
    startup_duration: float = 0.0
    default_embedding_dimensions: int = 384
    seed: int = 0
    max_request_body_size_mb: int = 4
    shutdown_grace: float = 10.0

    def __post_init__(self) -> None:
        for base in ("time_to_first_token", "inter_token_latency"):
            if getattr(self, f"{base}_std_dev") > getattr(self, base) * MAX_DEVIATION + 1e-12:
                option = f"{base}_std_dev".replace("_", "-")
                raise BadSetting(option, f"must be at most 30% of {base.replace('_', '-')}")

    @property
    def names(self) -> tuple[str, ...]:
        """What clients may call the model. The first also labels the metrics."""
        return self.served_model_name or (self.model,)


@dataclass(frozen=True, slots=True)
class Option:
    """`read` takes a JSON value (or the text of a flag, numbers already turned into int); ValueError if it is bad."""

    field: str
    read: Callable[[object], Any]
    help: str
    live: bool = False

    @property
    def name(self) -> str:
        return self.field.replace("_", "-")


def duration(value: object) -> float:
    """Seconds from "100ms", "1.5s", or from a plain integer: milliseconds."""
    seconds = -1.0
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value / 1000
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 <= seconds <= _HOUR:
        raise ValueError('must be a duration up to 1h such as "100ms", "1.5s", or an integer of milliseconds')
    return seconds


def show_duration(seconds: float) -> str:
    return f"{seconds * 1000:.9g}ms"


def _integer(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be an integer from {low} to {high}")
        return value

    return read


def _mode(value: object) -> str:
    if value not in MODES:
        raise ValueError("must be echo or random")
    return str(value)


def _failures(value: object) -> tuple[str, ...]:
    """From an array, or from the flag's comma list."""
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(name in FAILURES for name in names):
        raise ValueError("must be one or more of " + ", ".join(FAILURES))
    return tuple(names)


OPTIONS = (
    Option("max_model_len", _integer(1, 1_000_000), "longest prompt plus answer, in tokens"),
    Option("max_num_seqs", _integer(1, 100_000), "requests that run at the same time", live=True),
    Option("max_waiting_queue_length", _integer(0, 1_000_000), "requests that may wait; more get 429", live=True),
    Option("mode", _mode, "echo: repeat the last user message; random: sentences of random words", live=True),
    Option("time_to_first_token", duration, "such as 100ms", live=True),
    Option("time_to_first_token_std_dev", duration, "at most 30%% of it", live=True),
    Option("inter_token_latency", duration, "such as 20ms", live=True),
    Option("inter_token_latency_std_dev", duration, "at most 30%% of it", live=True),
    Option("failure_injection_rate", _integer(0, 100), "percent of requests that fail", live=True),
    Option("failure_types", _failures, "comma list of " + ", ".join(FAILURES), live=True),
    Option("startup_duration", duration, "how long /health/ready and the model answer 503"),
    Option("default_embedding_dimensions", _integer(1, MAX_DIMENSIONS), "length of an embedding"),
    Option("seed", _integer(-INT64, INT64), "makes random answers repeatable"),
    Option("max_request_body_size_mb", _integer(1, 1024), "larger bodies get 413"),
    Option("shutdown_grace", duration, "how long running requests may take after SIGTERM"),
)
_LIVE = {option.name: option for option in OPTIONS if option.live}


def changed(settings: Settings, update: dict[str, Any]) -> Settings:
    """A copy with the fields of `update`, or BadSetting. Null leaves a field as it is, as llm-d-inference-sim does."""
    new: dict[str, Any] = {}
    for name, value in update.items():
        if name not in _LIVE:
            raise BadSetting(name, "is not a setting that can be changed; these can: " + ", ".join(_LIVE))
        if value is not None:
            try:
                new[_LIVE[name].field] = _LIVE[name].read(value)
            except ValueError as error:
                raise BadSetting(name, str(error)) from error
    return replace(settings, **new)


def shown(settings: Settings) -> dict[str, Any]:
    """What is in force, by the names of the flags; durations as text."""
    return {field.name.replace("_", "-"): _plain(getattr(settings, field.name)) for field in fields(settings)}


def _plain(value: Any) -> Any:
    return show_duration(value) if isinstance(value, float) else value
