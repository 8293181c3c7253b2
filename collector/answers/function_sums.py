"""What functions weigh in the samples of an endpoint: raw, or over long times rolled up."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.answers.records import Window
from collector.answers.sides import Side
from collector.answers.stacks import stack_index
from collector.answers.together import together
from collector.store import function_reads, reads
from collector.store.function_plan import STEP_MS
from collector.store.store import Store, truncated
from profiler.calltree import index_functions

__all__ = ["FunctionSums", "function_sums"]

#: Longer windows are read rolled up.
RAW_MS_MAX = 6 * 3_600_000
Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class FunctionSums:
    """By function, in the order of `functions`: its origin, own and inclusive weight (s), samples
    that contain it. `weight_s`: of all samples; `served`: requests, `task_clock_ns`: of them all.
    """

    functions: tuple[str, ...] = ()
    origins: tuple[int, ...] = ()
    own_s: Floats = field(default_factory=lambda: np.zeros(0))
    inclusive_s: Floats = field(default_factory=lambda: np.zeros(0))
    samples: Floats = field(default_factory=lambda: np.zeros(0))
    weight_s: float = 0.0
    served: float = 0.0
    task_clock_ns: float = 0.0
    truncated: bool = False


def function_sums(
    store: Store, window: Window, service: str, endpoint: str, release: str
) -> FunctionSums:
    """Raw where the window is short and its samples are kept; else from the roll-ups, and raw what
    they do not have yet."""
    is_short = window.to_ms - window.from_ms <= RAW_MS_MAX
    if is_short and function_reads.is_kept_raw(store, window):
        return _raw(store, window, service, endpoint, release)
    plan = function_reads.plan_of(store, window)
    asked = (service, endpoint, release)
    rolled_up, clocks, *raw = together(
        lambda: function_reads.function_sums(store, window, plan, *asked),
        lambda: _clocks(store, window, *asked),
        *(partial(_samples, store, Window(*part), *asked) for part in plan.raw),
    )
    found = _merged([_of_rows(rolled_up), *raw])
    for served, clock_ns in clocks:
        found.served += served
        found.task_clock_ns += clock_ns
    return found


def _raw(store: Store, window: Window, service: str, endpoint: str, release: str) -> FunctionSums:
    found = _samples(store, window, service, endpoint, release)
    side = _side(window, release)
    found.served, found.task_clock_ns = reads.clock_sums(store, side, service, endpoint)
    return found


def _samples(
    store: Store, window: Window, service: str, endpoint: str, release: str
) -> FunctionSums:
    samples = reads.stack_sums(store, _side(window, release), service, endpoint)
    number, stacks = stack_index(store, [samples])
    index = index_functions(stacks)
    stack = np.array([number[key] for key in samples["stack_id"].to_pylist()], dtype=np.int64)
    weight = np.bincount(stack, samples["weight_s"].to_numpy(), minlength=len(stacks))
    count = np.bincount(stack, samples["samples"].to_numpy(), minlength=len(stacks))
    return FunctionSums(
        functions=index.functions,
        origins=index.origins,
        own_s=index.own_self @ weight,
        inclusive_s=index.inclusive @ weight,
        samples=index.inclusive @ count,
        weight_s=float(weight.sum()),
        truncated=truncated(samples),
    )


def _of_rows(rows: pa.Table) -> FunctionSums:
    own_s = rows["self_weight_s"].to_numpy()
    return FunctionSums(
        functions=tuple(rows["function"].to_pylist()),
        origins=tuple(rows["origin"].to_pylist()),
        own_s=own_s,
        inclusive_s=rows["weight_s"].to_numpy(),
        samples=rows["samples"].to_numpy().astype(np.float64),
        # Each sample is its last frame's own one.
        weight_s=float(own_s.sum()),
        truncated=truncated(rows),
    )


def _merged(parts: list[FunctionSums]) -> FunctionSums:
    origins: dict[str, int] = {}
    for part in parts:
        for function, origin in zip(part.functions, part.origins, strict=True):
            origins.setdefault(function, origin)
    number = {function: at for at, function in enumerate(origins)}
    found = FunctionSums(
        functions=tuple(origins),
        origins=tuple(origins.values()),
        own_s=np.zeros(len(number)),
        inclusive_s=np.zeros(len(number)),
        samples=np.zeros(len(number)),
        weight_s=sum(part.weight_s for part in parts),
        truncated=any(part.truncated for part in parts),
    )
    for part in parts:
        at = np.array([number[function] for function in part.functions], dtype=np.int64)
        found.own_s[at] += part.own_s
        found.inclusive_s[at] += part.inclusive_s
        found.samples[at] += part.samples
    return found


def _clocks(
    store: Store, window: Window, service: str, endpoint: str, release: str
) -> list[tuple[float, float]]:
    """Requests and their thread CPU time, ns: of whole steps from roll-ups, of the ends raw."""
    first, last = -(-window.from_ms // STEP_MS) * STEP_MS, window.to_ms // STEP_MS * STEP_MS
    if first >= last:
        return [reads.clock_sums(store, _side(window, release), service, endpoint)]
    whole = Window(first, last)
    found = [function_reads.clock_steps(store, whole, service, endpoint, release)]
    for from_ms, to_ms in ((window.from_ms, first), (last, window.to_ms)):
        if from_ms < to_ms:
            side = _side(Window(from_ms, to_ms), release)
            found.append(reads.clock_sums(store, side, service, endpoint))
    return found


def _side(window: Window, release: str) -> Side:
    return Side(release or "all", release, "", "", window.from_ms, window.to_ms)
