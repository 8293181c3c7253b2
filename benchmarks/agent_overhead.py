"""What the agent costs a loaded host, beside py-spy alone at 100 Hz and pyroscope-io.

Eight uWSGI workers with the probe serve requests of 5 ms of CPU to a client that keeps all cores
busy. First the agent watches them for a while under steady load: its CPU with py-spy's, memory,
on-CPU samples. Then the same workers are loaded in turns without a watcher, with the agent and with
`py-spy record`, and a second host with pyroscope-io in its workers; who has no turn is stopped. A
stopped agent earns no CPU budget, and it is stopped only between two of its windows, so in its
turns it takes what it takes under steady load, or a little more (`cpu_percent_in_turns`). Turns are
paired by block: the ratio is the mean of the pairs', with its bootstrap interval of 95%. Where
others use the machine, too, throughput says as much about them. `capacity_ratio` leaves them out:
it is of what all cores could serve, (cores - the watcher's share) / the workers' CPU per request.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.hosting.groups import Group, Host, agent, host, py_spy_record, samples_so_far
from benchmarks.measuring.paired import Estimate, mean_ratio
from benchmarks.measuring.rounds import interleaved
from benchmarks.overhead.load import LoadError, drive
from benchmarks.overhead.measure import WORKING, calibrated_loops
from benchmarks.overhead.servers import ROOT, BenchError

BARE, AGENT, PY_SPY, PYROSCOPE = "without", "agent", "py-spy record", "pyroscope-io"
WORKING_MS = 5.0
SEED = 4
#: The agent's first window and first minute of its budget are not its steady state.
SETTLE_S = 20.0
EXPORT_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the steady load lasts, and how many turns of what length follow; peers, which cost
    more, have shorter ones."""

    steady_s: float
    blocks: int
    turn_s: float
    peer_turn_s: float


FULL = Plan(steady_s=100, blocks=12, turn_s=18, peer_turn_s=6)
QUICK = Plan(steady_s=40, blocks=3, turn_s=6, peer_turn_s=3)


@dataclass(frozen=True, slots=True)
class Steady:
    """The agent under steady load. Shares of one core."""

    cpu_share: float
    rss_bytes: int
    samples_per_s: float
    requests_per_s: float


@dataclass(slots=True)
class Turns:
    """A configuration's turns, by block: requests per second, the watcher's share of a core, CPU of
    the workers per request, ms."""

    rate: list[float]
    cpu_share: list[float]
    cpu_ms: list[float]


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--quick", is_flag=True, help="A shorter run of the same experiment, within 120 s.")
def main(quick: bool) -> None:
    """Print a table, then the JSON object as the last line."""
    console = Console()
    try:
        with tempfile.TemporaryDirectory(prefix="agent-overhead-", dir="/dev/shm") as folder:
            steady, turns = _run(QUICK if quick else FULL, Path(folder), console)
    except (BenchError, LoadError) as error:
        click.echo(f"agent_overhead: {error}", err=True)
        sys.exit(2)
    found = as_json(steady, turns)
    console.print(_table(found))
    print(json.dumps(found))


def _run(plan: Plan, folder: Path, console: Console) -> tuple[Steady, dict[str, Turns]]:
    loops = calibrated_loops(WORKING_MS)
    with ExitStack() as stack:
        sink = stack.enter_context(_sink())
        console.print("starting two hosts of eight workers")
        other = stack.enter_context(host("pyroscope", folder, loops, sink, "pyroscope"))
        drive(other.port, WORKING, 40)
        other.group.stop()
        watched = stack.enter_context(host("watched", folder, loops, sink))
        watcher, port = stack.enter_context(agent(watched, folder, sink))
        console.print(f"the agent under steady load, {plan.steady_s:.0f} s")
        steady = _steady(watched, watcher, port, plan.steady_s)
        _drive_for(watched, 0, lambda: watcher.children() > 0)
        for group in (watched.group, watcher):
            group.stop()
        console.print(f"taking turns, {plan.blocks} blocks")
        hosts = {BARE: watched, AGENT: watched, PY_SPY: watched, PYROSCOPE: other}
        turns = _turns(plan, hosts, watcher, folder)
        _check_exports(other, sink)
        return steady, turns


def _steady(watched: Host, watcher: Group, port: int, seconds: float) -> Steady:
    """Load the host without a pause, and see what its agent takes of it."""
    _drive_for(watched, SETTLE_S)
    before_s, samples = watcher.cpu_s(), samples_so_far(port)
    began_s, requests, most = time.monotonic(), 0, 0
    while time.monotonic() - began_s < seconds:
        requests += _drive_for(watched, 1.0)[0]
        most = max(most, watcher.rss_bytes())
    passed_s = time.monotonic() - began_s
    return Steady(
        cpu_share=(watcher.cpu_s() - before_s) / passed_s,
        rss_bytes=most,
        samples_per_s=(samples_so_far(port) - samples) / passed_s,
        requests_per_s=requests / passed_s,
    )


def _drive_for(
    loaded: Host, seconds: float, go_on: Callable[[], bool] = lambda: False
) -> tuple[int, float]:
    """(requests, seconds) of at least so long, and for as long as `go_on` wishes."""
    began_s, requests = time.monotonic(), 0
    while time.monotonic() - began_s < seconds or go_on():
        drive(loaded.port, WORKING, 50)
        requests += 50
    return requests, time.monotonic() - began_s


def _turns(plan: Plan, hosts: dict[str, Host], watcher: Group, folder: Path) -> dict[str, Turns]:
    found = {name: Turns([], [], []) for name in hosts}
    for _, name in interleaved([*hosts], plan.blocks, 1, SEED):
        loaded = hosts[name]
        loaded.group.go_on()
        drive(loaded.port, WORKING, 50)
        with ExitStack() as stack:
            beside: Group | None = None
            if name == AGENT:
                beside = watcher
                beside.go_on()
                stack.callback(beside.stop)
            elif name == PY_SPY:
                beside = stack.enter_context(py_spy_record(loaded, folder))
            before_s, workers_s = beside.cpu_s() if beside else 0.0, loaded.group.cpu_s()
            seconds = plan.turn_s if name in (BARE, AGENT) else plan.peer_turn_s
            in_window = (lambda: watcher.children() > 0) if name == AGENT else (lambda: False)
            requests, wall_s = _drive_for(loaded, seconds, in_window)
            used_s = beside.cpu_s() - before_s if beside else 0.0
            workers_s = loaded.group.cpu_s() - workers_s
        loaded.group.stop()
        found[name].rate.append(requests / wall_s)
        found[name].cpu_share.append(used_s / wall_s)
        found[name].cpu_ms.append(1000 * workers_s / requests)
    return found


def as_json(steady: Steady, turns: dict[str, Turns]) -> dict[str, Any]:
    """The benchmark's last line; `peers` have the same numbers, from their turns."""
    return {
        "name": "agent_overhead",
        "cpu_percent_of_core": round(100 * steady.cpu_share, 2),
        "cpu_percent_in_turns": round(100 * _mean(turns[AGENT].cpu_share), 2),
        **_against(turns[AGENT], turns[BARE]),
        "rss_mb": round(steady.rss_bytes / 1e6, 1),
        "samples_per_s": round(steady.samples_per_s, 2),
        "requests_per_s": round(steady.requests_per_s, 1),
        "peers": {
            PY_SPY: {
                "cpu_percent_of_core": round(100 * _mean(turns[PY_SPY].cpu_share), 2),
                **_against(turns[PY_SPY], turns[BARE]),
            },
            PYROSCOPE: _against(turns[PYROSCOPE], turns[BARE]),
        },
    }


def _against(watched: Turns, bare: Turns) -> dict[str, Any]:
    rate = mean_ratio(watched.rate, bare.rate, SEED)
    capacity = mean_ratio(_capacity(watched), _capacity(bare), SEED)
    return {
        "throughput_ratio": round(rate.value, 4),
        "throughput_ratio_interval": _interval(rate),
        "capacity_ratio": round(capacity.value, 4),
        "capacity_ratio_interval": _interval(capacity),
    }


def _capacity(turns: Turns) -> list[float]:
    """Requests that all cores could serve in a millisecond, turn by turn."""
    cores = os.cpu_count() or 1
    pairs = zip(turns.cpu_share, turns.cpu_ms, strict=True)
    return [(cores - share) / cpu_ms for share, cpu_ms in pairs]


def _check_exports(loaded: Host, sink: str) -> None:
    """A peer that exports nothing was not measured."""
    loaded.group.go_on()
    end_s = time.monotonic() + EXPORT_WITHIN_S
    while time.monotonic() < end_s:
        drive(loaded.port, WORKING, 50)
        with urllib.request.urlopen(sink + "/counts", timeout=10) as answer:
            if json.load(answer)["pyroscope"]:
                return
    raise BenchError("pyroscope-io exported nothing to the sink: see its set-up")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _interval(estimate: Estimate) -> list[float]:
    return [round(estimate.low, 4), round(estimate.high, 4)]


@contextmanager
def _sink() -> Iterator[str]:
    """What takes exports, in a process of its own; gives its address."""
    command = [sys.executable, "-m", "benchmarks.overhead.sink"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _table(found: dict[str, Any]) -> Table:
    table = Table(title="eight uWSGI workers under load, against none that watches")
    for title in ("", "throughput", "of all cores", "% of a core"):
        table.add_column(title, justify="right" if title else "left")
    for name, one in ((AGENT, found), *found["peers"].items()):
        share = one.get("cpu_percent_of_core")
        table.add_row(
            name, _text(one, "throughput_ratio"), _text(one, "capacity_ratio"),
            "in the workers" if share is None else f"{share:.2f}",
        )  # fmt: skip
    return table


def _text(one: dict[str, Any], name: str) -> str:
    low, high = one[f"{name}_interval"]
    return f"{one[name]:.4f} [{low:.4f}, {high:.4f}]"


if __name__ == "__main__":
    main()
