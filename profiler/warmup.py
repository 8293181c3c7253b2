"""Warm-up: what the first requests of young workers cost, and so what a restart costs."""

from collections.abc import Sequence

import numpy as np

from profiler.measured import RequestWindows, SideData
from profiler.records import Interval, WarmUp
from profiler.statistics import difference, host_ratios

__all__ = ["warm_ups"]

NAN = float("nan")


def warm_ups(a: SideData, b: SideData, hosts: Sequence[str]) -> tuple[WarmUp, ...]:
    """One for each unit in which a side has young workers."""
    units = {unit for side in (a, b) for unit in np.unique(side.requests.unit).tolist()} - {"none"}
    found = []
    for unit in sorted(units):
        counts = [_young(side.requests, unit) for side in (a, b)]
        if sum(counts):
            found.append(
                WarmUp(
                    unit=unit,
                    requests_a=round(counts[0]),
                    requests_b=round(counts[1]),
                    difference=_difference(a.requests, b.requests, unit, hosts),
                    restarts_a=a.restarts,
                    restarts_b=b.restarts,
                    per_restart_a=_per_restart(a, unit),
                    per_restart_b=_per_restart(b, unit),
                )
            )
    return tuple(found)


def _young(rows: RequestWindows, unit: str) -> float:
    return float((rows.requests * ((rows.unit == unit) & ~rows.warm)).sum())


def _difference(a: RequestWindows, b: RequestWindows, unit: str, hosts: Sequence[str]) -> Interval:
    """Endpoint by endpoint, weighted by the harmonic mean of the requests; errors independent."""
    value = variance = total = 0.0
    for endpoint in np.intersect1d(a.endpoint, b.endpoint).tolist():
        chosen = [
            (rows.endpoint == endpoint) & (rows.unit == unit) & ~rows.warm & (rows.requests > 0)
            for rows in (a, b)
        ]
        numbers = [float(rows.requests[at].sum()) for rows, at in zip((a, b), chosen, strict=True)]
        if not all(numbers):
            continue
        left, right = (
            host_ratios(
                rows.cost[None, at],
                rows.requests[at],
                np.searchsorted(np.array(hosts), rows.host[at]).astype(np.int64),
                rows.window[at],
                len(hosts),
            )
            for rows, at in zip((a, b), chosen, strict=True)
        )
        spread = difference(left, right)
        weight = 1 / (1 / numbers[0] + 1 / numbers[1])
        value += weight * float(spread.value[0])
        variance += (weight * float(spread.reach[0])) ** 2
        total += weight
    if not total:
        return Interval(NAN, NAN, NAN)
    reach = float(np.sqrt(variance)) / total
    return Interval(value / total, value / total - reach, value / total + reach)


def _per_restart(side: SideData, unit: str) -> float:
    """What young requests cost more than warm ones of the same endpoints, per restart."""
    rows = side.requests
    more = 0.0
    for endpoint in np.unique(rows.endpoint).tolist():
        mine = (rows.endpoint == endpoint) & (rows.unit == unit)
        warm, young = mine & rows.warm, mine & ~rows.warm
        served = float(rows.requests[warm].sum())
        if served:
            mean = float(rows.cost[warm].sum()) / served
            more += float(rows.cost[young].sum()) - mean * float(rows.requests[young].sum())
    return more / side.restarts if side.restarts else NAN
