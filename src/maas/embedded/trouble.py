"""Why a process ended, in the words that help most: the known trouble behind its last lines, or the last of them."""

from functools import lru_cache
from pathlib import Path

from maas.embedded.supervisor.logs import last_lines, quoted
from maas.embedded.supervisor.status import BACKOFF, FAILED, STARTING, ProcessStatus
from maas.models import troubles

_SHOWN, _LONGEST = 5, 160  # lines, and characters of each, that are told besides the cause
_LINES = 200  # a traceback of vLLM stands below the line that says why


def is_in_trouble(process: ProcessStatus) -> bool:
    """It died, and has not been ready since: also while it is started again."""
    return process.last_exit is not None and process.state in (STARTING, BACKOFF, FAILED)


@lru_cache(maxsize=64)  # asked several times a second, and what has ended says no more
def end_of(process: ProcessStatus) -> str:
    lines = _last_life(process)
    words = quoted(lines[-1]) if lines else "it says nothing"
    known = troubles.explain(lines, process.last_exit)
    if known is None:
        return words
    return f"{known}. It said: {quoted(known.said)}" if known.said else f"{known}. It ended with: {words}"


def last_said(process: ProcessStatus) -> list[str]:
    """The last lines of its last life, without the one that `end_of` quotes."""
    told = end_of(process)
    return [line[:_LONGEST] for line in _last_life(process)[-_SHOWN:] if quoted(line) not in told]


def lacked_room(process: ProcessStatus) -> bool:
    """Whether its last life ended for want of memory; it may have begun another since."""
    if process.last_exit is None:
        return False
    known = troubles.explain(_last_life(process), process.last_exit)
    return known is not None and known.lacks_room


def _last_life(process: ProcessStatus) -> list[str]:
    """What the life said that has ended. Where the one before it ended, its first line tells."""
    log = Path(process.log)
    if process.pid is None:
        return last_lines(log, _LINES, begin=process.log_start)
    lines = last_lines(log, _LINES, end=process.log_start)
    return lines[len(lines) - lines[::-1].index(troubles.STARTS) :] if troubles.STARTS in lines else lines
