"""One worker's window -> rows of stack_samples and the stacks that they name. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agent.lines import Line, LineCount, line_counts
from agent.requests import Identity
from agent.sampler import Window
from agent.stacks import Modules, RawStack, Stack, mend, resolve

__all__ = ["Sampled", "WorkerView", "foreign_samples", "sampled"]


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A live worker that could be profiled. `sys_path` is joined by newlines.

    `inner_pid`: its pid in its own pid namespace, 0 if that is ours.
    """

    ring_id: int
    pid: int
    worker: int
    release: str
    identity: Identity
    sys_path: str
    inner_pid: int = 0


@dataclass(frozen=True, slots=True)
class Sampled:
    """What one window of one worker gave. Counts are samples, `idle_ticks` ticks."""

    rows: list[dict[str, Any]]
    stacks: dict[int, Stack]
    lines: dict[Line, LineCount]
    idle_ticks: int
    mended: int
    lost: int
    cut: int


def foreign_samples(stacks: Iterable[RawStack], tasks: frozenset[int]) -> int:
    """Samples whose thread is not one of the worker's tasks (where py-spy knows the thread)."""
    return sum(one.samples for one in stacks if one.thread_id and one.thread_id not in tasks)


def sampled(
    worker: WorkerView,
    window: Window,
    modules: Modules,
    *,
    started_ms: int,
    window_ms: int,
    weight_s: float,
    contended: bool,
) -> Sampled:
    """What a window gave; each sample stands for `weight_s` seconds of one worker."""
    whole, mended, lost = mend(window.stacks)
    counts: Counter[tuple[str, int]] = Counter()
    stacks: dict[int, Stack] = {}
    cut = 0
    for raw in whole:
        stack = resolve(raw.frames, modules)
        counts[stack.endpoint, stack.stack_id] += raw.samples
        stacks.setdefault(stack.stack_id, stack)
        cut += raw.samples * stack.cut
    common = {
        "ts_ms": started_ms,
        **worker.identity.columns,
        "ring_id": worker.ring_id,
        "pid": worker.pid,
        "worker": worker.worker,
        "release": worker.release,
        "window_ms": window_ms,
        "late_ns": window.late_ns,
        "contended": int(contended),
    }
    rows = [
        {
            **common,
            "endpoint": endpoint,
            "stack_id": stack_id,
            "samples": samples,
            "weight_s": weight_s * samples,
        }
        for (endpoint, stack_id), samples in counts.items()
    ]
    idle_ticks = max(0, window.ticks - sum(one.samples for one in window.stacks))
    lines = line_counts(whole, modules, worker.identity, worker.release, weight_s)
    return Sampled(rows, stacks, lines, idle_ticks, mended, lost, cut)
