"""The call tree of one side, or of two as a difference."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.answers.records import Answer
from collector.answers.sides import Side
from collector.answers.stacks import stack_index
from collector.store import reads
from collector.store.store import Store, truncated
from profiler.calltree import flame_graph
from profiler.records import FlameGraph

__all__ = ["flamegraph"]


def flamegraph(
    store: Store, a: Side, b: Side | None = None, *, service: str, endpoint: str = ""
) -> Answer[FlameGraph]:
    """Shares of each side's on-CPU samples; `endpoint` empty: all endpoints."""
    sides = [a] if b is None else [a, b]
    tables = [
        reads.stack_windows(
            store, side, service, endpoint, window_ms=max(side.to_ms - side.from_ms, 1)
        )
        for side in sides
    ]
    number, stacks = stack_index(store, tables)
    weights = [_weights(rows, number) for rows in tables]
    counts = [int(rows["samples"].to_numpy().sum()) for rows in tables]
    graph = flame_graph(
        stacks,
        weights[0],
        weights[1] if b is not None else None,
        samples_a=counts[0],
        samples_b=counts[1] if b is not None else 0,
    )
    cut = any(truncated(rows) for rows in tables)
    return Answer(graph, unit="cpu_ns", truncated=cut, as_of_ms=max(s.to_ms for s in sides))


def _weights(rows: pa.Table, number: dict[int, int]) -> npt.NDArray[np.float64]:
    stack = np.array([number[key] for key in rows["stack_id"].to_pylist()], dtype=np.int64)
    sums = np.bincount(stack, rows["weight_s"].to_numpy(), minlength=len(number))
    return sums.astype(np.float64)
