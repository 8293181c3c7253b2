"""How much faster or slower the machines themselves were on side b.

Thread CPU time is not work: the same code takes more of it on a machine whose caches, memory and
cores are busy with something else (Instagram counts instructions for that reason:
https://instagram-engineering.com/web-service-efficiency-at-instagram-with-python-4976d078e366).
A change of the code moves some functions; a change of the machine moves all of them alike. So the
weighted median of the functions' relative changes tells the second from the first as long as the
first touches less than half of the cost.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from profiler.records import EndpointChange, FunctionChange, Interval

__all__ = ["common_drift", "stretched"]

#: Functions seen less often than this on a side say nothing about its speed.
SAMPLES_MIN = 20
FUNCTIONS_MIN = 5


def common_drift(functions: Sequence[FunctionChange]) -> float:
    """The relative change that most of the cost shares, 0.05 for 5% slower; 0 if too few functions.

    Self cost in cpu_ns per request of the function's endpoint, each weighted by its samples.
    Functions that certainly changed otherwise than most are code that changed, and are left out.
    """
    first = _middle(functions)
    return _middle([change for change in functions if not _stands_out(change, first)])


def _stands_out(change: FunctionChange, drift: float) -> bool:
    """Whether even the near end of its interval is not explained by the drift."""
    if change.verdict not in ("regression", "improvement"):
        return False
    expected = drift * change.self_ns_a
    return change.difference.low > max(expected, 0) or change.difference.high < min(expected, 0)


def _middle(functions: Sequence[FunctionChange]) -> float:
    """Weighted median of the relative changes; 0 with too few functions."""
    chosen = [
        change
        for change in functions
        if min(change.samples_a, change.samples_b) >= SAMPLES_MIN
        and change.self_ns_a > 0 < change.self_ns_b
    ]
    if len(chosen) < FUNCTIONS_MIN:
        return 0.0
    ratios = np.array([change.self_ns_b / change.self_ns_a for change in chosen])
    weights = np.array(
        [
            change.samples_a * change.self_ns_a / max(change.inclusive_ns_a, change.self_ns_a)
            for change in chosen
        ]
    )
    order = np.argsort(ratios)
    cumulative = np.cumsum(weights[order])
    return float(ratios[order][np.searchsorted(cumulative, cumulative[-1] / 2)]) - 1


def stretched(change: EndpointChange, drift: float) -> EndpointChange:
    """The change with its intervals stretched to where they would lie without the drift.

    They are stretched and not shifted, because a new interpreter or a tracer moves all functions,
    too. Counted instructions do not drift with the machine.
    """
    if change.unit != "cpu_ns":
        return change
    return replace(
        change,
        difference=_reaching(change.difference, drift * change.cost_a),
        relative=_reaching(change.relative, drift),
    )


def _reaching(spread: Interval, by: float) -> Interval:
    return Interval(
        spread.value, min(spread.low, spread.low - by), max(spread.high, spread.high - by)
    )
