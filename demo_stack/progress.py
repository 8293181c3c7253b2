"""What a long command shows: one live display in a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

__all__ = ["Progress"]

#: Without a terminal, a fact that changes all the time is printed this often.
FACT_EVERY_S = 15.0


class Progress:
    """The steps so far, the current one with its expected time, and the latest fact."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self.clock = clock
        self.begun = clock()
        self._live: Live | None = None
        self._title, self._expected_s, self._step_begun, self._fact = "", 0.0, 0.0, ""
        self._fact_printed = float("-inf")

    @contextmanager
    def step(self, title: str, expected_s: float) -> Iterator[None]:
        """Show `title` as the current step while the body runs, then as done with its duration."""
        self._title, self._expected_s, self._fact = title, expected_s, ""
        self._step_begun = self.clock()
        if not self.console.is_terminal:
            self.say(f"{title} (about {expected_s:.0f} s)")
            yield
            return
        with Live(get_renderable=self._current, console=self.console, transient=True):
            yield
        self.say(f"done: {title}, {self.clock() - self._step_begun:.0f} s", style="green")

    def say(self, line: str, style: str = "") -> None:
        """A line that stays, with the time since the start."""
        elapsed_s = self.clock() - self.begun
        self.console.print(
            Text.assemble((f"{elapsed_s:6.1f} s  ", "dim"), (line, style)), soft_wrap=True
        )

    def fact(self, text: str) -> None:
        """The latest of something that changes."""
        self._fact = text
        now = self.clock()
        if not self.console.is_terminal and now - self._fact_printed >= FACT_EVERY_S:
            self._fact_printed = now
            self.say(f"  {text}")

    def _current(self) -> RenderableType:
        elapsed_s = self.clock() - self._step_begun
        grid = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self._expected_s, completed=min(elapsed_s, self._expected_s))
        bar.width = 24
        times = f"{elapsed_s:3.0f} of about {self._expected_s:.0f} s"
        grid.add_row(bar, times, Text(self._title, style="bold"))
        return Group(grid, Text(f"  {self._fact}", style="dim"))
