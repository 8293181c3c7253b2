"""How sure a difference of two sides is. Pure numpy and scipy; every array's shape is named.

A cost per request is a ratio: cost used over requests served (or samples of a function over all
samples), summed over short windows of time on each host. The host is the unit of error: requests of
one host share its caches, its neighbours and its data, so treating requests as independent makes
intervals several times too narrow. With fewer than three hosts on both sides the windows of time
are the unit, all hosts of a side together, because they share what moves them. The variance of
their sum is that of its slowest movements, a few cosines over the side's time, with as many degrees
of freedom as cosines (equal-weighted cosines: Lazarus, Lewis, Stock and Watson 2018, J. Bus. Econ.
Stat. 36:541). Such an answer is about these hosts only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

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
    waves_of: Callable[[Ints], Floats]
    """G of the hosts -> (F, G, J): J cosines of each mean's error over the side's time; their mean
    square is its variance. Linear: the waves of a weighted sum are the weighted sum of waves.
    J = 0: too few windows to say. Only asked where hosts are too few to be the unit of error."""
    weight: Floats
    """(H,) the denominators' sums"""
    windows: Ints
    """(H,) windows with a denominator"""

    @property
    def waves(self) -> Floats:
        """(F, H, J) of all hosts."""
        return self.waves_of(np.arange(len(self.weight)))


@dataclass(frozen=True, slots=True)
class Difference:
    """b - a of F quantities, with a 95% interval. All arrays (F,)."""

    a: Floats
    b: Floats
    value: Floats
    low: Floats
    high: Floats
    reach: Floats
    """half width of the interval by chance alone: what else stretches it is not in here"""
    p_value: Floats
    freedom: Floats
    """degrees of freedom of Student's t"""
    unit_of_error: str
    """host or window"""
    hosts: int
    windows: int


def host_ratios(
    numerator: Floats,
    denominator: Floats,
    host: Ints,
    window: Ints,
    hosts: int,
    span: tuple[int, int] | None = None,
) -> Ratios:
    """Ratio of sums per host, with the waves of its error.

    numerator (F, W), denominator (W,), host (W,) in 0..hosts-1, window (W,) number of the window in
    time; `span` the first and last window of the side, where others must share its waves. The error
    of a ratio of sums is that of its residuals numerator - ratio * denominator (Cochran 1977,
    Sampling Techniques, 6.3).
    """
    known = np.flatnonzero((denominator > 0) & (host < hosts))
    if (host[known][1:] < host[known][:-1]).any():
        known = known[np.argsort(host[known], kind="stable")]
    numerator, denominator = numerator[:, known], denominator[known]
    host, window = host[known], window[known]
    weight = np.bincount(host, denominator, minlength=hosts).astype(np.float64)
    windows = np.bincount(host, minlength=hosts).astype(np.int64)
    mean = np.zeros((len(numerator), hosts))
    if len(host):
        starts = np.flatnonzero(np.concatenate([[True], host[1:] != host[:-1]]))
        sums = np.add.reduceat(numerator, starts, axis=1)
        mean[:, host[starts]] = sums / weight[host[starts]]

    def waves_of(numbers: Ints) -> Floats:
        basis_at, basis = _cosines(window, span)
        waves = np.zeros((len(mean), len(numbers), basis.shape[1]))
        for at, number in enumerate(numbers.tolist()):
            chosen = np.flatnonzero(host == number)
            if len(chosen):
                residual = numerator[:, chosen] - mean[:, [number]] * denominator[chosen]
                waves[:, at] = residual @ basis[window[chosen] - basis_at] / weight[number]
        return waves

    return Ratios(mean, waves_of, weight, windows)


def _cosines(window: Ints, span: tuple[int, int] | None) -> tuple[int, Floats]:
    """(first window, cosines (T, J) over the T windows of the span); J = 0 below WINDOWS_MIN.

    J = 0.4 T^(2/3) by Lazarus et al. 2018: few, so that a slow drift of the machine is not taken
    for many independent windows; up to 4 from a short side, where 2 or 3 leave hardly any power (at
    an autocorrelation of 0.3 its intervals cover 94 to 95%).
    """
    if not len(window):
        return 0, np.zeros((0, 0))
    first, last = span or (int(window.min()), int(window.max()))
    length = last - first + 1
    if len(np.unique(window)) < WINDOWS_MIN:
        return first, np.zeros((length, 0))
    number = np.arange(1, max(round(0.4 * length ** (2 / 3)), min(length // 4, 4), 1) + 1)
    at = (np.arange(length) + 0.5) / length
    return first, np.sqrt(2) * np.cos(np.pi * np.outer(at, number))


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
        parts = [_of_windows(side, chosen, weight) for side in (a, b)]
        variance, freedom = _sum_of(*parts)
        unit = "window"
    windows = int(a.windows[chosen].sum() + b.windows[chosen].sum())
    return _interval(mean_a, mean_b, variance, freedom, confidence, unit, hosts, windows)


def _unpaired(a: Ratios, b: Ratios, confidence: float) -> Difference:
    """Sides on different hosts: Welch's test (Welch 1947, Biometrika 34:28) on host means."""
    means, parts, units = [], [], []
    for side in (a, b):
        chosen = np.flatnonzero(side.weight)
        if not len(chosen):
            means.append(np.full(side.mean.shape[0], np.nan))
            parts.append((np.full(side.mean.shape[0], np.inf), np.ones(side.mean.shape[0])))
            continue
        weight = side.weight[chosen] / side.weight[chosen].sum()
        mean = side.mean[:, chosen] @ weight
        means.append(mean)
        if len(chosen) >= HOSTS_MIN:
            spread = side.mean[:, chosen] - mean[:, None]
            variance = (spread**2 @ weight**2) * len(chosen) / (len(chosen) - 1)
            parts.append((variance, np.full_like(mean, len(chosen) - 1)))
            units.append("host")
        else:
            parts.append(_of_windows(side, chosen, weight))
            units.append("window")
    variance, freedom = _sum_of(*parts)
    unit = "host" if units == ["host", "host"] else "window"
    hosts = int((a.weight > 0).sum() + (b.weight > 0).sum())
    windows = int(a.windows.sum() + b.windows.sum())
    return _interval(means[0], means[1], variance, freedom, confidence, unit, hosts, windows)


def _of_windows(side: Ratios, chosen: Ints, weight: Floats) -> tuple[Floats, Floats]:
    """Variance of one side's weighted mean, from its windows, and its degrees of freedom: (F,)."""
    each = side.waves_of(chosen)
    count, cosines = each.shape[0], each.shape[2]
    if not cosines:
        return np.full(count, np.inf), np.ones(count)
    waves = np.einsum("fhj,h->fj", each, weight)
    return (waves**2).mean(axis=1), np.full(count, float(cosines))


def _sum_of(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Variance and degrees of freedom of a sum of two independent errors."""
    variances, freedoms = np.stack([a[0], b[0]]), np.stack([a[1], b[1]])
    return variances.sum(axis=0), _satterthwaite(variances, freedoms)


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
    # What stats.t returns, too, but it takes 90 times as long, for each of thousands of functions.
    reach = special.stdtrit(freedom, 0.5 + confidence / 2) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.abs(value) / error
    # No spread at all: identical sides are no evidence, different ones are certain.
    score = np.where(error == 0, np.where(value == 0, 0.0, np.inf), score)
    p_value = np.where(np.isnan(value), np.nan, 2 * special.stdtr(freedom, -score))
    low, high = value - reach, value + reach
    return Difference(a, b, value, low, high, reach, p_value, freedom, unit, hosts, windows)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Corrected p values (Benjamini and Hochberg 1995); nan stays nan and is not counted."""
    values = np.array(p_values, dtype=float)
    known = ~np.isnan(values)
    count = int(known.sum())
    if count:
        # What stats.false_discovery_control returns, too; hundreds of endpoints ask for it.
        order = np.argsort(values[known])
        scaled = values[known][order] * (count / np.arange(1, count + 1))
        corrected = np.empty(count)
        corrected[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(0, 1)
        values[known] = corrected
    found: list[float] = values.tolist()
    return found
