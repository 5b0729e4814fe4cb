"""Command lines in the pages are ones that the commands accept, and the page of commands is as they are."""

import re
import shlex
from collections.abc import Iterator

import pytest

from maas.cli.cluster_options import seconds
from maas.cli.main import COMMANDS
from maas.models.simulator.settings import OPTIONS
from tests.docs import commands
from tests.docs.pages import ROOT, Page, pages

_COMMAND = re.compile(r"(?:^|[(;|&] *|^\w+=\S+ +|bin/)maas +([^|;)&<>#\n]*)")
_INLINE = re.compile(r"`([^`\n]*\bmaas [^`\n]*)`")
_INSTALL_OPTION = re.compile(r"install\.sh[^`\n]*?(--[a-z][a-z0-9-]*)")
_INCOMPLETE = ("Missing argument", "Missing option", "Missing command")
_SIMULATOR = {f"--{option.name}" for option in OPTIONS} | {"--port", "--model", "--help"}


def _written(page: Page) -> Iterator[tuple[str, bool]]:
    """Arguments of maas, and whether they are to be complete: those named in a sentence need not be."""
    for block in page.blocks:
        text = block.text.replace("\\\n", " ")
        if block.language == "sh":
            lines = text.splitlines()
        elif block.language == "console":
            lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        else:
            continue
        yield from ((found, True) for line in lines for found in _COMMAND.findall(line.partition("  #")[0]))
    for inline in _INLINE.findall(page.prose):
        yield from ((found, False) for found in _COMMAND.findall(inline))


_WRITTEN = sorted({(*one, page.path.name) for page in pages() for one in _written(page)})


def test_there_are_command_lines() -> None:
    assert len(_WRITTEN) > 60


@pytest.mark.parametrize(("written", "complete", "where"), _WRITTEN)
def test_a_command_line_is_accepted(written: str, complete: bool, where: str) -> None:
    name, *arguments = shlex.split(written.removesuffix(" ...")) or [""]
    if name in ("COMMAND", "...") or (name.startswith("-") and not complete):
        return
    assert name in COMMANDS, f"{where}: maas {written}"
    if name == "simulate":
        assert {word for word in arguments if word.startswith("--")} <= _SIMULATOR
        return
    _accept(name, arguments, complete)


def _accept(name: str, arguments: list[str], complete: bool) -> None:
    command = commands.click_command(name)
    if hasattr(command, "commands"):
        sub, *arguments = arguments or [""]
        if not sub and not complete:
            return
        command = command.commands[sub]
    try:
        command.make_context(name, arguments)
    except Exception as error:
        said = getattr(error, "format_message", lambda: "")()
        if type(error).__name__ == "Exit" or (not complete and said.startswith(_INCOMPLETE)):  # --help has been shown
            return
        raise


def test_options_of_the_installer_exist() -> None:
    known = (ROOT / "install.sh").read_text()
    for page in pages():
        for option in _INSTALL_OPTION.findall(page.text):
            assert option in known, f"{page.path.name}: {option}"


def test_the_page_of_commands_is_up_to_date() -> None:
    assert commands.PAGE.read_text() == commands.page(), "write it anew: python -m tests.docs.commands"


def test_defaults_of_durations_are_ones_that_the_option_takes() -> None:
    durations = [
        (name, parameter)
        for name in COMMANDS
        for parameter in getattr(commands.click_command(name), "params", ())
        if getattr(parameter, "metavar", None) == "DURATION" and isinstance(parameter.default, float)
    ]
    assert len(durations) >= 4
    for name, parameter in durations:
        shown = str(parameter.show_default)
        assert seconds(shown) == parameter.default, f"maas {name} {parameter.opts[0]}: {shown}"
