"""Why a process ended, in the words that help most: the known trouble behind its last lines, or the last of them."""

from pathlib import Path

from maas.embedded.supervisor.logs import last_lines, last_words
from maas.embedded.supervisor.status import STARTING, ProcessStatus
from maas.models import troubles

_SHOWN, _LONGEST = 4, 160  # lines, and characters of each, that are told besides the last
_LINES = 200  # a traceback of vLLM stands below the line that says why


def end_of(process: ProcessStatus) -> str:
    log = Path(process.log)
    words = last_words(log) or "it says nothing"
    known = troubles.explain(last_lines(log, _LINES), process.last_exit)
    return f"{known}. It ended with: {words}" if known else words


def before_the_end(process: ProcessStatus) -> list[str]:
    """The lines that its last life said before its last one."""
    lines = last_lines(Path(process.log), _LINES)
    own = lines[len(lines) - lines[::-1].index(troubles.STARTS) :] if troubles.STARTS in lines else lines
    return [line[:_LONGEST] for line in own[:-1][-_SHOWN:]]


def lacked_room(process: ProcessStatus) -> bool:
    """Whether its last life ended for want of memory; it may have begun another since."""
    if process.last_exit is None:
        return False
    lines = list(last_lines(Path(process.log), _LINES))
    if process.state == STARTING and troubles.STARTS in lines:
        del lines[len(lines) - 1 - lines[::-1].index(troubles.STARTS) :]
    known = troubles.explain(lines, process.last_exit)
    return known is not None and known.lacks_room
