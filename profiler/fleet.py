"""Why the fleet's CPU changed: traffic + mix + per-request cost, exactly additive."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from profiler.measured import SideData, SortsOfRequests
from profiler.parts import Part, numbered
from profiler.records import FleetChange, PeakCost

__all__ = ["fleet_change", "fleet_changes", "mix_within"]

#: endpoint -> (requests per second, mean cost per request)
Traffic = Mapping[str, tuple[float, float]]


def fleet_changes(
    a: SideData,
    b: SideData,
    parts: Sequence[Mapping[str, Part]],
    window_s: float,
    server_cost_per_year: float = 0.0,
) -> tuple[FleetChange, ...]:
    """One for each unit that both sides, or one, counted in. `parts`: both sides by endpoint."""
    units = {unit for side in (a, b) for unit in numbered(side.requests.unit)[0]} - {"none"}
    hosts = len(a.grouped.names if a.grouped else numbered(a.requests.host)[0])
    changes = []
    for unit in sorted(units):
        rates = [
            _traffic(side, part, unit, window_s) for side, part in zip((a, b), parts, strict=True)
        ]
        change = _split_within(fleet_change(unit, *rates), a, b, rates[0], rates[1])
        changes.append(
            replace(_priced(change, hosts, server_cost_per_year), peak=_peak(a, b, unit))
        )
    return tuple(changes)


def fleet_change(unit: str, a: Traffic, b: Traffic) -> FleetChange:
    """`a`, `b`: endpoint -> (requests per second, mean cost per request in `unit`).

    Bennet's indicator (Bennet 1920, J. R. Stat. Soc. 83:455): each factor's change times the mean
    of the others. Requests are total traffic N times shares s; with bars for means of both sides

        traffic = (Nb - Na) * sum(s_bar * c_bar)
        mix     = N_bar * sum((sb - sa) * c_bar)
        cost    = sum(n_bar * (cb - ca))

    An endpoint on one side only has that side's cost on both, so that it is mix and not cost.
    """
    total_a = sum(number for number, _ in a.values())
    total_b = sum(number for number, _ in b.values())
    traffic = mix = cost = per_s_a = per_s_b = 0.0
    for endpoint in sorted(a.keys() | b.keys()):
        number_a, cost_a = a.get(endpoint, (0.0, b.get(endpoint, (0.0, 0.0))[1]))
        number_b, cost_b = b.get(endpoint, (0.0, cost_a))
        share_a = number_a / total_a if total_a else 0.0
        share_b = number_b / total_b if total_b else 0.0
        mean_cost = (cost_a + cost_b) / 2
        traffic += (total_b - total_a) * (share_a + share_b) / 2 * mean_cost
        mix += (total_a + total_b) / 2 * (share_b - share_a) * mean_cost
        cost += (number_a + number_b) / 2 * (cost_b - cost_a)
        per_s_a += number_a * cost_a
        per_s_b += number_b * cost_b
    return FleetChange(unit, per_s_a, per_s_b, traffic, mix, cost)


def mix_within(a: Mapping[str, tuple[float, float]], b: Mapping[str, tuple[float, float]]) -> float:
    """The part of one endpoint's rise per request that is the shares of its sorts of requests.

    `a`, `b`: sort -> (requests, cost). Bennet again, one floor down: the endpoint's mean cost is
    sum(w * c) over its sorts, so its change is sum((wb - wa) * c_bar), which is this, and
    sum(w_bar * (cb - ca)), which is the rest. A sort on one side only is mix.
    """
    every_a = sum(number for number, _ in a.values())
    every_b = sum(number for number, _ in b.values())
    if not every_a or not every_b:
        return 0.0
    total = 0.0
    for sort in a.keys() | b.keys():
        means = [cost / number for number, cost in _known(sort, a, b)]
        share_a, share_b = (
            side.get(sort, (0.0, 0.0))[0] / every for side, every in ((a, every_a), (b, every_b))
        )
        total += (share_b - share_a) * sum(means) / len(means) if means else 0.0
    return total


def _known(sort: str, *sides: Mapping[str, tuple[float, float]]) -> list[tuple[float, float]]:
    return [side[sort] for side in sides if sort in side and side[sort][0] > 0]


def _traffic(
    side: SideData, parts: Mapping[str, Part], unit: str, window_s: float
) -> dict[str, tuple[float, float]]:
    """Warm-up included: it is what the fleet paid."""
    seconds = max(len(np.unique(side.requests.window)), 1) * window_s
    if side.grouped:
        seconds = side.grouped.seconds
    found = {}
    for endpoint, part in parts.items():
        rows = part.requests
        chosen = (rows.unit == unit) & (rows.requests > 0)
        number = float(rows.requests[chosen].sum())
        if number:
            found[endpoint] = (number / seconds, float(rows.cost[chosen].sum()) / number)
    return found


def _split_within(
    change: FleetChange, a: SideData, b: SideData, rates_a: Traffic, rates_b: Traffic
) -> FleetChange:
    if a.sorts is None or b.sorts is None:
        return change
    sorts_a, sorts_b = (_by_endpoint(sorts, change.unit) for sorts in (a.sorts, b.sorts))
    within = 0.0
    for endpoint in rates_a.keys() & rates_b.keys():
        number = (rates_a[endpoint][0] + rates_b[endpoint][0]) / 2
        within += number * mix_within(sorts_a.get(endpoint, {}), sorts_b.get(endpoint, {}))
    return replace(change, mix_within=within, cost=change.cost - within, within=b.sorts_by)


def _by_endpoint(rows: SortsOfRequests, unit: str) -> dict[str, dict[str, tuple[float, float]]]:
    sorts: dict[str, dict[str, tuple[float, float]]] = {}
    for at in np.flatnonzero((rows.unit == unit) & (rows.requests > 0)).tolist():
        sums = sorts.setdefault(str(rows.endpoint[at]), {})
        number, cost = sums.get(str(rows.sort[at]), (0.0, 0.0))
        sums[str(rows.sort[at])] = (number + float(rows.requests[at]), cost + float(rows.cost[at]))
    return sorts


def _priced(change: FleetChange, hosts: int, server_cost_per_year: float) -> FleetChange:
    """In servers of side a at their use of CPU: so many more do the same work."""
    if not change.per_s_a:
        return change
    each = change.per_s_a / hosts
    by_cost = change.cost / each
    return replace(
        change,
        servers=(change.per_s_b - change.per_s_a) / each,
        servers_by_cost=by_cost,
        money_per_year=by_cost * server_cost_per_year if server_cost_per_year else float("nan"),
    )


def _peak(a: SideData, b: SideData, unit: str) -> PeakCost | None:
    """Instagram's own metric (Ni 2016), which neither traffic nor its mix moves."""
    if unit not in a.peaks or unit not in b.peaks:
        return None
    left, right = a.peaks[unit], b.peaks[unit]
    per_user_a, per_user_b = left.cost / left.users, right.cost / right.users
    relative = per_user_b / per_user_a - 1 if per_user_a else float("nan")
    return PeakCost(
        left.minute_ms, right.minute_ms, left.users, right.users, per_user_a, per_user_b, relative
    )
