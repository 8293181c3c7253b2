"""Why the fleet's CPU changed: traffic + mix + per-request cost, exactly additive."""

from collections.abc import Mapping

from profiler.records import FleetChange

__all__ = ["fleet_change"]


def fleet_change(
    unit: str,
    a: Mapping[str, tuple[float, float]],
    b: Mapping[str, tuple[float, float]],
) -> FleetChange:
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
