"""Logarithmic histograms of wall time and cost: 8 buckets per doubling, mergeable by adding counts.

Wall time has edges exactly at 100, 250, 500 ms, 1, 2 and 5 s, so that SLOs are counted and not
estimated: 250 ms to 2 s are powers of two of a second, 100 ms and 5 s are edges of their own.
The store computes the same bucket in SQL; a test compares the two.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["Quantiles", "cost_bucket", "quantile_ns", "wall_bucket", "wall_edges_ns"]

PER_DOUBLING = 8
SECOND_NS = 1_000_000_000
#: Edges between the regular ones, as (first index above it, edge in ns).
EXTRA_EDGES_NS = (100_000_000, 5_000_000_000)


def wall_bucket(wall_ns: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Bucket index of each wall time in ns; 0 ns counts as 1 ns. Shape (n,) -> (n,)."""
    wall = np.maximum(wall_ns.astype(np.float64), 1.0)
    index = np.floor(PER_DOUBLING * np.log2(wall / SECOND_NS))
    for edge_ns in EXTRA_EDGES_NS:
        index += wall >= edge_ns
    bucket: npt.NDArray[np.int32] = index.astype(np.int32)
    return bucket


def cost_bucket(cost: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Bucket index of each cost in its own unit; 0 counts as 1. Shape (n,) -> (n,)."""
    index = np.floor(PER_DOUBLING * np.log2(np.maximum(cost.astype(np.float64), 1.0)))
    bucket: npt.NDArray[np.int32] = index.astype(np.int32)
    return bucket


def wall_edges_ns(index: int) -> tuple[float, float]:
    """The half-open interval [low, high) in ns that a wall-time bucket stands for."""
    return _low_ns(index), _low_ns(index + 1)


@cache
def _low_ns(index: int) -> float:
    for passed, edge_ns in enumerate(EXTRA_EDGES_NS):
        first_above = int(wall_bucket(np.array([edge_ns], dtype=np.uint64))[0])
        if index == first_above:
            return float(edge_ns)
        if index < first_above:
            return float(SECOND_NS * 2.0 ** ((index - passed) / PER_DOUBLING))
    return float(SECOND_NS * 2.0 ** ((index - len(EXTRA_EDGES_NS)) / PER_DOUBLING))


class Quantiles:
    """A histogram of wall times, to be asked for several quantiles."""

    __slots__ = ("_buckets", "_counts", "_cumulative")

    def __init__(
        self,
        buckets: npt.NDArray[np.int32],
        counts: npt.NDArray[np.uint64] | npt.NDArray[np.float64],
    ) -> None:
        order = np.argsort(buckets)
        self._buckets = buckets[order].tolist()
        self._counts = counts[order].astype(np.float64)
        self._cumulative = np.cumsum(self._counts)

    def ns(self, share: float) -> float:
        """The wall time in ns below which `share` (0..1) of the requests lie; nan without any.

        Interpolated geometrically inside the bucket, so the error is at most half a bucket (4.4%).
        """
        if not len(self._cumulative) or self._cumulative[-1] == 0:
            return float("nan")
        wanted = share * float(self._cumulative[-1])
        at = min(int(np.searchsorted(self._cumulative, wanted)), len(self._buckets) - 1)
        low, high = wall_edges_ns(self._buckets[at])
        count = float(self._counts[at])
        inside = (wanted - (float(self._cumulative[at]) - count)) / count if count else 0.5
        return float(low * (high / low) ** min(max(inside, 0.0), 1.0))


def quantile_ns(
    buckets: npt.NDArray[np.int32],
    counts: npt.NDArray[np.uint64] | npt.NDArray[np.float64],
    share: float,
) -> float:
    """One quantile of a histogram, as `Quantiles` tells it."""
    return Quantiles(buckets, counts).ns(share)
