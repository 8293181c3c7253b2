"""Variances of many functions, each estimated on few hosts, lent strength by one another.

With few hosts a variance is known poorly, and Student's t pays for it with wide intervals. How much
functions of like cost vary is known well from all of them together, so each variance is drawn
towards that trend (empirical Bayes: Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3, with the trend
of Law et al. 2014, Genome Biol. 15:R29). The trend counts for as many degrees of freedom as the
spread of the variances about it allows, and never for more than TREND_MAX times those of the data,
so that a function that truly varies more keeps most of its own variance.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from profiler.statistics import Difference

__all__ = ["moderated"]

Floats = npt.NDArray[np.float64]

FUNCTIONS_MIN = 20
TREND_MAX = 2.0
CONFIDENCE = 0.95


def moderated(spread: Difference) -> Difference:
    """The same differences with moderated intervals; unchanged where hosts are not the unit."""
    if spread.unit_of_error != "host":
        return spread
    freedom = float(spread.freedom[0])
    variance = (spread.reach / special.stdtrit(freedom, 0.5 + CONFIDENCE / 2)) ** 2
    size = (spread.a + spread.b) / 2
    known = (variance > 0) & (size > 0) & np.isfinite(variance)
    if known.sum() < FUNCTIONS_MIN:
        return spread
    trend = np.polyfit(np.log(size[known]), np.log(variance[known]), 2)
    residual = np.log(variance[known]) - np.polyval(trend, np.log(size[known]))
    prior = _prior_freedom(float(residual.var(ddof=3)), freedom)
    expected = np.exp(
        np.polyval(trend, np.log(np.where(known, size, 1.0)))
        - _log_mean(freedom)
        + (_log_mean(prior) if prior else 0.0)
    )
    shrunk = (prior * expected + freedom * variance) / (prior + freedom)
    variance = np.where(known, shrunk, variance)
    total = np.where(known, prior + freedom, freedom)
    return _with_variance(spread, variance, total)


def _log_mean(freedom: float) -> float:
    """Mean of the logarithm of a chi-squared variable over its degrees of freedom."""
    return float(special.digamma(freedom / 2) - np.log(freedom / 2))


def _prior_freedom(scatter: float, freedom: float) -> float:
    """Degrees of freedom of the trend: scatter = trigamma(d / 2) + trigamma(prior / 2)."""
    left = scatter - float(special.polygamma(1, freedom / 2))
    most = TREND_MAX * freedom
    if left <= float(special.polygamma(1, most / 2)):
        return most
    if left >= float(special.polygamma(1, 0.05)):
        return 0.0
    return float(optimize.brentq(lambda d: special.polygamma(1, d / 2) - left, 0.1, most))


def _with_variance(spread: Difference, variance: Floats, freedom: Floats) -> Difference:
    error = np.sqrt(variance)
    # As in statistics: stats.t returns the same, and takes many times as long.
    reach = special.stdtrit(freedom, 0.5 + CONFIDENCE / 2) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.abs(spread.value) / error
    score = np.where(error == 0, np.where(spread.value == 0, 0.0, np.inf), score)
    p_value = np.where(np.isnan(spread.value), np.nan, 2 * special.stdtr(freedom, -score))
    return replace(
        spread,
        low=spread.value - reach,
        high=spread.value + reach,
        reach=reach,
        p_value=p_value,
        freedom=freedom,
    )
