"""Warm-up: what the first requests of young workers cost, and so what a restart costs."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from profiler.measured import RequestWindows, SideData
from profiler.parts import Part, numbered
from profiler.records import Interval, WarmUp
from profiler.statistics import difference, host_ratios

__all__ = ["warm_ups"]

NAN = float("nan")


def warm_ups(
    a: SideData, b: SideData, parts: Sequence[Mapping[str, Part]], hosts: int
) -> tuple[WarmUp, ...]:
    """One for each unit in which a side has young workers. `parts`: both sides by endpoint."""
    if all(side.requests.warm.all() for side in (a, b)):
        return ()
    units = {unit for side in (a, b) for unit in numbered(side.requests.unit)[0]} - {"none"}
    found = []
    for unit in sorted(units):
        counts = [_young(side.requests, unit) for side in (a, b)]
        if sum(counts):
            found.append(
                WarmUp(
                    unit=unit,
                    requests_a=round(counts[0]),
                    requests_b=round(counts[1]),
                    difference=_difference(parts[0], parts[1], unit, hosts),
                    restarts_a=a.restarts,
                    restarts_b=b.restarts,
                    per_restart_a=_per_restart(parts[0], a.restarts, unit),
                    per_restart_b=_per_restart(parts[1], b.restarts, unit),
                )
            )
    return tuple(found)


def _young(rows: RequestWindows, unit: str) -> float:
    return float((rows.requests * ((rows.unit == unit) & ~rows.warm)).sum())


def _difference(a: Mapping[str, Part], b: Mapping[str, Part], unit: str, hosts: int) -> Interval:
    """Endpoint by endpoint, weighted by the harmonic mean of the requests; errors independent."""
    value = variance = total = 0.0
    for endpoint in sorted(a.keys() & b.keys()):
        pair = (a[endpoint], b[endpoint])
        chosen = [_young_rows(part.requests, unit) for part in pair]
        numbers = [float(p.requests.requests[at].sum()) for p, at in zip(pair, chosen, strict=True)]
        if not all(numbers):
            continue
        left, right = (
            host_ratios(
                part.requests.cost[None, at],
                part.requests.requests[at],
                part.host[at],
                part.requests.window[at],
                hosts,
            )
            for part, at in zip(pair, chosen, strict=True)
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


def _young_rows(rows: RequestWindows, unit: str) -> npt.NDArray[np.bool_]:
    chosen: npt.NDArray[np.bool_] = (rows.unit == unit) & ~rows.warm & (rows.requests > 0)
    return chosen


def _per_restart(parts: Mapping[str, Part], restarts: int, unit: str) -> float:
    """What young requests cost more than warm ones of the same endpoints, per restart."""
    more = 0.0
    for part in parts.values():
        rows = part.requests
        mine = rows.unit == unit
        warm, young = mine & rows.warm, mine & ~rows.warm
        served = float(rows.requests[warm].sum())
        if served:
            mean = float(rows.cost[warm].sum()) / served
            more += float(rows.cost[young].sum()) - mean * float(rows.requests[young].sum())
    return more / restarts if restarts else NAN
