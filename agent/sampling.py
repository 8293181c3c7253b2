"""The sampling loop: which workers when, and what their stacks stand for.

Two-dimensional sampling: a changing random subset of the workers, at irregular times. A window is
the time since the one before it ended (at most WINDOW_GAPS_MAX window lengths); each sample of a
worker stands for window x workers alive / (workers profiled x ticks taken) seconds of its service.
"""

import os
import random
import resource
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

from agent.budget import Budget
from agent.inside import inner_task_ids
from agent.limits import Limits
from agent.lines import Line, LineCount, less, plus
from agent.requests import Identity
from agent.sampler import Sampler, Target, Window
from agent.samples import Sampled, WorkerView, foreign_samples, sampled
from agent.schedstat import contended, schedstat, task_ids
from agent.stacks import Modules, Stack

__all__ = ["Samples", "Sampling", "cpu_s", "spread"]

WINDOW_GAPS_MAX = 10
LOOK_AGAIN_S = 1.0
ROWS_WAITING_MAX = 50_000
LINES_WAITING_MAX = 20_000
SYS_PATHS_MAX = 64
PUT_OFF = "waiting for budget"
WRONG_THREAD = (
    "py-spy reads the thread id of another process, so waits would count as CPU"
    " (uWSGI: set py-call-osafterfork = true)"
)


@dataclass(frozen=True, slots=True)
class Samples:
    """What waits for the next flush: rows of stack_samples, and the stacks that they name.

    `idle`: service -> (idle ticks, the seconds of one worker's time that they stand for).
    """

    rows: list[dict[str, Any]]
    stacks: dict[int, tuple[Identity, Stack]]
    idle: dict[Identity, tuple[int, float]]
    lines: dict[Line, LineCount] = field(default_factory=dict)


@dataclass(slots=True)
class Sampling:
    """One loop in one thread. `workers`, `waiting` and `settle` belong to the flush."""

    sampler: Sampler
    budget: Budget
    limits: Limits
    window_s: int
    rate_hz: int
    rng: random.Random
    wall_ms: Callable[[], int]
    monotonic_s: Callable[[], float]
    proc_root: Path = Path("/proc")
    workers: tuple[WorkerView, ...] = ()
    #: what the loop does, or why it does nothing
    state: str = "starting"
    #: ring id -> why its worker is not sampled, or was not the last time
    reasons: dict[int, str] = field(default_factory=dict)
    #: ring id -> when it was profiled last, epoch ms
    profiled_ms: dict[int, int] = field(default_factory=dict)
    _refused: set[int] = field(default_factory=set)
    _modules: dict[tuple[str, str], Modules] = field(default_factory=dict)
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _stacks: dict[int, tuple[Identity, Stack]] = field(default_factory=dict)
    _idle: dict[Identity, tuple[int, float]] = field(default_factory=dict)
    _lines: dict[Line, LineCount] = field(default_factory=dict)
    _ended_s: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def run(self, stop: Event) -> None:
        """Sample until `stop` is set."""
        self._ended_s = self.monotonic_s()
        meant_s = pause_s = self._pause_s()
        while not stop.wait(pause_s):
            self.budget.account(self.monotonic_s(), cpu_s(), meant_s)
            self._forget_gone()
            chosen, rate_hz = self._choose()
            if chosen:
                self.window(chosen, rate_hz)
            pause_s = self._pause_s() + (0.0 if chosen else LOOK_AGAIN_S)
            meant_s = pause_s + (self.window_s if chosen else 0.0)

    def window(self, chosen: Sequence[WorkerView], rate_hz: int) -> None:
        """Profile the chosen workers once and keep what they gave."""
        tasks = [self._tasks(one) for one in chosen]
        before = [schedstat(one.pid, self.proc_root) for one in chosen]
        started_ms, children_s = self.wall_ms(), _children_cpu_s()
        targets = [Target(one.pid, one.inner_pid) for one in chosen]
        windows = self.sampler.sample(targets, self.window_s, rate_hz)
        ticks = sum(one.ticks + one.errors for one in windows)
        self.budget.learn(len(chosen), ticks, _children_cpu_s() - children_s)
        now_s = self.monotonic_s()
        length_s = min(now_s - self._ended_s, WINDOW_GAPS_MAX * self.window_s)
        self._ended_s = now_s
        usable = [
            self._usable(worker, window, known)
            for worker, window, known in zip(chosen, windows, tasks, strict=True)
        ]
        alive = Counter(one.identity.service for one in self.workers)
        good = Counter(one.identity.service for one, ok in zip(chosen, usable, strict=True) if ok)
        for worker, window, start, ok in zip(chosen, windows, before, usable, strict=True):
            if not ok:
                continue
            service = worker.identity.service
            many = max(alive[service], good[service])
            weight_s = length_s * many / (good[service] * window.ticks)
            result = sampled(
                worker,
                window,
                self._modules_of(worker),
                started_ms=started_ms,
                window_ms=round(length_s * 1000),
                weight_s=weight_s,
                contended=contended(start, schedstat(worker.pid, self.proc_root)),
            )
            self.profiled_ms[worker.ring_id] = started_ms
            self._keep(worker.identity, result, weight_s)

    def _pause_s(self) -> float:
        """So that windows begin at irregular times."""
        return self.rng.uniform(0.0, 0.2 * self.window_s)

    def waiting(self) -> Samples:
        """What is not on disk yet."""
        with self._lock:
            return Samples(
                list(self._rows), dict(self._stacks), dict(self._idle), dict(self._lines)
            )

    def settle(self, samples: Samples) -> None:
        """`samples` are on disk."""
        with self._lock:
            del self._rows[: len(samples.rows)]
            for stack_id in samples.stacks:
                self._stacks.pop(stack_id, None)
            for who, (ticks, weight_s) in samples.idle.items():
                now_ticks, now_weight_s = self._idle[who]
                self._idle[who] = (now_ticks - ticks, now_weight_s - weight_s)
            for line, count in samples.lines.items():
                left = less(self._lines.pop(line), count)
                if left is not None:
                    self._lines[line] = left

    def _choose(self) -> tuple[list[WorkerView], int]:
        """A random subset within the budget and the rate, with a worker of every service."""
        able = [one for one in self.workers if one.ring_id not in self._refused]
        plan = self.budget.plan(len(able), self.window_s, self.rate_hz)
        if not able:
            self.state = "no worker to sample"
        elif plan.workers == 0:
            if self.state != PUT_OFF:  # once for each window
                self.limits.add("windows_put_off_for_budget")
            self.state = PUT_OFF
        else:
            self.state = "sampling"
        return spread(able, plan.workers, self.rng), plan.rate_hz

    def _forget_gone(self) -> None:
        """What is known of workers that are no more."""
        here = {one.ring_id for one in self.workers}
        self._refused &= here
        for known in (self.reasons, self.profiled_ms):
            for ring_id in known.keys() - here:
                known.pop(ring_id, None)

    def _usable(self, worker: WorkerView, window: Window, tasks: frozenset[int]) -> bool:
        """Whether the window is to be believed; the reason is kept where it is not."""
        left = self._tasks(worker)
        tasks |= left
        samples = sum(one.samples for one in window.stacks)
        if window.failure:
            if left:  # a worker that ended in the window is no failure of the sampler
                self.limits.add("windows_failed", service=worker.identity.service)
            self.reasons[worker.ring_id] = window.failure
        elif samples and foreign_samples(window.stacks, tasks) > samples / 2:
            self.limits.add("workers_with_wrong_thread", service=worker.identity.service)
            self.reasons[worker.ring_id] = WRONG_THREAD
            self._refused.add(worker.ring_id)
        elif window.ticks > 0:
            self.reasons.pop(worker.ring_id, None)
            return True
        return False

    def _keep(self, who: Identity, result: Sampled, weight_s: float) -> None:
        service = who.service
        self.limits.add("samples_without_callers_mended", result.mended, service=service)
        self.limits.add("samples_without_callers_lost", result.lost, service=service)
        self.limits.add("stacks_cut", result.cut, service=service)
        with self._lock:
            room = max(0, ROWS_WAITING_MAX - len(self._rows))
            self.limits.add("stack_rows_dropped", len(result.rows) - room, service=service)
            self._rows += result.rows[:room]
            self._stacks |= {key: (who, stack) for key, stack in result.stacks.items()}
            ticks, seconds = self._idle.get(who, (0, 0.0))
            idle = result.idle_ticks
            self._idle[who] = (ticks + idle, seconds + idle * weight_s)
            self._keep_lines(result.lines, service)

    def _keep_lines(self, lines: Mapping[Line, LineCount], service: str) -> None:
        """Add to what waits; a host's workers of one release share their lines."""
        for line, count in lines.items():
            if line in self._lines or len(self._lines) < LINES_WAITING_MAX:
                self._lines[line] = plus(self._lines.get(line), count)
            else:
                self.limits.add("lines_dropped", service=service)

    def _tasks(self, worker: WorkerView) -> frozenset[int]:
        """Thread ids of a worker, as py-spy will name them."""
        ids = inner_task_ids if worker.inner_pid else task_ids
        return ids(worker.pid, self.proc_root)

    def _modules_of(self, worker: WorkerView) -> Modules:
        """A container has files of its own, so its workers share nothing with others."""
        root = str(self.proc_root / f"{worker.pid}/root") if worker.inner_pid else ""
        if len(self._modules) > SYS_PATHS_MAX:
            self._modules.clear()
        key = root, worker.sys_path
        if key not in self._modules:
            self._modules[key] = Modules(worker.sys_path, lambda file: os.path.exists(root + file))
        return self._modules[key]


def cpu_s() -> float:
    """CPU seconds of this process and of its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def spread(able: Sequence[WorkerView], count: int, rng: random.Random) -> list[WorkerView]:
    """About `count` workers at random, in proportion to their service's, at least one of each."""
    by_service: dict[str, list[WorkerView]] = defaultdict(list)
    for one in able:
        by_service[one.identity.service].append(one)
    chosen: list[WorkerView] = []
    if count:
        for group in by_service.values():
            chosen += rng.sample(group, max(1, count * len(group) // len(able)))
    return chosen
