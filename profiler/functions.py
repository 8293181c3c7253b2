"""Which function's cost per request changed.

Cost per function = its share of the endpoint's on-CPU samples x thread CPU time per request, always
in cpu_ns: samples are taken in time, so a share of them is a share of time and of nothing else.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from profiler.calltree import OWN, FunctionIndex
from profiler.endpoints import SIGNIFICANCE, TOLERANCE
from profiler.moderation import moderated
from profiler.parts import Part
from profiler.records import EndpointChange, FunctionChange, FunctionVerdict, Interval
from profiler.samples import EndpointSamples, cost_of, endpoint_samples
from profiler.statistics import Difference, benjamini_hochberg, difference

__all__ = ["FunctionTest", "function_test", "interval_at", "ranked"]

Floats = npt.NDArray[np.float64]

#: Samples of a function on both sides together below which it is left out.
TESTED_SAMPLES_MIN = 20


@dataclass(frozen=True, slots=True)
class FunctionTest:
    """One endpoint's functions on both sides, and the samples to ask further."""

    endpoint: str
    a: EndpointSamples
    b: EndpointSamples
    #: rise of the endpoint's thread CPU time per request, ns
    rise_ns: float
    changes: tuple[FunctionChange, ...]


def function_test(
    a: Part, b: Part, endpoint: str, index: FunctionIndex, hosts: int
) -> FunctionTest | None:
    """None where a side has too few samples of the endpoint."""
    stacks = index.inclusive.shape[1]
    left, right = (endpoint_samples(part, stacks, hosts) for part in (a, b))
    if left is None or right is None or not len(index.functions):
        return None
    rise_ns = right.clock_ns - left.clock_ns
    changes = _changes(endpoint, index, left, right, rise_ns)
    return FunctionTest(endpoint, left, right, rise_ns, tuple(changes))


def _changes(
    endpoint: str, index: FunctionIndex, a: EndpointSamples, b: EndpointSamples, rise_ns: float
) -> list[FunctionChange]:
    own = np.array(index.origins) == OWN
    seen_a, seen_b = index.inclusive @ a.samples, index.inclusive @ b.samples
    # Functions that could not be told from chance anyway are not tested: the total says nothing
    # of the difference (Bourgon et al. 2010, PNAS 107:9546), and each test costs the others power.
    found = np.flatnonzero(seen_a + seen_b >= TESTED_SAMPLES_MIN)
    raw_self, raw_inclusive, answerable = (
        difference(cost_of(a, members, found), cost_of(b, members, found))
        for members in (index.own_self, index.inclusive, index.answerable)
    )
    self_costs, inclusive = moderated(raw_self), moderated(raw_inclusive)
    blamed = moderated(_chosen(own[found], answerable, raw_self))
    every = a.samples + b.samples
    own_seen = (index.own_self @ every)[found]
    blamed_seen = np.where(own[found], (index.answerable @ every)[found], own_seen)
    corrected, self_p, inclusive_p = (
        _corrected(spread, seen)
        for spread, seen in (
            (blamed, blamed_seen),
            (self_costs, own_seen),
            (inclusive, (seen_a + seen_b)[found]),
        )
    )
    means_a, means_b = (_means(index.own_self, side) for side in (a, b))
    every_a, every_b = (_means(index.inclusive, side) for side in (a, b))
    beneath = _beneath(index, means_b - means_a)
    return [
        FunctionChange(
            endpoint=endpoint,
            function=index.functions[at],
            origin=index.origins[at],
            self_ns_a=float(means_a[at]),
            self_ns_b=float(means_b[at]),
            inclusive_ns_a=float(every_a[at]),
            inclusive_ns_b=float(every_b[at]),
            difference=interval_at(blamed, row),
            p_value=float(blamed.p_value[row]),
            p_corrected=corrected[row],
            rise_share=float(blamed.value[row] / rise_ns) if rise_ns else float("nan"),
            samples_a=round(float(seen_a[at])),
            samples_b=round(float(seen_b[at])),
            verdict=_verdict(interval_at(blamed, row), corrected[row], a.clock_ns),
            beneath=beneath.get(at, ()),
            self_difference=interval_at(self_costs, row),
            self_p_corrected=self_p[row],
            inclusive_difference=interval_at(inclusive, row),
            inclusive_p_corrected=inclusive_p[row],
        )
        for row, at in enumerate(found.tolist())
    ]


def _corrected(spread: Difference, seen: Floats) -> list[float]:
    """p values corrected over the functions with samples of what is tested; nan for the others.

    A framework's functions are on every stack and seldom at its end: their own cost is no test.
    """
    tested = np.where(seen >= TESTED_SAMPLES_MIN, spread.p_value, np.nan)
    return benjamini_hochberg(tested.tolist())


def interval_at(spread: Difference, row: int) -> Interval:
    return Interval(float(spread.value[row]), float(spread.low[row]), float(spread.high[row]))


def _chosen(own: npt.NDArray[np.bool_], answerable: Difference, own_self: Difference) -> Difference:
    """Own code answers for the library and C code that it calls, other code for itself."""
    names = ("a", "b", "value", "low", "high", "reach", "p_value", "freedom")
    return replace(
        answerable,
        **{n: np.where(own, getattr(answerable, n), getattr(own_self, n)) for n in names},
    )


def _means(members: sparse.csr_matrix, side: EndpointSamples) -> Floats:
    """ns per request of each set of stacks."""
    every = side.weight.sum()
    means: Floats = members @ side.weight.sum(axis=1) / every * side.clock_ns
    return means


def _last_functions(index: FunctionIndex) -> npt.NDArray[np.int64]:
    """(S,) the function at the end of each stack, -1 for none."""
    function, stack = index.own_self.nonzero()
    last = np.full(index.own_self.shape[1], -1, dtype=np.int64)
    last[stack] = function
    return last


def _beneath(index: FunctionIndex, rises: Floats) -> dict[int, tuple[tuple[str, float], ...]]:
    """Library functions whose samples lie beneath an own one, by the rise of their self cost; of
    those own functions that have some that rose."""
    own, stack = index.answerable.nonzero()
    below = _last_functions(index)[stack]
    seen = (below >= 0) & (below != own) & (rises[below] > 0)
    pairs: dict[int, set[int]] = {}
    for at, function in zip(own[seen].tolist(), below[seen].tolist(), strict=True):
        pairs.setdefault(at, set()).add(function)
    found = {}
    for at, functions in pairs.items():
        if index.origins[at] == OWN:
            rose = [(index.functions[f], float(rises[f])) for f in sorted(functions)]
            found[at] = tuple(sorted(rose, key=lambda pair: -pair[1])[:3])
    return found


def _verdict(change: Interval, p_corrected: float, clock_ns: float) -> FunctionVerdict:
    """No change: less than TOLERANCE of the endpoint's cost, `clock_ns`, by the whole interval."""
    certain = p_corrected < SIGNIFICANCE
    if certain and change.low > 0:
        return "regression"
    if certain and change.high < 0:
        return "improvement"
    reach = max(abs(change.low), abs(change.high))
    return "no change" if reach <= TOLERANCE * clock_ns else "cannot tell"


def ranked(
    functions: Sequence[FunctionChange], worst: EndpointChange | None, guilty: FunctionChange | None
) -> list[FunctionChange]:
    """The guilty one first, then its endpoint's functions, own code before libraries: certain rises
    by size, all others by how certain they are; where the endpoint rose, what fell comes last."""

    def same(change: FunctionChange) -> bool:
        return guilty is not None and (change.endpoint, change.function) == (
            guilty.endpoint,
            guilty.function,
        )

    others = sorted(
        (change for change in functions if not same(change)),
        key=lambda change: (
            worst is None or change.endpoint != worst.endpoint,
            change.verdict != "regression",
            change.origin != OWN,
            worst is not None and change.difference.value < 0,
            0.0
            if change.verdict == "regression"
            else (1.0 if math.isnan(change.p_value) else change.p_value),
            -abs(change.difference.value),
        ),
    )
    return others if guilty is None else [guilty, *others]
