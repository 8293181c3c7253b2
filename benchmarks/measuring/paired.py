"""Paired comparisons, with intervals that assume no distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, exp, fsum, log
from random import Random
from statistics import median

__all__ = ["Estimate", "differences", "mean_ratio", "median_interval", "ratios"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median or mean, and the interval that covers the true one with the wished confidence."""

    value: float
    low: float
    high: float


def differences(values: Sequence[float], against: Sequence[float]) -> list[float]:
    """`values` minus `against`, pair by pair."""
    return [value - base for value, base in zip(values, against, strict=True)]


def ratios(values: Sequence[float], against: Sequence[float]) -> list[float]:
    """`values` over `against`, pair by pair."""
    return [value / base for value, base in zip(values, against, strict=True)]


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The median with its interval from order statistics (Conover, Practical Nonparametric
    Statistics, 3.2): the k-th smallest and largest, where a fair coin thrown n times shows fewer
    than k heads with probability (1 - confidence) / 2 at most.

    Raises ValueError for so few values that even their extremes cover less: 6 are needed for 95%.
    """
    ordered = sorted(values)
    rank = _rank(len(ordered), (1 - confidence) / 2)
    if rank == 0:
        raise ValueError(f"{len(ordered)} values are too few for {confidence:.0%}")
    return Estimate(median(ordered), ordered[rank - 1], ordered[-rank])


def mean_ratio(
    values: Sequence[float],
    against: Sequence[float],
    seed: int,
    confidence: float = 0.95,
    draws: int = 10_000,
) -> Estimate:
    """The geometric mean of the pairs' ratios, and its bootstrap interval (percentiles of the
    means of pairs that are drawn with replacement).

    What happens in a few pairs only counts, which a median would leave out.
    """
    logs = [log(one) for one in ratios(values, against)]
    random, count = Random(seed), len(logs)
    means = sorted(fsum(random.choices(logs, k=count)) / count for _ in range(draws))
    tail = round(draws * (1 - confidence) / 2)
    return Estimate(exp(fsum(logs) / count), exp(means[tail]), exp(means[-1 - tail]))


def _rank(count: int, tail: float) -> int:
    """Largest k with P(heads < k) <= tail among `count` throws; 0 if there is none."""
    rank, below = 0, 0.0
    while rank < count:
        below += comb(count, rank) / 2**count
        if below > tail:
            break
        rank += 1
    return rank
