"""How much longer until something can be told.

A change of TOLD is told with POWER at 95% confidence when the standard error is at most
TOLD / (z(0.975) + z(POWER)) (Cohen 1988, Statistical Power Analysis, 2nd ed., chapter 2). The
variance of a side's mean falls with the time that it was watched; that of a side that is over, such
as an old release, falls no more.
"""

from dataclasses import replace

import numpy as np
from scipy import stats

from profiler.measured import RequestWindows
from profiler.records import EndpointChange

__all__ = ["minutes_more", "with_power"]

#: The change that is to be told, of the cost per request.
TOLD = 0.05
POWER = 0.9
REQUESTS_MIN = 50
#: A side whose newest window is this much older than the other's is over.
OVER_S = 120


def with_power(
    change: EndpointChange, a: RequestWindows, b: RequestWindows, window_s: float
) -> EndpointChange:
    """Where nothing can be told yet: the minutes until a change of 5% would be, in the reason."""
    if change.verdict != "cannot tell" or change.unit == "none":
        return change
    spans = [span for span in (_span(rows, change) for rows in (a, b)) if span]
    if len(spans) < 2:
        return change
    last = max(end for _, end in spans)
    goes_on = [(last - end) * window_s < OVER_S for _, end in spans]
    seconds = [(end - start + 1) * window_s for start, end in spans]
    more = _minutes_for_requests(change, goes_on, seconds)
    if np.isfinite(change.chance):
        more = max(more, minutes_more(change.chance, seconds, goes_on))
    if more <= 0:
        return change  # more of the same data will not settle it
    if not np.isfinite(more):
        over = "a" if not goes_on[0] else "b"
        told = f"side {over} is over, and too short to tell a change of {TOLD:.0%}"
    else:
        told = f"about {np.ceil(more):.0f} more minutes at this rate"
    return replace(change, minutes_more=more, reason=f"{change.reason}; {told}")


def minutes_more(chance: float, seconds: list[float], goes_on: list[bool]) -> float:
    """`chance`: half width of the 95% interval now, relative; `seconds`: of each side.

    0: it could be told now; inf: it never can.
    """
    normal = stats.norm.ppf
    error = chance / float(normal(0.975))
    wanted = TOLD / float(normal(0.975) + normal(POWER))
    if error <= wanted:
        return 0.0
    each = [1 / each_s / sum(1 / s for s in seconds) * error**2 for each_s in seconds]
    fixed = sum(part for part, more in zip(each, goes_on, strict=True) if not more)
    if fixed >= wanted**2 or not any(goes_on):
        return float("inf")
    # sum of part x s / (s + t) over the sides that go on = wanted - fixed; it falls with t.
    low, high = 0.0, 60.0
    while _left(each, seconds, goes_on, high) > wanted**2 - fixed:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if _left(each, seconds, goes_on, middle) > wanted**2 - fixed:
            low = middle
        else:
            high = middle
    return high / 60


def _left(each: list[float], seconds: list[float], goes_on: list[bool], more_s: float) -> float:
    return sum(
        part * s / (s + more_s)
        for part, s, more in zip(each, seconds, goes_on, strict=True)
        if more
    )


def _span(rows: RequestWindows, change: EndpointChange) -> tuple[int, int] | None:
    windows = rows.window[(rows.endpoint == change.endpoint) & (rows.unit == change.unit)]
    return (int(windows.min()), int(windows.max())) if len(windows) else None


def _minutes_for_requests(
    change: EndpointChange, goes_on: list[bool], seconds: list[float]
) -> float:
    """Until each side has the requests without which nothing is said."""
    waits = [0.0]
    for count, more, s in zip(
        (change.requests_a, change.requests_b), goes_on, seconds, strict=True
    ):
        if count < REQUESTS_MIN:
            short = (REQUESTS_MIN - count) / max(count, 1) * s / 60
            waits.append(short if more else float("inf"))
    return max(waits)
