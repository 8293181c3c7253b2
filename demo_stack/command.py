"""`dynoscope demo`: the bundled service, its load, releases and faults, and the story of it all."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from demo_stack.deploys import deploy as deploy_release
from demo_stack.faults import cause_slow_query, mend_slow_query
from demo_stack.processes import DemoError
from demo_stack.progress import Progress
from demo_stack.releases import patch_of
from demo_stack.report import story_report
from demo_stack.stack import Stack
from demo_stack.story import FULL, SHORT, tell
from demo_stack.traffic import RATE_RPS, read_summary, requests_sent, traffic

__all__ = ["demo"]

EXIT_CHECK_FAILED = 1
EXIT_NOT_DONE = 2
UP_S = 25
#: Whether each release of a story, from r2 on, brings the regression.
STORIES = {"regression": (True,), "none": (False,), "both": (False, True)}

Command = TypeVar("Command", bound=Callable[..., Any])


def _home_option(command: Command) -> Command:
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(".demo"),
        show_default=True,
        envvar="DYNOSCOPE_DEMO_HOME",
        help="Folder of the demo: its data, logs and state.",
    )(command)


@click.group()
def demo() -> None:
    """A photo service with everything around it, on loopback ports of its own."""


@demo.command(epilog="Example: dynoscope demo up --story")
@_home_option
@click.option(
    "--story",
    type=click.Choice([*STORIES]),
    is_flag=False,
    flag_value="regression",
    help="Tell a story: a release with a regression, then a slow database; a harmless release; or "
    "both, the harmless one first.",
)
@click.option(
    "--speed", type=click.Choice(["full", "short"]), default="full", help="How long its phases are."
)
@click.option("--seconds", type=click.FloatRange(10, 3600), help="Length of its phases in all, s.")
@click.option("--seed", default=1, show_default=True, help="Seed of the traffic.")
@click.option("--then-down", is_flag=True, help="End everything afterwards.")
def up(
    home: Path, story: str | None, speed: str, seconds: float | None, seed: int, then_down: bool
) -> None:
    """Start the service and Dynoscope; with --story also show what it finds (about 6 minutes)."""
    progress = Progress(_console())
    with _stack(home, progress) as stack:
        if story is None and stack.running():
            progress.say(f"it is up already: {stack.edge_url()}, {stack.dashboards_url()}")
            return
        if story is not None:
            _start_afresh(stack, progress)
        with progress.step("starting everything", UP_S):
            stack.up()
        progress.say(f"service {stack.edge_url()}, dashboards {stack.dashboards_url()}")
        held = True
        try:
            timing = SHORT if speed == "short" else FULL
            timing = timing if seconds is None else timing.scaled(seconds)
            for number, regression in enumerate(STORIES[story] if story else (), start=2):
                outcome = tell(
                    stack, progress,
                    regression=regression, timing=timing, release=f"r{number}", seed=seed,
                )  # fmt: skip
                address = None if then_down else stack.dashboards_url()
                progress.console.print(story_report(outcome, address))
                held = held and all(check.held for check in outcome.checks)
                # The next is compared with this one, whose traffic has been.
                timing = replace(timing, before_s=0)
        finally:
            if then_down:
                stack.down()
    if not held:
        sys.exit(EXIT_CHECK_FAILED)


@demo.command()
@_home_option
@click.option("--purge", is_flag=True, help="Delete its data, too.")
def down(home: Path, purge: bool) -> None:
    """End exactly the processes that `up` started."""
    progress = Progress(_console())
    with _stack(home, progress) as stack:
        if not stack.running():
            progress.say("nothing of this demo runs")
        for name in stack.down():
            progress.say(f"{name} did not end when asked, and was killed", style="yellow")
        if purge:
            stack.remove()
            progress.say(f"deleted {stack.home}")


@demo.command()
@_home_option
@click.option("--json", "as_json", is_flag=True, help="Print the state as JSON.")
def status(home: Path, as_json: bool) -> None:
    """What runs, where, on which release; exit status 1 if not everything that was started does."""
    console = _console()
    with _stack(home, Progress(console)) as stack:
        state, running = stack.state, stack.running()
        rows = [
            {
                "name": process.name,
                "pid": process.pid,
                "running": process.name in running,
                "port": state.ports.get(process.name),
                "release": state.releases.get(process.name),
                "log": process.log,
            }
            for process in state.processes
        ]
        if as_json:
            click.echo(json.dumps(rows, indent=1))
        elif not rows:
            click.echo("nothing of this demo runs")
        else:
            for row in rows:
                click.echo(
                    f"{row['name']:<16} {'running' if row['running'] else 'ended':<8}"
                    f" pid {row['pid']:<8} port {row['port'] or '-':<6} {row['release'] or ''}"
                )
        if len(running) != len(rows) or not rows:
            sys.exit(EXIT_CHECK_FAILED)


@demo.command(epilog="Example: dynoscope demo deploy r2")
@click.argument("release")
@_home_option
@click.option("--unchanged", is_flag=True, help="The code as it is, under a new release name.")
def deploy(release: str, home: Path, unchanged: bool) -> None:
    """Roll out RELEASE host by host; r2 brings a change, other names the code as it is."""
    progress = Progress(_console())
    with _running_stack(home, progress) as stack:
        deploy_release(stack, release, None if unchanged else patch_of(release))
        progress.say(f"release {release} runs everywhere")


@demo.command(epilog="Example: dynoscope demo fault slow-query --mend")
@click.argument("fault", type=click.Choice(["slow-query"]))
@_home_option
@click.option("--mend", is_flag=True, help="Undo it.")
def fault(fault: str, home: Path, mend: bool) -> None:
    """Make the database slow with the feeds of every sixth viewer, or mend it."""
    progress = Progress(_console())
    with _running_stack(home, progress) as stack:
        (mend_slow_query if mend else cause_slow_query)(stack.home, stack.state.ports["postgres"])
        progress.say(f"{fault}: {'mended' if mend else 'in force'}")


@demo.command()
@_home_option
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86_400),
    default=60.0,
    show_default=True,
    help="How long, s.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 200),
    default=RATE_RPS,
    show_default=True,
    help="Requests per second, open loop.",
)
@click.option(
    "--to",
    type=click.FloatRange(0.1, 1_000),
    help="A ramp: the rate rises (or falls) to this one, and the summary says at which rate P99 "
    "left the limit. Compare `dynoscope capacity`.",
)
@click.option(
    "--limit-ms",
    type=click.FloatRange(1),
    default=500.0,
    show_default=True,
    help="P99's limit in a ramp, ms.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the traffic.")
def load(
    home: Path, seconds: float, rate: float, to: float | None, limit_ms: float, seed: int
) -> None:
    """Send open-loop traffic for a while and print a summary; Ctrl-C ends it early."""
    console = _console()
    progress = Progress(console)
    with _running_stack(home, progress) as stack:
        if "load" in stack.running():
            raise DemoError("traffic is being sent already")
        with progress.step("sending traffic", seconds):
            url = stack.edge_url()
            stack.start(traffic(stack.home, url, seed, rate, seconds, to, limit_ms))
            try:
                stack.wait_for_end(
                    "load", lambda: progress.fact(f"{requests_sent(stack.home):,} requests")
                )
            finally:
                stack.stop("load")
        console.print_json(data=read_summary(stack.home))


def _start_afresh(stack: Stack, progress: Progress) -> None:
    """A story needs a past without an earlier story: releases, alerts, likes."""
    if stack.running():
        progress.say("a demo is up in this folder: ending it, the story starts afresh")
        stack.down()
    stack.remove()


def _console() -> Console:
    """As wide as the terminal; in a file or pipe wide enough for tables."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


@contextmanager
def _stack(home: Path, progress: Progress) -> Iterator[Stack]:
    """The stack; what it could not do becomes one sentence and exit status 2."""
    try:
        yield Stack(home, progress.say)
    except DemoError as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(EXIT_NOT_DONE)


@contextmanager
def _running_stack(home: Path, progress: Progress) -> Iterator[Stack]:
    with _stack(home, progress) as stack:
        if not stack.running():
            raise DemoError(f"nothing runs in {home}: start it with `dynoscope demo up`")
        yield stack
