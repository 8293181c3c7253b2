"""What each function of an endpoint costs per request, in cpu_ns."""

import numpy as np

from collector.answers.records import Answer, Window
from collector.answers.sides import Side
from collector.answers.stacks import stack_index
from collector.store import reads
from collector.store.store import Store, truncated
from profiler.calltree import index_functions
from profiler.records import FunctionCost

__all__ = ["functions"]

FUNCTIONS_MAX = 500


def functions(
    store: Store, window: Window, *, service: str, endpoint: str, release: str = ""
) -> Answer[tuple[FunctionCost, ...]]:
    """Functions by self cost, dearest first: share of on-CPU samples x thread CPU per request."""
    side = Side(release or "all", release, "", "", window.from_ms, window.to_ms)
    samples = reads.stack_sums(store, side, service, endpoint)
    served, task_clock_ns = reads.clock_sums(store, side, service, endpoint)
    number, stacks = stack_index(store, [samples])
    index = index_functions(stacks)
    stack = np.array([number[key] for key in samples["stack_id"].to_pylist()], dtype=np.int64)
    weight = np.bincount(stack, samples["weight_s"].to_numpy(), minlength=len(stacks))
    count = np.bincount(stack, samples["samples"].to_numpy(), minlength=len(stacks))
    total = float(weight.sum()) or 1.0
    clock_ns = task_clock_ns / served if served else 0.0
    own, inclusive = index.own_self @ weight / total, index.inclusive @ weight / total
    seen = index.inclusive @ count
    order = np.lexsort((-inclusive, -own))
    costs = tuple(
        FunctionCost(
            function=index.functions[at],
            origin=index.origins[at],
            self_share=float(own[at]),
            inclusive_share=float(inclusive[at]),
            self_ns=float(own[at]) * clock_ns,
            inclusive_ns=float(inclusive[at]) * clock_ns,
            samples=round(float(seen[at])),
        )
        for at in order[:FUNCTIONS_MAX].tolist()
    )
    return Answer(
        costs,
        unit="cpu_ns",
        truncated=len(order) > FUNCTIONS_MAX or truncated(samples),
        as_of_ms=window.to_ms,
    )
