"""How much of a change is the machine's: hosts that were busier on one side.

Thread CPU time is not work. The same request takes more of it while others use the machine's
caches, memory and cores: measured on a shared host, 0.5 to 1.5% more for each 10 points of CPU use,
most for requests that make many system calls. How much an endpoint follows the load shows in the
windows within each side; the analysis of covariance (Fisher 1932; Cochran 1957, Biometrics 13:261)
takes that from the difference between the sides. Where the load hardly varied within the sides but
differs between them, the slope is not known, and the interval allows for twice the steepest seen.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from profiler.statistics import Difference, Ratios, difference, host_ratios

__all__ = ["LoadWindows", "reaching", "without_load"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CONFIDENCE = 0.95
#: Differences of load smaller than this, in points, are nothing to learn from.
POINTS_MIN = 0.5
#: Share of the cost that a point of load may add where nothing tells its slope.
SLOPE_MAX = 0.003


@dataclass(frozen=True, slots=True)
class LoadWindows:
    """One endpoint of one side, a row per host and window (W,)."""

    cost: Floats
    requests: Floats
    host: Ints
    window: Ints
    load: Floats
    """the host's CPU use, percent; nan where it is not known"""


@dataclass(frozen=True, slots=True)
class _Fit:
    """One side about its hosts' means; the last three per row (W,)."""

    rows: LoadWindows
    load: Floats
    """(H,) mean load, weighted by requests"""
    about: Floats
    """load - its host's mean"""
    residual: Floats
    """cost - its host's mean cost x requests"""


def without_load(
    a: LoadWindows,
    b: LoadWindows,
    hosts: int,
    over_time: tuple[LoadWindows, LoadWindows] | None = None,
) -> Difference | None:
    """b - a per request at equal load; None where the load is not known or never varied.

    `over_time`: where the sides' rows are of groups of hosts, each of all its time: the windows of
    all hosts together, which tell how the cost follows the load.
    """
    known_a, known_b = (_known(side) for side in (a, b))
    raw = [_ratios(side, side.cost, hosts) for side in (known_a, known_b)]
    fits = [_fit(side, hosts) for side in (known_a, known_b)]
    if not ((raw[0].weight > 0) & (raw[1].weight > 0)).any():
        return None
    along = [_fit(_known(side), 1) for side in over_time] if over_time else fits
    spread = sum(float((fit.rows.requests * fit.about**2).sum()) for fit in along)
    if spread < POINTS_MIN**2 * sum(float(fit.rows.requests.sum()) for fit in along):
        both = (raw[0].weight > 0) & (raw[1].weight > 0)
        apart = float(np.abs(fits[1].load - fits[0].load)[both].max())
        plain = difference(raw[0], raw[1], CONFIDENCE)
        return (
            None if apart < POINTS_MIN else _widened(plain, SLOPE_MAX * apart * float(plain.a[0]))
        )
    slope = sum(float((fit.about * fit.residual).sum()) for fit in along) / spread
    level_a, level_b = (
        _ratios(fit.rows, fit.rows.cost - slope * fit.rows.load * fit.rows.requests, hosts)
        for fit in fits
    )
    found = difference(level_a, level_b, CONFIDENCE)
    shift = float(difference(raw[0], raw[1]).value[0] - found.value[0])
    moved = shift / slope if slope else 0.0
    return _widened(found, _slope_error(along, slope, spread) * abs(moved))


def reaching(raw: Difference, level: Difference | None) -> Difference:
    """The raw difference with its interval stretched over that at equal load."""
    if level is None or not np.isfinite(level.low).all():
        return raw
    return replace(
        raw,
        low=np.minimum(raw.low, level.low),
        high=np.maximum(raw.high, level.high),
        reach=np.maximum(raw.reach, level.reach),
        p_value=np.maximum(raw.p_value, level.p_value),
    )


def _known(side: LoadWindows) -> LoadWindows:
    chosen = np.isfinite(side.load)
    return LoadWindows(
        side.cost[chosen],
        side.requests[chosen],
        side.host[chosen],
        side.window[chosen],
        side.load[chosen],
    )


def _ratios(rows: LoadWindows, cost: Floats, hosts: int) -> Ratios:
    return host_ratios(cost[None], rows.requests, rows.host, rows.window, hosts)


def _fit(rows: LoadWindows, hosts: int) -> _Fit:
    total = np.bincount(rows.host, rows.requests, minlength=hosts)
    load, cost = (
        np.bincount(rows.host, values, minlength=hosts) / np.maximum(total, 1)
        for values in (rows.requests * rows.load, rows.cost)
    )
    residual = rows.cost - cost[rows.host] * rows.requests
    return _Fit(rows, load, rows.load - load[rows.host], residual)


def _slope_error(fits: list[_Fit], slope: float, spread: float) -> float:
    """Standard error of the slope, robust against slow movements as all errors here are."""
    variance = 0.0
    for fit in fits:
        error = fit.residual - slope * fit.about * fit.rows.requests
        influence = fit.about * error / spread
        one = np.zeros(len(influence), dtype=np.int64)
        found = host_ratios(influence[None], fit.rows.requests, one, fit.rows.window, 1)
        waves = found.waves
        if not waves.shape[2]:
            return float("inf")
        variance += float((waves[0, 0] ** 2).mean() * found.weight[0] ** 2)
    return float(np.sqrt(variance))


def _widened(found: Difference, error: float) -> Difference:
    """The difference with a further, independent standard error."""
    with np.errstate(invalid="ignore"):
        critical = special.stdtrit(found.freedom, 0.5 + CONFIDENCE / 2)
        reach = np.hypot(found.high - found.value, critical * error)
        score = np.abs(found.value) / np.where(reach > 0, reach / critical, np.nan)
        p_value = 2 * special.stdtr(found.freedom, -score)
        p_value = np.where(np.isnan(score), found.p_value, p_value)
    low, high = found.value - reach, found.value + reach
    return replace(found, low=low, high=high, reach=reach, p_value=p_value)
