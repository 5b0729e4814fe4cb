"""What should run: the shape of desired.json."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from maas.embedded.supervisor.files import replace_file


@dataclass(frozen=True)
class Spec:
    """One process.

    argv: the program's absolute path first.
    log: a path, or a name in the home's folder of logs.
    env: added to the supervisor's own.
    stop: a command that asks it to end, given its pid as the last argument; without one it gets SIGTERM.
    stop_grace: seconds from then to SIGKILL.
    order: lower ones are started earlier and stopped later.
    ready: a unix socket's path or "host:port" that accepts connections once the process can work;
      None: it just has to live.
    health: a path; what listens there can work only once a GET of it is answered with 200.
    """

    name: str
    argv: tuple[str, ...]
    log: str
    env: Mapping[str, str] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    stop_grace: float = 10.0
    order: int = 0
    ready: str | None = None
    health: str | None = None


@dataclass(frozen=True)
class Desired:
    """generation: chosen by the writer; status.json names the one that was last taken up."""

    generation: str
    specs: tuple[Spec, ...]


def write_desired(path: Path, desired: Desired) -> None:
    document = {"generation": desired.generation, "processes": [asdict(spec) for spec in desired.specs]}
    replace_file(path, json.dumps(document, indent=1))


def read_desired(path: Path) -> Desired:
    """Raises ValueError that says what is wrong; OSError when there is no such file."""
    document = json.loads(path.read_text())
    try:
        specs = tuple(_spec(entry) for entry in document["processes"])
        generation = str(document["generation"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name} has another shape than expected: {error!r}") from error
    if len({spec.name for spec in specs}) < len(specs):
        raise ValueError(f"{path.name} names a process twice")
    return Desired(generation, specs)


def _spec(entry: dict[str, object]) -> Spec:
    commands = {name: tuple(_strings(entry.get(name, []))) for name in ("argv", "stop")}
    spec = Spec(**{**entry, **commands})  # type: ignore[arg-type]
    if not spec.argv:
        raise ValueError(f"{spec.name}: argv is empty")
    if spec.ready and "/" not in spec.ready and not spec.ready.rpartition(":")[2].isdecimal():
        raise ValueError(f"{spec.name}: ready is {spec.ready!r}, neither a socket's path nor host:port")
    return spec


def _strings(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("argv is a list of strings")
    return value
