"""Which function's cost per request changed.

Cost per function = its share of the endpoint's on-CPU samples x thread CPU time per request, always
in cpu_ns: samples are taken in time, so a share of them is a share of time and of nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from profiler.calltree import OWN, FunctionIndex
from profiler.endpoints import SIGNIFICANCE
from profiler.measured import SideData
from profiler.records import EndpointChange, FunctionChange, Interval, Verdict
from profiler.statistics import Ratios, benjamini_hochberg, difference, host_ratios

__all__ = ["function_changes", "guilty_function", "ranked"]

Floats = npt.NDArray[np.float64]

#: On-CPU samples of an endpoint below which a side says nothing about its functions.
SAMPLES_MIN = 100
#: Samples of a function on both sides together below which it is left out.
TESTED_SAMPLES_MIN = 20


def function_changes(
    a: SideData, b: SideData, endpoint: str, index: FunctionIndex, hosts: Sequence[str]
) -> list[FunctionChange]:
    sides = [_function_ratios(side, endpoint, index, hosts) for side in (a, b)]
    if any(side is None for side in sides):
        return []
    left, right = (side for side in sides if side is not None)
    spread = difference(left.answerable, right.answerable)
    # Functions that could not be told from chance anyway are not tested: the total says nothing
    # of the difference (Bourgon et al. 2010, PNAS 107:9546), and each test costs the others power.
    found = np.flatnonzero((left.samples + right.samples) >= TESTED_SAMPLES_MIN)
    total = _task_clock(b, endpoint) - _task_clock(a, endpoint)
    corrected = dict(
        zip(found.tolist(), benjamini_hochberg(spread.p_value[found].tolist()), strict=True)
    )
    rises = right.own_self - left.own_self
    changes = [
        FunctionChange(
            endpoint=endpoint,
            function=index.functions[at],
            origin=index.origins[at],
            self_ns_a=float(left.own_self[at]),
            self_ns_b=float(right.own_self[at]),
            inclusive_ns_a=float(left.inclusive[at]),
            inclusive_ns_b=float(right.inclusive[at]),
            difference=Interval(
                float(spread.value[at]), float(spread.low[at]), float(spread.high[at])
            ),
            p_value=float(spread.p_value[at]),
            p_corrected=corrected[at],
            rise_share=float(spread.value[at] / total) if total else float("nan"),
            samples_a=round(float(left.samples[at])),
            samples_b=round(float(right.samples[at])),
            verdict="cannot tell",
            beneath=_beneath(at, index, rises),
        )
        for at in found.tolist()
    ]
    return _judged(changes)


def _beneath(at: int, index: FunctionIndex, rises: Floats) -> tuple[tuple[str, float], ...]:
    """Library functions whose samples lie beneath an own one, by the rise of their self cost."""
    if index.origins[at] != OWN:
        return ()
    stacks = index.answerable[at].indices
    below = np.unique(index.own_self[:, stacks].nonzero()[0])
    found = [
        (index.functions[f], float(rises[f])) for f in below.tolist() if f != at and rises[f] > 0
    ]
    return tuple(sorted(found, key=lambda pair: -pair[1])[:3])


@dataclass(frozen=True, slots=True)
class _FunctionRatios:
    answerable: Ratios
    own_self: Floats
    inclusive: Floats
    samples: Floats


def _function_ratios(
    side: SideData, endpoint: str, index: FunctionIndex, hosts: Sequence[str]
) -> _FunctionRatios | None:
    """Cost per request in cpu_ns of each function (F,), with its spread over hosts and windows."""
    chosen = _warm_stacks(side, endpoint)
    rows = side.stacks
    if rows.samples[chosen].sum() < SAMPLES_MIN or not len(index.functions):
        return None
    host = np.searchsorted(np.array(hosts), rows.host[chosen]).astype(np.int64)
    keys, column = np.unique(np.stack([host, rows.window[chosen]]), axis=1, return_inverse=True)
    weights = np.zeros((index.inclusive.shape[1], keys.shape[1]))
    np.add.at(weights, (rows.stack[chosen], column.reshape(-1)), rows.weight_s[chosen])
    samples = np.bincount(
        rows.stack[chosen], rows.samples[chosen], minlength=index.inclusive.shape[1]
    )
    windows = np.concatenate([rows.window[chosen], _warm_windows(side, endpoint)])
    span = int(windows.min()), int(windows.max())
    clock = _task_clock_ratios(side, endpoint, hosts, span)
    every = weights.sum(axis=0)
    own = np.array(index.origins)[:, None] == OWN
    blamed = np.where(own, index.answerable @ weights, index.own_self @ weights)
    share = host_ratios(blamed, every, keys[0], keys[1], len(hosts), span)
    total, mean = weights.sum(), _task_clock(side, endpoint)
    return _FunctionRatios(
        answerable=_product(share, clock),
        own_self=index.own_self @ weights.sum(axis=1) / total * mean,
        inclusive=index.inclusive @ weights.sum(axis=1) / total * mean,
        samples=index.inclusive @ samples,
    )


def _warm_stacks(side: SideData, endpoint: str) -> npt.NDArray[np.bool_]:
    """Samples of the endpoint from windows in which its host served requests past warm-up."""
    rows = side.requests
    young = rows.requests * ~rows.warm
    cold = set()
    for key, warm, all_young in _sums((rows.host, rows.window), rows.requests * rows.warm, young):
        if all_young >= warm:
            cold.add(key)
    kept = np.array(
        [
            key not in cold
            for key in zip(side.stacks.host, side.stacks.window.tolist(), strict=True)
        ],
        dtype=bool,
    ).reshape(-1)
    chosen: npt.NDArray[np.bool_] = kept & (side.stacks.endpoint == endpoint)
    return chosen


def _sums(
    keys: tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]], *values: Floats
) -> list[tuple[tuple[str, int], float, float]]:
    totals: dict[tuple[str, int], list[float]] = {}
    for host, window, *numbers in zip(keys[0], keys[1].tolist(), *values, strict=True):
        at = totals.setdefault((host, window), [0.0, 0.0])
        at[0] += float(numbers[0])
        at[1] += float(numbers[1])
    return [(key, first, second) for key, (first, second) in totals.items()]


def _warm_windows(side: SideData, endpoint: str) -> npt.NDArray[np.int64]:
    rows = side.requests
    chosen: npt.NDArray[np.int64] = rows.window[
        (rows.endpoint == endpoint) & rows.warm & (rows.requests > 0)
    ]
    return chosen


def _task_clock_ratios(
    side: SideData, endpoint: str, hosts: Sequence[str], span: tuple[int, int]
) -> Ratios:
    rows = side.requests
    chosen = (rows.endpoint == endpoint) & rows.warm & (rows.requests > 0)
    return host_ratios(
        rows.task_clock_ns[None, chosen],
        rows.requests[chosen],
        np.searchsorted(np.array(hosts), rows.host[chosen]).astype(np.int64),
        rows.window[chosen],
        len(hosts),
        span,
    )


def _task_clock(side: SideData, endpoint: str) -> float:
    rows = side.requests
    chosen = (rows.endpoint == endpoint) & rows.warm
    requests = float(rows.requests[chosen].sum())
    return float(rows.task_clock_ns[chosen].sum()) / requests if requests else 0.0


def _product(share: Ratios, clock: Ratios) -> Ratios:
    """share (F, H) x time per request (1, H); their errors by the delta method, wave by wave."""
    known = min(share.waves.shape[2], clock.waves.shape[2])
    waves = (
        share.waves[..., :known] * clock.mean[..., None]
        + clock.waves[..., :known] * share.mean[..., None]
    )
    weight = np.where(clock.weight > 0, share.weight, 0.0)
    return Ratios(share.mean * clock.mean, waves, weight, share.windows)


def _judged(functions: Sequence[FunctionChange]) -> list[FunctionChange]:
    judged = []
    for change in functions:
        certain = change.p_corrected < SIGNIFICANCE
        verdict: Verdict = "no change"
        if certain and change.difference.low > 0:
            verdict = "regression"
        elif certain and change.difference.high < 0:
            verdict = "improvement"
        elif not np.isfinite(change.difference.low):
            verdict = "cannot tell"
        judged.append(replace(change, verdict=verdict))
    return judged


def guilty_function(
    functions: Sequence[FunctionChange], worst: EndpointChange | None
) -> FunctionChange | None:
    """The own-code function whose answerable cost rose most, if that rise is certain."""
    if worst is None:
        return None
    rising = [
        change
        for change in functions
        if change.endpoint == worst.endpoint
        and change.origin == OWN
        and change.verdict == "regression"
    ]
    return max(rising, key=lambda change: change.difference.value, default=None)


def ranked(
    functions: Sequence[FunctionChange], worst: EndpointChange | None, guilty: FunctionChange | None
) -> list[FunctionChange]:
    """The guilty one first, then its endpoint's functions, own code before libraries, by rise."""
    return sorted(
        functions,
        key=lambda change: (
            change is not guilty,
            worst is None or change.endpoint != worst.endpoint,
            change.verdict != "regression",
            change.origin != OWN,
            -abs(change.difference.value),
        ),
    )
