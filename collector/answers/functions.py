"""What each function of an endpoint costs per request, in cpu_ns."""

import numpy as np

from collector.answers.function_sums import function_sums
from collector.answers.records import Answer, Window
from collector.store.store import Store
from profiler.records import FunctionCost

__all__ = ["functions"]

FUNCTIONS_MAX = 500


def functions(
    store: Store, window: Window, *, service: str, endpoint: str, release: str = ""
) -> Answer[tuple[FunctionCost, ...]]:
    """Functions by self cost, dearest first: share of on-CPU samples x thread CPU per request."""
    sums = function_sums(store, window, service, endpoint, release)
    total_s = sums.weight_s or 1.0
    clock_ns = sums.task_clock_ns / sums.served if sums.served else 0.0
    own, inclusive = sums.own_s / total_s, sums.inclusive_s / total_s
    order = np.lexsort((-inclusive, -own))
    costs = tuple(
        FunctionCost(
            function=sums.functions[at],
            origin=sums.origins[at],
            self_share=float(own[at]),
            inclusive_share=float(inclusive[at]),
            self_ns=float(own[at]) * clock_ns,
            inclusive_ns=float(inclusive[at]) * clock_ns,
            samples=round(float(sums.samples[at])),
        )
        for at in order[:FUNCTIONS_MAX].tolist()
    )
    return Answer(
        costs,
        unit="cpu_ns",
        truncated=len(order) > FUNCTIONS_MAX or sums.truncated,
        as_of_ms=window.to_ms,
    )
