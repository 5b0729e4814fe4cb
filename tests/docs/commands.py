"""docs/reference/commands.md, made from the commands themselves: `python -m tests.docs.commands` writes it anew."""

from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from maas.cli.main import COMMANDS
from maas.models.simulator.settings import OPTIONS, Settings, show_duration

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"

_HEAD = """\
# Commands

For whoever looks up an option. This page is made from the commands themselves, by `python -m tests.docs.commands`.

`maas --help` lists the commands, `maas COMMAND --help` the options of one, with an example.
Results go to stdout, everything else to stderr. `-o json` and `-o csv` are for programs.

| Variable | Meaning |
|---|---|
| `MAAS_HOME` | where the platform lives; default `$XDG_DATA_HOME/maas`, that is `~/.local/share/maas` |
| `MAAS_DATABASE_URL` | as `--database-url` |
| `MAAS_HELM` | the helm to use; default: the one in the `PATH` |
| `MAAS_TARGET` | `local`, `kubernetes` or `openshift`: whose keys, models, usage; default: what was installed last |
| `MAAS_DEBUG` | when set, errors that nobody foresaw come with their traceback |

| Exit code | Meaning |
|---|---|
| 0 | done |
| 1 | failed in a way nobody foresaw, or the answer to a question was no |
| 2 | wrong usage, or wrong input |
| 3 | checked, and not ready; of `install` and `upgrade` on a cluster: nothing was changed, or it does not work |
| 4 | there is no such key, model, tier, request, file or code; of the three with `--strict`: warnings, nothing worse |
| 5 | it exists already, or something else holds it, such as a port |
| 6 | the platform is not running |
| 7 | a part of the platform failed, or a step of an installation |
| 9 | the disk is full |
| 130 | interrupted with Ctrl-C |

`./install.sh` has these too: 10 no Python 3.11 or newer, 11 the package registry is out of reach, 12 no `venv` module.
It takes the options of `maas install`, and `--set-up-only`: make `.venv`, and stop there.
"""


def click_command(name: str) -> Any:
    return typer.main.get_command(import_module(COMMANDS[name][0]).app)


def page() -> str:
    return "\n".join([_HEAD, *(part for name in COMMANDS for part in _parts(name))])


def _parts(name: str) -> Iterator[str]:
    if name == "simulate":
        yield _simulate()
        return
    command = click_command(name)
    if not hasattr(command, "commands"):
        yield _section(f"maas {name}", command)
        return
    for sub, one in command.commands.items():
        yield _section(f"maas {name} {sub}", one)


def _section(title: str, command: Any) -> str:
    what, *rest = [" ".join(part.split()) for part in command.help.strip().split("\n\n")]
    prose = [_example(part) if part.startswith("Example:") else part for part in (what, *rest)]
    rows = [row for parameter in command.params if (row := _row(parameter))]
    table = ["| Option | Default | |\n|---|---|---|\n" + "\n".join(rows) + "\n"] if rows else []
    return "\n".join([f"## {title}\n", *(f"{part}\n" for part in prose), *table])


def _example(text: str) -> str:
    return f"```sh\n{text.removeprefix('Example:').strip()}\n```"


def _row(parameter: Any) -> str | None:
    if parameter.name == "help":
        return None
    names = ", ".join(f"`{option}`" for option in sorted(parameter.opts, key=len, reverse=True))
    if not parameter.opts[0].startswith("-"):
        names = f"`{parameter.metavar or parameter.name.upper()}`"
    chosen = parameter.default
    choices = list(type(chosen)) if isinstance(chosen, StrEnum) else []
    said = parameter.help + (f" One of {', '.join(f'`{c}`' for c in choices)}." if choices else "")
    return f"| {names} | {_default(parameter)} | {said} |"


def _default(parameter: Any) -> str:
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, str):
        return shown
    if parameter.required:
        return "required"
    value = parameter.default
    return "" if value in (None, False, "", ()) or callable(value) else f"`{getattr(value, 'value', value)}`"


def _simulate() -> str:
    defaults = Settings()
    own = [
        ("--host", "`127.0.0.1`", "The address to listen on."),
        ("--port", "`8000`", "The TCP port; 0 takes a free one."),
        ("--uds", "", "A Unix socket to listen on, too or instead."),
        ("--model", f"`{defaults.model}`", "The name of the model."),
        ("--served-model-name", "", "Names that clients use, instead of `--model`."),
        ("--request-log", "", "A file that gets a JSON line for each request that starts or ends."),
    ]
    settings = [(f"--{o.name}", _value(getattr(defaults, o.field)), o.help.replace("%%", "%")) for o in OPTIONS]
    rows = "\n".join(f"| `{name}` | {default} | {said} |" for name, default, said in own + settings)
    return (
        "## maas simulate\n\nRun a simulated model server by itself. Those from `--max-model-len` on are also the "
        "`options` of a simulator in maas.yaml.\nDurations are `100ms`, `1.5s`, or a plain number of milliseconds.\n\n"
        "```sh\nmaas simulate --port 8000 --model tiny --time-to-first-token 100ms\n```\n\n"
        f"| Option | Default | |\n|---|---|---|\n{rows}\n"
    )


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "all"
    return f"`{show_duration(value) if isinstance(value, float) else value}`"


if __name__ == "__main__":
    PAGE.write_text(page())
