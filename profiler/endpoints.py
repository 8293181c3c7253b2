"""Which endpoint's cost per request changed, and whether that is certain."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from profiler.load import LoadWindows, reaching, without_load
from profiler.measured import RequestWindows, SideData
from profiler.overlap import at_the_same_minutes
from profiler.parts import Part, nothing_of
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
    a: SideData, b: SideData, parts: Sequence[Mapping[str, Part]], hosts: int
) -> tuple[list[EndpointChange], list[Difference]]:
    """Every endpoint and unit on both sides, not judged yet, and how they were estimated. `parts`:
    both sides by endpoint."""
    changes, spreads = [], []
    for endpoint in sorted(parts[0].keys() | parts[1].keys()):
        left, right = (
            side.get(endpoint) or nothing_of(whole)
            for side, whole in zip(parts, (a, b), strict=True)
        )
        for unit in sorted({*left.requests.unit.tolist(), *right.requests.unit.tolist()}):
            spread, concurrent = _spread(left, right, unit, hosts)
            latency = tuple(side.latency_ms_p99.get(endpoint, float("nan")) for side in (a, b))
            change = _endpoint_change(left, right, endpoint, unit, latency, spread)
            if change.requests_a + change.requests_b:
                changes.append(_reaching(change, concurrent))
                spreads.append(spread)
    changes = _with_floors(changes)
    corrected = benjamini_hochberg([change.p_value for change in changes])
    return [
        replace(change, p_corrected=p) for change, p in zip(changes, corrected, strict=True)
    ], spreads


def _spread(a: Part, b: Part, unit: str, hosts: int) -> tuple[Difference, Interval | None]:
    """Before and after, and at the same minutes."""
    busy_a, busy_b = (_load_windows(part.requests, part.host, unit) for part in (a, b))
    raw = difference(_cost_ratios(busy_a, hosts), _cost_ratios(busy_b, hosts))
    if unit != "cpu_ns":
        return raw, None
    spread = reaching(raw, without_load(busy_a, busy_b, hosts, _over_time(a, b, unit)))
    return spread, at_the_same_minutes(busy_a, busy_b, hosts)


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


def _over_time(a: Part, b: Part, unit: str) -> tuple[LoadWindows, LoadWindows] | None:
    """All hosts together; None where the parts themselves are of hosts and windows."""
    if a.over_time is a.requests:
        return None
    left, right = (
        _load_windows(rows, np.zeros(len(rows.cost), dtype=np.int64), unit)
        for rows in (a.over_time, b.over_time)
    )
    return left, right


def _load_windows(rows: RequestWindows, host: npt.NDArray[np.int64], unit: str) -> LoadWindows:
    chosen = (rows.unit == unit) & rows.warm & (rows.requests > 0)
    return LoadWindows(
        rows.cost[chosen],
        rows.requests[chosen],
        host[chosen],
        rows.window[chosen],
        rows.load[chosen],
    )


def _cost_ratios(rows: LoadWindows, hosts: int) -> Ratios:
    return host_ratios(rows.cost[None], rows.requests, rows.host, rows.window, hosts)


def _endpoint_change(
    a: Part,
    b: Part,
    endpoint: str,
    unit: str,
    latency_ms_p99: Sequence[float],
    spread: Difference,
) -> EndpointChange:
    counts, errors, kind = [], [], ""
    for part in (a, b):
        rows = part.requests
        chosen = rows.unit == unit
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
        latency_ms_p99_a=latency_ms_p99[0],
        latency_ms_p99_b=latency_ms_p99[1],
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
