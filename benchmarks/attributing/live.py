"""A real program under py-spy, with changes of 5 to 30% of a request in one of its stages.

What is planted is written to a file that only the program reads. Both sides run in turns, and each
pair of runs takes the place of a host: what the machine does meanwhile differs between pairs.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.attributing.program import WORK
from profiler.calltree import Stack
from profiler.compare import compare_sides
from profiler.measured import RequestWindows, SideData, StackWindows

__all__ = ["live_trials", "named", "run"]

PROGRAM = Path(__file__).with_name("program.py")
RATE_HZ = 200
RUN_S = 4.0
PAIRS = 6
SHARES = (0.05, 0.30)
ENDPOINT = "GET /view/"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: windows of (requests, CPU ns), and on-CPU stacks, root first, in order of time."""

    windows: list[tuple[int, int]]
    stacks: list[tuple[str, ...]]


def live_trials(count: int, seed: int) -> dict[str, object]:
    """`count` changes in random order; how often the changed stage is named first."""
    rng = np.random.default_rng([seed, 7])
    sizes = rng.permutation(np.geomspace(*SHARES, count))
    right = []
    with tempfile.TemporaryDirectory(prefix="attribution-") as folder:
        for size in sizes.tolist():
            stage = int(rng.integers(len(WORK)))
            found = _trial(Path(folder), stage, size)
            right.append(found == f"program:stage_{stage}")
            load = os.getloadavg()[0]
            print(f"live     {size:6.1%} stage_{stage}: {found} (load {load:.1f})", flush=True)
    return {"live_rank1": round(float(np.mean(right)), 3), "live_changes": count}


def _trial(folder: Path, stage: int, size: float) -> str:
    plain, planted = folder / "plain.json", folder / "planted.json"
    plain.write_text("{}")
    times = 1 + size * sum(WORK) / WORK[stage]
    planted.write_text(json.dumps({f"stage_{stage}": times}))
    sides: tuple[list[Run], list[Run]] = ([], [])
    for pair in range(PAIRS):
        for at in (0, 1) if pair % 2 else (1, 0):
            sides[at].append(run((plain, planted)[at], folder / "stacks.json"))
    return named(*sides)


def named(a: Sequence[Run], b: Sequence[Run]) -> str:
    """The first function of the comparison, as a reader sees it."""
    known: dict[tuple[str, ...], int] = {}
    sides = [_side(label, runs, known) for label, runs in (("r1", a), ("r2", b))]
    stacks = [Stack(frames, (0,) * len(frames)) for frames in known]
    found = compare_sides("program", sides[0], sides[1], stacks, window_s=0.5)
    return found.functions[0].function if found.functions else "nothing"


def run(plan: Path, out: Path, seconds: float = RUN_S) -> Run:
    command = [sys.executable, str(PROGRAM), str(plan), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        program.stdout.readline()
        sampler = subprocess.run(
            [
                str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(program.pid),
                "--rate", str(RATE_HZ), "--duration", str(int(seconds)), "--format", "speedscope",
                "--output", str(out), "--function",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        words = program.stdout.readline()
    if not out.exists() or not words:
        raise RuntimeError(f"py-spy could not profile the program: {sampler.stderr.strip()}")
    stacks = _stacks(json.loads(out.read_text()))
    out.unlink()
    return Run([(n, ns) for n, ns in json.loads(words)], stacks)


def _stacks(data: dict[str, Any]) -> list[tuple[str, ...]]:
    names = [f"{Path(f['file']).stem}:{f['name']}" for f in data["shared"]["frames"]]
    return [
        tuple(names[at] for at in stack)
        for profile in data["profiles"]
        for stack in profile["samples"]
        if stack
    ]


def _side(label: str, runs: Sequence[Run], known: dict[tuple[str, ...], int]) -> SideData:
    requests: list[tuple[str, int, int, int]] = []
    seen: dict[tuple[str, int, int], int] = {}
    for number, run in enumerate(runs):
        host = f"run-{number}"
        requests += [(host, at, n, ns) for at, (n, ns) in enumerate(run.windows)]
        for at, stack in enumerate(run.stacks):
            window = at * len(run.windows) // len(run.stacks)
            key = (host, window, known.setdefault(stack, len(known)))
            seen[key] = seen.get(key, 0) + 1
    hosts, windows, counts, costs = (list(one) for one in zip(*requests, strict=True))
    n, cost = np.array(counts, dtype=float), np.array(costs, dtype=float)
    rows = RequestWindows(
        np.array(hosts), np.array(windows), np.full(len(n), ENDPOINT), np.full(len(n), "http"),
        np.full(len(n), "cpu_ns"), n, np.zeros(len(n)), cost, cost, np.ones(len(n), dtype=bool),
        np.full(len(n), np.nan),
    )  # fmt: skip
    samples = np.array(list(seen.values()), dtype=float)
    taken = StackWindows(
        np.array([host for host, _, _ in seen]), np.array([window for _, window, _ in seen]),
        np.full(len(samples), ENDPOINT), np.array([stack for _, _, stack in seen]),
        samples / RATE_HZ, samples, np.zeros(len(samples), dtype=bool),
    )  # fmt: skip
    return SideData(label, rows, taken, {})
