"""Sums of requests as the reads return them, and the means and quantiles made of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from profiler.histogram import Quantiles

__all__ = ["Sums", "sums_of"]

NS_PER_MS = 1e6
NAN = float("nan")


def sums_of(table: pa.Table) -> list["Sums"]:
    """Its rows; histograms are cut out of their columns whole."""
    buckets, ends = _parts(table["wall_buckets"])
    counts, _ = _parts(table["wall_counts"])
    counts = np.rint(counts)
    rows = table.drop_columns(["wall_buckets", "wall_counts"]).to_pylist()
    return [
        Sums(row, Quantiles(buckets[start:end], counts[start:end]))
        for row, start, end in zip(rows, ends[:-1], ends[1:], strict=True)
    ]


def _parts(lists: pa.ChunkedArray) -> tuple[npt.NDArray[Any], list[int]]:
    """The values of all lists of a column, and where each begins; the last ends there, too."""
    whole = lists.combine_chunks()
    ends = whole.offsets.to_pylist() if len(whole) else [0]
    return whole.values.to_numpy(zero_copy_only=False), ends


class Sums:
    """One row of `endpoint_sums` or `series_sums`. Means are over requests that were not killed."""

    __slots__ = ("_measured", "_wall", "row")

    def __init__(self, row: Mapping[str, Any], wall: Quantiles) -> None:
        self.row = row
        self._measured = row["requests"] - row["killed_count"]
        self._wall = wall

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
        return self._wall.ns(share) / NS_PER_MS
