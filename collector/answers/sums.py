"""Sums of requests as the reads return them, and the means and quantiles made of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from profiler.histogram import quantile_ns

__all__ = ["Sums"]

NS_PER_MS = 1e6
NAN = float("nan")


class Sums:
    """One row of `endpoint_sums` or `series_sums`. Means are over requests that were not killed."""

    __slots__ = ("_buckets", "_counts", "_measured", "row")

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self._measured = row["requests"] - row["killed_count"]
        self._buckets = np.array(row["wall_buckets"], np.int32)
        self._counts = np.rint(row["wall_counts"]).astype(np.uint64)

    @property
    def requests(self) -> int:
        return int(round(self.row["requests"]))

    @property
    def errors(self) -> int:
        """Unhandled exceptions, 5xx and killed."""
        return int(round(self.row["error_count"]))

    @property
    def killed(self) -> int:
        return int(round(self.row["killed_count"]))

    @property
    def error_rate(self) -> float:
        return float(self.row["error_count"] / self.row["requests"]) if self.requests else NAN

    def mean(self, name: str) -> float:
        """Mean per request of a sum, such as `cost_total`; nan if all were killed."""
        return float(self.row[name] / self._measured) if self._measured > 0 else NAN

    def mean_ms(self, name: str) -> float:
        return self.mean(name) / NS_PER_MS

    def latency_ms(self, share: float) -> float:
        """The wall time in ms below which `share` of the requests lie."""
        return quantile_ns(self._buckets, self._counts, share) / NS_PER_MS
