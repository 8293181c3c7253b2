"""Progress as plain lines in a file, as a display in a terminal."""

import io

from rich.console import Console

from demo_stack.progress import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_lines_without_a_terminal():
    out, clock = io.StringIO(), Clock()
    progress = Progress(Console(file=out, width=120), clock)
    with progress.step("starting", 20):
        clock.now = 2.5
        progress.fact("first")
        clock.now = 4.0
        progress.fact("too soon to be told")
        progress.say("a [red]line[/red] as it is")
        clock.now = 18.0
        progress.fact("later")
    assert out.getvalue().splitlines() == [
        "   0.0 s  starting (about 20 s)",
        "   2.5 s    first",
        "   4.0 s  a [red]line[/red] as it is",
        "  18.0 s    later",
    ]


def test_terminal_shows_step_time_and_fact():
    out, clock = io.StringIO(), Clock()
    console = Console(file=out, width=120, force_terminal=True, color_system=None)
    progress = Progress(console, clock)
    with progress.step("starting", 20):
        clock.now = 5.0
        progress.fact("12 requests")
    shown = out.getvalue()
    assert "starting" in shown
    assert "5 of about 20 s" in shown
    assert "12 requests" in shown
    assert "done: starting, 5 s" in shown
