"""Reads behind the source view: samples by line of one function, and of a side altogether."""

import pyarrow as pa

from collector.answers.sides import Side
from collector.store.reads import side_filters
from collector.store.store import Store

__all__ = ["line_samples", "sample_sums"]


def line_samples(store: Store, side: Side, service: str, function: str, endpoint: str) -> pa.Table:
    """release, file, line, sample_count, self_count (u64), weight_sum (s): one row a line."""
    filters = side_filters(side, service, endpoint)
    return store.query("line_samples", function=function, **filters)


def sample_sums(store: Store, side: Side, service: str, endpoint: str) -> tuple[int, float]:
    """On-CPU samples of a side, and the seconds of one worker's time that they stand for."""
    filters = side_filters(side, service, endpoint)
    for unknown in ("flag", "runtime"):
        filters.pop(unknown)
    row = store.query("sample_sums", **filters).to_pylist()[0]
    return row["sample_count"], row["weight_sum"]
