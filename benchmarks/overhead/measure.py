"""Turns of load on every configuration, summed by block."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measuring.cpu import process_cpu_ns
from benchmarks.measuring.rounds import interleaved
from benchmarks.overhead.app import work
from benchmarks.overhead.load import drive
from benchmarks.overhead.servers import Worker

__all__ = ["TRIVIAL", "WORKING", "Plan", "Turns", "calibrated_loops", "measure"]

TRIVIAL, WORKING = "/trivial/", "/working/"
SEED = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. A block is `rounds` rounds, or fewer where the machine is so slow
    that all would take longer than `within_s`; a turn drives both views. Bare and Dynoscope are
    close together and quick: they have `own_turns` turns in a round, a peer has one."""

    blocks: int
    rounds: int
    trivial_requests: int
    working_requests: int
    warm_up_requests: int
    own_turns: int = 1
    within_s: float = 600.0


@dataclass(slots=True)
class Turns:
    """What a configuration used within one block."""

    requests: int = 0
    cpu_ns: int = 0
    wall_ns: int = 0

    @property
    def cpu_us(self) -> float:
        """CPU of the worker per request."""
        return self.cpu_ns / self.requests / 1e3

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.wall_ns * 1e9


def measure(
    workers: list[Worker], plan: Plan, advance: Callable[[float, str], None]
) -> dict[tuple[str, str], list[Turns]]:
    """(configuration, view) -> its turns by block.

    `advance(share done, what)` is called after each turn.
    """
    for worker in workers:
        with worker.turn():
            drive(worker.port, TRIVIAL, plan.warm_up_requests)
    counts = {TRIVIAL: plan.trivial_requests, WORKING: plan.working_requests}
    taking_turns = [
        worker
        for worker in workers
        for _ in range(plan.own_turns if worker.configuration.folder is None else 1)
    ]
    round_s = sum(
        _take_turn(worker, view, count, Turns())
        for worker in taking_turns
        for view, count in counts.items()
    )
    found = {
        (worker.configuration.name, view): [Turns() for _ in range(plan.blocks)]
        for worker in workers
        for view in counts
    }
    rounds = affordable_rounds(plan, round_s)
    turns = [*interleaved(taking_turns, plan.blocks, rounds, SEED)]
    for number, (block, worker) in enumerate(turns, 1):
        name = worker.configuration.name
        for view, count in counts.items():
            _take_turn(worker, view, count, found[name, view][block])
        advance(number / len(turns), f"block {block + 1} of {plan.blocks}")
    return found


def affordable_rounds(plan: Plan, round_s: float) -> int:
    """Rounds a block, one at least, if a round takes so long."""
    return max(1, min(plan.rounds, int(plan.within_s / (round_s * plan.blocks))))


def _take_turn(worker: Worker, view: str, count: int, turns: Turns) -> float:
    """Drive one view and add what it used; how long that took, in seconds."""
    before_ns = process_cpu_ns(worker.pid)
    with worker.turn():
        wall_ns = drive(worker.port, view, count)
    turns.cpu_ns += process_cpu_ns(worker.pid) - before_ns
    turns.wall_ns += wall_ns
    turns.requests += count
    return wall_ns / 1e9


def calibrated_loops(wanted_ms: float) -> int:
    """Loops of `work` that take so much CPU time here."""
    loops, best_ns = 20_000, 0
    for _ in range(5):
        before_ns = time.thread_time_ns()
        work(loops)
        spent_ns = time.thread_time_ns() - before_ns
        best_ns = min(best_ns or spent_ns, spent_ns)
    return max(1, round(loops * wanted_ms * 1e6 / best_ns))
