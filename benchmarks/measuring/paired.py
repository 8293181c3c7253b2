"""Paired comparisons: the median of differences with an interval that assumes no distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

__all__ = ["Estimate", "differences", "median_interval", "ratios"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median and the interval that covers the true one with at least the wished confidence."""

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


def _rank(count: int, tail: float) -> int:
    """Largest k with P(heads < k) <= tail among `count` throws; 0 if there is none."""
    rank, below = 0, 0.0
    while rank < count:
        below += comb(count, rank) / 2**count
        if below > tail:
            break
        rank += 1
    return rank
