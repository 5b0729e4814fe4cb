"""What somebody sees while a plan is carried out: what is waited for, and for how long already.

On a terminal each running step has one line, which is drawn anew; what is done stays above. Elsewhere every event is a
line with its time, and a wait says now and then that it goes on.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from maas.cli import judged
from maas.cli.installing.plan_text import described
from maas.cli.output import notes
from maas.cluster.plan.model import Action, Plan, Step, Wait
from maas.domain import durations
from maas.readiness.reports.look import Look, clean

_SOON = 3.0  # seconds until a wait is told where there is no terminal
_EVERY = 30.0  # and between two lines about the same one
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_SPINNER = "|/-\\"


@contextmanager
def shown(plan: Plan) -> "Iterator[Shown]":
    look = judged.look_for(sys.stderr)
    if not sys.stderr.isatty():
        yield Lines(plan, look)
        return
    lines = Terminal(plan, look)
    with Live(get_renderable=lines.rendered, console=notes(), refresh_per_second=8, transient=True) as live:
        lines.say = live.console.print
        lines.live = live
        yield lines


@dataclass
class _Running:
    step: Step
    began: float
    what: str


@dataclass
class Terminal:
    plan: Plan
    look: Look
    clock: Callable[[], float] = time.monotonic
    say: Callable[[RenderableType], None] = lambda _: None
    running: dict[str, _Running] = field(default_factory=dict)
    live: Live | None = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While somebody is asked."""
        if self.live is None:
            yield
            return
        self.live.stop()
        try:
            yield
        finally:
            self.live.start()

    def begun(self, step: Step) -> None:
        self.running[step.key] = _Running(step, self.clock(), _under_way(step, 0))

    def acted(self, step: Step, action: Action, note: str) -> None:
        done = step.actions.index(action) if action in step.actions else len(step.actions)
        self._note(step, _under_way(step, done + 1))

    def noted(self, step: Step, text: str) -> None:
        self.say(Text(clean(self.look.finished(f"  {step.title}: {text}"))))

    def waiting(self, step: Step, wait: Wait, why: str, seconds: float) -> None:
        self._note(step, f"until {wait.what}{f' ({why})' if why else ''}")

    def done(self, step: Step, seconds: float) -> None:
        self._ended(step, seconds, "√", "green")

    def failed(self, step: Step, message: str) -> None:
        running = self.running.get(step.key)
        self._ended(step, self.clock() - running.began if running else 0.0, "×", "red")

    def stopped(self, done: Sequence[Step], under_way: Sequence[Step]) -> None:
        self.running.clear()
        self.say(Text(clean(self.look.finished(_stopped(done, under_way)))))

    def rendered(self) -> RenderableType:
        """One line for each step that runs, cut at the terminal's edge."""
        now = self.clock()
        lines = [self._line(each, now) for each in list(self.running.values())]
        return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)

    def _line(self, running: _Running, now: float) -> Text:
        frames = _PLAIN_SPINNER if self.look.ascii else _SPINNER
        lasted = now - running.began
        spinner = frames[int(now * 8) % len(frames)]
        line = f"{spinner} {_elapsed(lasted):>6} {running.step.title}: {running.what}"
        return Text(self._cut(clean(self.look.finished(line))), no_wrap=True, overflow="ellipsis")

    def _cut(self, line: str) -> str:
        width = (self.look.width or 80) - 1
        return line if len(line) <= width else line[: width - 1] + ("~" if self.look.ascii else "…")

    def _note(self, step: Step, what: str) -> None:
        if step.key in self.running:
            self.running[step.key].what = what

    def _ended(self, step: Step, seconds: float, symbol: str, style: str) -> None:
        self.running.pop(step.key, None)
        mark = Text(self.look.finished(symbol), style=style if self.look.colour else "")
        self.say(Text.assemble(mark, f" {_elapsed(seconds):>6} {clean(step.title)}"))


@dataclass
class Lines:
    """Times are of the day in UTC, as logs have them."""

    plan: Plan
    look: Look
    clock: Callable[[], float] = time.time
    to: Console = field(default_factory=notes)
    said: dict[tuple[str, str], float] = field(default_factory=dict)  # when a wait is told next

    @contextmanager
    def paused(self) -> Iterator[None]:
        yield

    def begun(self, step: Step) -> None:
        keys = [each.key for each in self.plan.steps]
        number = keys.index(step.key) + 1 if step.key in keys else 0
        self._say(f"step {number} of {len(keys)}: {step.title}")

    def acted(self, step: Step, action: Action, note: str) -> None:
        self._say(f"{step.title}: {described(action)}{f' ({note})' if note else ''}")

    def noted(self, step: Step, text: str) -> None:
        self._say(f"{step.title}: {text}")

    def waiting(self, step: Step, wait: Wait, why: str, seconds: float) -> None:
        """Said when it takes a while, and then now and then."""
        next_at = self.said.get((step.key, wait.what), _SOON)
        if seconds < next_at:
            return
        self.said[step.key, wait.what] = seconds + _EVERY
        self._say(f"{step.title}: waiting until {wait.what}{f' ({why})' if why else ''}, for {_elapsed(seconds)}")

    def done(self, step: Step, seconds: float) -> None:
        self._say(f"done in {_elapsed(seconds)}: {step.title}")

    def failed(self, step: Step, message: str) -> None:
        self._say(f"failed: {step.title}")

    def stopped(self, done: Sequence[Step], under_way: Sequence[Step]) -> None:
        self._say(_stopped(done, under_way))

    def _say(self, line: str) -> None:
        at = time.strftime("%H:%M:%S", time.gmtime(self.clock()))
        self.to.print(self.look.finished(clean(f"{at} {line}")), soft_wrap=True)


Shown = Terminal | Lines


def _under_way(step: Step, done: int) -> str:
    """What comes after the first actions."""
    return described(step.actions[done]) if done < len(step.actions) else "looking how far it is"


def _stopped(done: Sequence[Step], under_way: Sequence[Step]) -> str:
    begun = f"; under way: {', '.join(step.title for step in under_way)}" if under_way else ""
    return f"stopped; done: {len(done)} {'step' if len(done) == 1 else 'steps'}{begun}"


def _elapsed(seconds: float) -> str:
    return durations.compact(int(seconds)) if seconds >= 1 else "0s"
