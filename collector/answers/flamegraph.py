"""The call tree of one side, or of two as a difference."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.answers.records import Answer
from collector.answers.sides import Side
from collector.answers.stacks import stack_index
from collector.errors import BadQuestion
from collector.store import reads
from collector.store.store import Store, truncated
from profiler.calltree import Stack, flame_graph
from profiler.processors import FOLDS, Processor, callees_of, callers_of, processed
from profiler.records import FlameGraph

__all__ = ["SHARE_MIN", "flamegraph"]

SHARE_MIN = 0.0005
VIEWS = ("", "callers", "callees")


def flamegraph(
    store: Store,
    a: Side,
    b: Side | None = None,
    *,
    service: str,
    endpoint: str = "",
    function: str = "",
    view: str = "",
    fold: str = "",
    share_min: float = SHARE_MIN,
) -> Answer[FlameGraph]:
    """Shares of each side's on-CPU samples; `endpoint` empty: all endpoints.

    `function` with `view` callers or callees: only stacks through it, from it on. `fold`: words of
    `profiler.processors.FOLDS`, joined by commas. Nodes below `share_min` are left out.
    """
    sides = [a] if b is None else [a, b]
    tables = [reads.stack_sums(store, side, service, endpoint) for side in sides]
    number, stacks = stack_index(store, tables)
    weights = [_weights(rows, number) for rows in tables]
    turned = processed(stacks, _steps(function, view, fold))
    inside = np.array([stack is not None for stack in turned], dtype=np.float64)
    counts = [_samples(rows, number, inside) for rows in tables]
    graph = flame_graph(
        [stack or Stack((), ()) for stack in turned],
        weights[0] * inside,
        weights[1] * inside if b is not None else None,
        samples_a=counts[0],
        samples_b=counts[1] if b is not None else 0,
        share_min=share_min,
    )
    cut = any(truncated(rows) for rows in tables)
    return Answer(graph, unit="cpu_ns", truncated=cut, as_of_ms=max(s.to_ms for s in sides))


def _steps(function: str, view: str, fold: str) -> list[Processor]:
    if view not in VIEWS:
        raise BadQuestion(f"view is {view!r}: write callers or callees, or leave it out.")
    if bool(function) != bool(view):
        raise BadQuestion("function and view belong together: function=m:f&view=callers.")
    words = [word.strip() for word in fold.split(",") if word.strip()]
    for word in words:
        if word not in FOLDS:
            raise BadQuestion(f"fold names {word!r}: there is {', '.join(FOLDS)}.")
    steps = [FOLDS[word] for word in words]
    if view:
        steps.insert(0, (callers_of if view == "callers" else callees_of)(function))
    return steps


def _samples(rows: pa.Table, number: dict[int, int], inside: npt.NDArray[np.float64]) -> int:
    stack = _stacks(rows, number)
    return round(float(rows["samples"].to_numpy() @ inside[stack])) if len(stack) else 0


def _weights(rows: pa.Table, number: dict[int, int]) -> npt.NDArray[np.float64]:
    sums = np.bincount(_stacks(rows, number), rows["weight_s"].to_numpy(), minlength=len(number))
    return sums.astype(np.float64)


def _stacks(rows: pa.Table, number: dict[int, int]) -> npt.NDArray[np.int64]:
    """The number of each row's stack: ids are in order, as their numbers are."""
    ids = np.array(list(number), dtype=np.uint64)
    found: npt.NDArray[np.int64] = np.searchsorted(ids, rows["stack_id"].to_numpy())
    return found
