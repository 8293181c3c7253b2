"""Which endpoint's cost per request changed, and whether that is certain."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from profiler.load import LoadWindows, reaching, without_load
from profiler.measured import RequestWindows, SideData
from profiler.overlap import at_the_same_minutes
from profiler.records import EndpointChange, Interval
from profiler.statistics import Difference, Ratios, benjamini_hochberg, difference, host_ratios

__all__ = ["SIGNIFICANCE", "TOLERANCE", "endpoint_changes", "judged", "worst_endpoint"]

#: Requests (past warm-up) below which a side says nothing.
REQUESTS_MIN = 50
#: An interval narrower than this around "nothing" is called no change.
TOLERANCE = 0.05
#: More than so many times the data is not worth a number.
DATA_TIMES_TOLD = 50
SIGNIFICANCE = 0.05
#: At 13 deploys that changed nothing, on one shared machine, CPU time per request of endpoints
#: that mostly make system calls rose by 4% on average and stayed there. With three hosts or more
#: such steps show in the spread of the hosts; with fewer, nothing in the data shows them.
MACHINE_FLOOR = 0.05
#: The same for endpoints that were asked too seldom to be compared at the same minutes, where
#: others were: a step of 10.5% was seen in one of 50 requests a minute.
SELDOM_FLOOR = 0.15


def endpoint_changes(
    a: SideData, b: SideData, hosts: Sequence[str]
) -> tuple[list[EndpointChange], list[Difference]]:
    """Every endpoint and unit on both sides, not judged yet, and how they were estimated."""
    changes, spreads = [], []
    keys = {
        key
        for rows in (a.requests, b.requests)
        for key in zip(rows.endpoint.tolist(), rows.unit.tolist(), strict=True)
    }
    for endpoint, unit in sorted(keys):
        left, right = (_cost_ratios(side.requests, endpoint, unit, hosts) for side in (a, b))
        spread, concurrent = difference(left, right), None
        if unit == "cpu_ns":
            busy_a, busy_b = (_load_windows(s.requests, endpoint, unit, hosts) for s in (a, b))
            spread = reaching(spread, without_load(busy_a, busy_b, len(hosts)))
            concurrent = at_the_same_minutes(busy_a, busy_b, len(hosts))
        change = _reaching(_endpoint_change(a, b, endpoint, unit, spread), concurrent)
        if change.requests_a + change.requests_b:
            changes.append(change)
            spreads.append(spread)
    changes = _with_floors(changes)
    corrected = benjamini_hochberg([change.p_value for change in changes])
    return [
        replace(change, p_corrected=p) for change, p in zip(changes, corrected, strict=True)
    ], spreads


def _with_floors(changes: Sequence[EndpointChange]) -> list[EndpointChange]:
    """A higher floor for what was not compared at the same minutes while others were."""
    if not any(change.concurrent for change in changes):
        return list(changes)
    return [
        replace(change, floor=SELDOM_FLOOR) if change.floor and not change.concurrent else change
        for change in changes
    ]


def _reaching(change: EndpointChange, concurrent: Interval | None) -> EndpointChange:
    """The change with its intervals stretched over what both releases showed at the same minutes.

    Before and after differ by the machine, too; a change of the code shows in both comparisons.
    """
    if concurrent is None or not change.cost_a > 0:
        return change
    relative = Interval(
        change.relative.value,
        min(change.relative.low, concurrent.low),
        max(change.relative.high, concurrent.high),
    )
    absolute = replace(_scaled(relative, 1 / change.cost_a), value=change.difference.value)
    return replace(change, relative=relative, difference=absolute, concurrent=concurrent)


def _load_windows(
    rows: RequestWindows, endpoint: str, unit: str, hosts: Sequence[str]
) -> LoadWindows:
    chosen = (rows.endpoint == endpoint) & (rows.unit == unit) & rows.warm & (rows.requests > 0)
    return LoadWindows(
        rows.cost[chosen],
        rows.requests[chosen],
        np.searchsorted(np.array(hosts), rows.host[chosen]).astype(np.int64),
        rows.window[chosen],
        rows.load[chosen],
    )


def _cost_ratios(rows: RequestWindows, endpoint: str, unit: str, hosts: Sequence[str]) -> Ratios:
    chosen = (rows.endpoint == endpoint) & (rows.unit == unit) & rows.warm & (rows.requests > 0)
    return host_ratios(
        rows.cost[None, chosen],
        rows.requests[chosen],
        np.searchsorted(np.array(hosts), rows.host[chosen]).astype(np.int64),
        rows.window[chosen],
        len(hosts),
    )


def _endpoint_change(
    a: SideData, b: SideData, endpoint: str, unit: str, spread: Difference
) -> EndpointChange:
    counts, errors, kind = [], [], ""
    for side in (a, b):
        rows = side.requests
        chosen = (rows.endpoint == endpoint) & (rows.unit == unit)
        counts.append(float(rows.requests[chosen & rows.warm].sum()))
        every = float(rows.requests[chosen].sum())
        errors.append(float(rows.errors[chosen].sum()) / every if every else 0.0)
        kind = kind or next(iter(rows.kind[chosen].tolist()), "")
    cost_a, cost_b = float(spread.a[0]), float(spread.b[0])
    interval = Interval(float(spread.value[0]), float(spread.low[0]), float(spread.high[0]))
    return EndpointChange(
        endpoint=endpoint,
        kind=kind,
        unit=unit,
        requests_a=round(counts[0]),
        requests_b=round(counts[1]),
        cost_a=cost_a,
        cost_b=cost_b,
        difference=interval,
        relative=_scaled(interval, cost_a),
        p_value=float(spread.p_value[0]),
        p_corrected=float("nan"),
        fleet_share=float("nan"),
        error_rate_a=errors[0],
        error_rate_b=errors[1],
        latency_ms_p99_a=a.latency_ms_p99.get(endpoint, float("nan")),
        latency_ms_p99_b=b.latency_ms_p99.get(endpoint, float("nan")),
        verdict="cannot tell",
        reason="",
        floor=MACHINE_FLOOR if unit == "cpu_ns" and spread.unit_of_error == "window" else 0.0,
        chance=float(spread.reach[0]) / cost_a if cost_a > 0 else float("nan"),
    )


def _scaled(interval: Interval, by: float) -> Interval:
    if not by > 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    return Interval(interval.value / by, interval.low / by, interval.high / by)


def judged(change: EndpointChange, budget: float) -> EndpointChange:
    """A regression has the lower end of its interval above the budget; too little data is said."""
    fewest = min(change.requests_a, change.requests_b)
    relative = change.relative
    if change.unit == "none":
        return replace(change, reason="its cost cannot be measured here (unit none)")
    if fewest == 0:
        side = "a" if change.requests_a == 0 else "b"
        return replace(change, reason=f"no requests on side {side} past warm-up")
    if fewest < REQUESTS_MIN:
        return replace(change, reason=f"{fewest} requests on one side; at least {REQUESTS_MIN}")
    if not np.isfinite([relative.low, relative.high]).all():
        return replace(change, reason="fewer than 3 windows of time on one side; wait a little")
    # Nothing can fall by more than all of it.
    span = (
        f"95% interval {max(relative.low, -1):+.1%} to {relative.high:+.1%}{_concurrently(change)}"
    )
    certain = change.p_corrected < SIGNIFICANCE
    bar = max(budget, change.floor)
    if certain and relative.low > bar:
        return replace(change, verdict="regression", reason=f"{relative.value:+.1%} ({span})")
    if certain and relative.high < -bar:
        return replace(change, verdict="improvement", reason=f"{relative.value:+.1%} ({span})")
    if certain and (relative.low > budget or relative.high < -budget):
        why = f"on fewer than 3 hosts CPU time moves by up to {change.floor:.0%} by itself"
        return replace(change, reason=f"{span}: {why}; compare more hosts, or count instructions")
    reach = (relative.high - relative.low) / 2
    if reach <= TOLERANCE:
        return replace(change, verdict="no change", reason=f"{span}, budget {budget:.1%}")
    more = (reach / TOLERANCE) ** 2 - 1
    told = f"about {more:.1f} times" if more < DATA_TIMES_TOLD else "very many times"
    return replace(change, reason=f"{span}; needs {told} as much data again")


def _concurrently(change: EndpointChange) -> str:
    seen = change.concurrent
    if seen is None:
        return ""
    return f"; at the same minutes {seen.value:+.1%}, {seen.low:+.1%} to {seen.high:+.1%}"


def worst_endpoint(endpoints: Sequence[EndpointChange]) -> EndpointChange | None:
    """The regression that costs the fleet most."""
    rising = [change for change in endpoints if change.verdict == "regression"]
    return max(
        rising, key=lambda c: c.difference.value * (c.requests_a + c.requests_b), default=None
    )
