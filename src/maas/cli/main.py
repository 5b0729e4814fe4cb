"""`maas`: finds the command and hands over.

Nothing but `sys` is imported before the command is known: `maas --help`, a shell's completion of it and a typo are
answered in the time that Python needs to start. Typer could hold all commands in one tree, but would import every one
of them, with SQLAlchemy, httpx and rich behind them, to print their names.
"""

import os
import sys

COMMANDS = {
    "preflight": ("maas.cli.preflight", "Say whether a cluster will carry the platform"),
    "install": ("maas.cli.install", "Set the platform up, start it, and prove that it works"),
    "upgrade": ("maas.cli.upgrade", "Bring a cluster's platform to the versions of this MaaS"),
    "uninstall": ("maas.cli.uninstall", "Take away from a cluster what install made"),
    "mirror": ("maas.cli.mirror", "Collect what a cluster without a network needs"),
    "rbac": ("maas.cli.rbac", "Print the role that an installation needs"),
    "init": ("maas.cli.init", "Write a commented maas.yaml to start from"),
    "up": ("maas.cli.up", "Start the platform, or take up what has changed"),
    "down": ("maas.cli.down", "Stop the platform"),
    "restart": ("maas.cli.restart", "Stop and start the platform"),
    "status": ("maas.cli.status", "Show what runs, since when, and what died"),
    "logs": ("maas.cli.logs", "Show the logs"),
    "validate": ("maas.cli.validate", "Prove that an installation works, with live traffic"),
    "doctor": ("maas.cli.doctor", "Find out what is wrong, and mend it"),
    "snapshot": ("maas.cli.snapshot", "Save what the checks read of a cluster, without secrets"),
    "apply": ("maas.cli.apply", "Take up a maas.yaml, or show what it would change"),
    "models": ("maas.cli.models", "List, add and remove models"),
    "size": ("maas.cli.size", "Say whether a model fits on a GPU, and with which arguments"),
    "tiers": ("maas.cli.tiers", "Show the tiers and their limits"),
    "keys": ("maas.cli.keys", "Create, list, revoke, rotate and import API keys"),
    "usage": ("maas.cli.usage", "Show who used how many tokens, and what they cost"),
    "explain": ("maas.cli.explain", "Say why a request was let in or refused, or what a check is for"),
    "simulate": ("maas.cli.simulate", "Run a simulated model server by itself"),
    "version": ("maas.cli.version", "Show the version"),
}

_SECTIONS = {
    "Begin": ("preflight", "install", "init"),
    "Change a cluster": ("upgrade", "uninstall", "mirror", "rbac"),
    "Run": ("up", "down", "restart", "status", "logs"),
    "Check": ("validate", "doctor", "snapshot"),
    "Offer": ("apply", "models", "size", "tiers", "keys"),
    "Understand": ("usage", "explain"),
    "Also": ("simulate", "version"),
}

_FOOT = """\
`maas COMMAND --help` shows a command's options and an example.

The platform lives in $MAAS_HOME (default: ~/.local/share/maas).
MAAS_DEBUG=1 shows tracebacks.

Exit codes:
  0  done                             6  the platform is not running
  1  failed in a way nobody foresaw   7  a part of the platform failed
  2  wrong usage, or wrong input      9  the disk is full
  3  checked, and not ready; of install and upgrade on a cluster, too
  4  there is no such thing; of preflight, validate, doctor: warnings (--strict)
  5  it exists already, or is held by something else, such as a port
"""


def main() -> int:
    if sys.stdout is None:  # closed, as by `maas preflight >&-`: the exit code is all that is wanted
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # for as long as we run
    match sys.argv[1:]:
        case [] | ["-h" | "--help" | "help"]:
            return _print_help()
        case ["--version" | "-V", *rest]:
            return _run("version", rest)
        case [name, *rest] if name in COMMANDS:
            return _run(name, rest)
        case [name, *_]:
            return _unknown(name)
    raise AssertionError("a list is empty or has a first element")


def help_text() -> str:
    lines = ["Usage: maas COMMAND [OPTIONS]", "", "Models as a service: OpenAI-compatible endpoints behind API keys,"]
    lines.append("limited per tier and metered.")
    for title, names in _SECTIONS.items():
        lines += ["", f"{title}:", *(f"  {name:<11}{COMMANDS[name][1]}" for name in names)]
    return "\n".join(lines) + f"\n\n{_FOOT}"


def _print_help() -> int:
    try:
        sys.stdout.write(help_text())
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()  # or Python reports at its end that stdout can't be flushed
    return 0


def _run(name: str, arguments: list[str]) -> int:
    from maas.cli import frame

    return frame.run(name, COMMANDS[name][0], arguments)


def _unknown(name: str) -> int:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, n=1)
    meant = f"; did you mean `maas {close[0]}`?" if close else ""
    print(f"error: there is no command {name!r}{meant}\n`maas --help` lists the commands.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
