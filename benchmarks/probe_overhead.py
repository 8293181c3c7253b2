"""What the probe costs a request, beside what its peers cost.

The same Django application under uWSGI, one worker a configuration: bare, with Dynoscope (all hooks
installed; pure Python, and compiled where that part was built), with OpenTelemetry, sentry-sdk,
elastic-apm and ddtrace, each sampling everything and exporting to a sink on loopback. They take
turns at the machine; outside its turn a worker is stopped, so that none disturbs another's and
exports are paid for where they were caused. CPU is the worker's, all threads, read from outside.
Differences are paired by block; intervals are those of the median, 95%.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks.measuring.paired import Estimate
from benchmarks.overhead.load import LoadError
from benchmarks.overhead.measure import Plan, Turns, calibrated_loops, measure
from benchmarks.overhead.results import Result, as_json, results
from benchmarks.overhead.servers import PEERS, ROOT, BenchError, configurations, serving

FULL = Plan(
    blocks=15,
    rounds=4,
    trivial_requests=1000,
    working_requests=40,
    warm_up_requests=2000,
    own_turns=4,
)
QUICK = Plan(
    blocks=9,
    rounds=3,
    trivial_requests=400,
    working_requests=20,
    warm_up_requests=400,
    own_turns=4,
    within_s=75,
)
WORKING_MS = 5.0


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--quick", is_flag=True, help="Fewer repeats of the same experiment, within 120 s.")
def main(quick: bool) -> None:
    """Print a table, then the JSON object as the last line."""
    console = Console()
    try:
        turns, config = _run(QUICK if quick else FULL, console)
    except (BenchError, LoadError) as error:
        click.echo(f"probe_overhead: {error}", err=True)
        sys.exit(2)
    found = results(turns)
    console.print(_table(found))
    print(json.dumps(as_json(found, config)))


def _run(plan: Plan, console: Console) -> tuple[dict[tuple[str, str], list[Turns]], list[str]]:
    """(turns, a line on each configuration)."""
    compiled = importlib.util.find_spec("dynoscope_probe._fast") is not None
    with (
        tempfile.TemporaryDirectory(prefix="probe-overhead-", dir="/dev/shm") as folder,
        _sink() as sink,
    ):
        wanted = configurations(sink, compiled)
        console.print(f"starting {len(wanted)} uWSGI workers")
        with serving(wanted, Path(folder), calibrated_loops(WORKING_MS)) as workers:
            bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            with bar:
                task = bar.add_task("warming up", total=1.0)
                turns = measure(
                    workers,
                    plan,
                    lambda share, what: bar.update(task, completed=share, description=what),
                )
        _check_exports(sink)
        return turns, [each.name for each in wanted]


@contextmanager
def _sink() -> Iterator[str]:
    """The peers' sink in a process of its own; gives its address."""
    command = [sys.executable, "-m", "benchmarks.overhead.sink"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _check_exports(sink: str) -> None:
    """A peer that exported nothing was not measured."""
    with urllib.request.urlopen(sink + "/counts", timeout=10) as answer:
        counts = json.load(answer)
    silent = [peer for peer in PEERS if not counts.get(peer)]
    if silent:
        raise BenchError(f"{', '.join(silent)} exported nothing to the sink: see its set-up")


def _table(found: list[Result]) -> Table:
    table = Table(title="one uWSGI worker, against bare: median and 95% interval")
    for title in ("", "CPU us", "added us", "throughput, trivial view", "throughput, 5 ms of work"):
        table.add_column(title, justify="right" if title else "left")
    for result in found:
        table.add_row(
            result.name,
            f"{result.cpu_us:.1f}",
            _text(result.added_us, "+.1f"),
            _text(result.trivial_ratio, ".3f"),
            _text(result.working_ratio, ".4f"),
        )
    return table


def _text(estimate: Estimate, form: str) -> str:
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


if __name__ == "__main__":
    main()
