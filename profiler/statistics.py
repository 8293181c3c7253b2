"""How sure a difference of two sides is. Pure numpy and scipy; every array's shape is named.

A cost per request is a ratio: cost used over requests served (or samples of a function over all
samples), summed over short windows of time on each host. The host is the unit of error: requests of
one host share its caches, its neighbours and its data, so treating requests as independent makes
intervals several times too narrow. With fewer than three hosts on both sides the windows are the
unit, made robust against their autocorrelation (Newey and West 1987, Econometrica 55:703), and the
answer is about these hosts only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["Difference", "Ratios", "benjamini_hochberg", "difference", "host_ratios"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOSTS_MIN = 3
WINDOWS_MIN = 3


@dataclass(frozen=True, slots=True)
class Ratios:
    """Of one side: F quantities on H hosts. Hosts without denominator have weight 0."""

    mean: Floats
    """(F, H) numerator over denominator"""
    variance: Floats
    """(F, H) of `mean`, from the windows of each host; inf with fewer than 3 windows"""
    weight: Floats
    """(H,) the denominators' sums"""
    windows: Ints
    """(H,) windows with a denominator"""


@dataclass(frozen=True, slots=True)
class Difference:
    """b - a of F quantities, with a 95% interval. All arrays (F,)."""

    a: Floats
    b: Floats
    value: Floats
    low: Floats
    high: Floats
    p_value: Floats
    unit_of_error: str
    """host or window"""
    hosts: int
    windows: int


def host_ratios(
    numerator: Floats, denominator: Floats, host: Ints, window: Ints, hosts: int
) -> Ratios:
    """Ratio of sums per host with its Newey-West variance.

    numerator (F, W), denominator (W,), host (W,) in 0..hosts-1, window (W,) number of the window in
    time. The variance of a ratio of sums comes from its residuals numerator - ratio * denominator
    (Cochran 1977, Sampling Techniques, 6.3).
    """
    count = numerator.shape[0]
    mean = np.zeros((count, hosts))
    variance = np.full((count, hosts), np.inf)
    weight = np.zeros(hosts)
    windows = np.zeros(hosts, dtype=np.int64)
    for number in range(hosts):
        chosen = np.flatnonzero((host == number) & (denominator > 0))
        chosen = chosen[np.argsort(window[chosen], kind="stable")]
        total = float(denominator[chosen].sum())
        windows[number] = len(chosen)
        if total <= 0:
            continue
        weight[number] = total
        mean[:, number] = numerator[:, chosen].sum(axis=1) / total
        if len(chosen) >= WINDOWS_MIN:
            residual = numerator[:, chosen] - mean[:, [number]] * denominator[chosen]
            variance[:, number] = _long_run_sum(residual) / total**2
    return Ratios(mean, variance, weight, windows)


def _long_run_sum(residual: Floats) -> Floats:
    """Variance of each row's sum, (F, T) -> (F,), Newey-West with Bartlett weights.

    Never below the estimate without lags: at a few windows negative autocorrelations are noise, and
    believing them makes intervals too narrow.
    """
    length = residual.shape[1]
    lags = _lags(length)
    plain = (residual**2).sum(axis=1)
    total = plain.copy()
    for lag in range(1, lags + 1):
        products = (residual[:, lag:] * residual[:, :-lag]).sum(axis=1)
        total += 2 * (1 - lag / (lags + 1)) * products
    corrected: Floats = np.maximum(total, plain) * length / (length - 1)
    return corrected


def _lags(length: int) -> int:
    """Bandwidth by Newey and West 1994 (Rev. Econ. Stud. 61:631), within the windows there are."""
    return max(min(int(4 * (length / 100) ** (2 / 9)), length - 2), 0)


def difference(a: Ratios, b: Ratios, confidence: float = 0.95) -> Difference:
    """b - a over the same hosts in the same order, paired by host where hosts are on both sides."""
    paired = (a.weight > 0) & (b.weight > 0)
    if paired.any():
        weight = np.zeros_like(a.weight)
        weight[paired] = 1 / (1 / a.weight[paired] + 1 / b.weight[paired])
        weight /= weight.sum()
        return _paired(a, b, weight, confidence)
    return _unpaired(a, b, confidence)


def _paired(a: Ratios, b: Ratios, weight: Floats, confidence: float) -> Difference:
    chosen = np.flatnonzero(weight)
    hosts, weight = len(chosen), weight[chosen]
    mean_a, mean_b = a.mean[:, chosen] @ weight, b.mean[:, chosen] @ weight
    value = mean_b - mean_a
    if hosts >= HOSTS_MIN:
        spread = b.mean[:, chosen] - a.mean[:, chosen] - value[:, None]
        variance = (spread**2 @ weight**2) * hosts / (hosts - 1)
        freedom = np.full_like(value, hosts - 1)
        unit = "host"
    else:
        parts = [(side.variance[:, chosen], side.windows[chosen]) for side in (a, b)]
        variance, freedom = _combine(parts, weight)
        unit = "window"
    windows = int(a.windows[chosen].sum() + b.windows[chosen].sum())
    return _interval(mean_a, mean_b, variance, freedom, confidence, unit, hosts, windows)


def _unpaired(a: Ratios, b: Ratios, confidence: float) -> Difference:
    """Sides on different hosts: Welch's test (Welch 1947, Biometrika 34:28) on host means."""
    means, variances, freedoms, units = [], [], [], []
    for side in (a, b):
        chosen = np.flatnonzero(side.weight)
        if not len(chosen):
            means.append(np.full(side.mean.shape[0], np.nan))
            variances.append(np.full(side.mean.shape[0], np.inf))
            freedoms.append(np.ones(side.mean.shape[0]))
            continue
        weight = side.weight[chosen] / side.weight[chosen].sum()
        mean = side.mean[:, chosen] @ weight
        if len(chosen) >= HOSTS_MIN:
            spread = side.mean[:, chosen] - mean[:, None]
            variance = (spread**2 @ weight**2) * len(chosen) / (len(chosen) - 1)
            freedom = np.full_like(mean, len(chosen) - 1)
            units.append("host")
        else:
            variance, freedom = _combine([(side.variance[:, chosen], side.windows[chosen])], weight)
            units.append("window")
        means.append(mean)
        variances.append(variance)
        freedoms.append(freedom)
    total = variances[0] + variances[1]
    freedom = _satterthwaite(np.stack(variances), np.stack(freedoms))
    unit = "host" if units == ["host", "host"] else "window"
    hosts = int((a.weight > 0).sum() + (b.weight > 0).sum())
    windows = int(a.windows.sum() + b.windows.sum())
    return _interval(means[0], means[1], total, freedom, confidence, unit, hosts, windows)


def _combine(parts: list[tuple[Floats, Ints]], weight: Floats) -> tuple[Floats, Floats]:
    """Variance of a weighted sum over hosts and sides, and its degrees of freedom, both (F,)."""
    variances = np.concatenate([(variance * weight**2).T for variance, _ in parts])
    # Smoothing over lags leaves about windows / (lags + 1) independent pieces of evidence.
    freedoms = np.array([max(n / (_lags(n) + 1) - 1, 1.0) for _, seen in parts for n in seen])
    return variances.sum(axis=0), _satterthwaite(
        variances, np.broadcast_to(freedoms[:, None], variances.shape).astype(float)
    )


def _satterthwaite(variances: Floats, freedoms: Floats) -> Floats:
    """Degrees of freedom of a sum of variances (K, F) -> (F,) (Satterthwaite 1946)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = variances.sum(axis=0) ** 2 / (variances**2 / freedoms).sum(axis=0)
    return np.where(np.isfinite(freedom), np.maximum(freedom, 1.0), 1.0)


def _interval(
    a: Floats,
    b: Floats,
    variance: Floats,
    freedom: Floats,
    confidence: float,
    unit: str,
    hosts: int,
    windows: int,
) -> Difference:
    value = b - a
    error = np.sqrt(variance)
    reach = stats.t.ppf(0.5 + confidence / 2, freedom) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.abs(value) / error
    # No spread at all: identical sides are no evidence, different ones are certain.
    score = np.where(error == 0, np.where(value == 0, 0.0, np.inf), score)
    p_value = np.where(np.isnan(value), np.nan, 2 * stats.t.sf(score, freedom))
    return Difference(a, b, value, value - reach, value + reach, p_value, unit, hosts, windows)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Corrected p values (Benjamini and Hochberg 1995); nan stays nan and is not counted."""
    values = np.array(p_values, dtype=float)
    known = ~np.isnan(values)
    if known.any():
        values[known] = stats.false_discovery_control(values[known], method="bh")
    return [float(value) for value in values]
