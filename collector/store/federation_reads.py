"""Reads behind GET /metrics/federate. `day_ms`: any time of the UTC day."""

import pyarrow as pa

from collector.store.store import Store

__all__ = ["day_size", "day_sums"]


def day_sums(store: Store, day_ms: int, rows_max: int) -> pa.Table:
    """service, endpoint, release, cost_unit, requests, error_count, cost_total, wall_total (ns),
    wall_buckets, wall_counts (both f64 but the buckets); most requests first."""
    return store.query("federation", day_ms=day_ms, rows_max=rows_max)


def day_size(store: Store, day_ms: int) -> int:
    """How many rows `day_sums` has without its limit."""
    return int(store.query("federation_size", day_ms=day_ms)["size"][0].as_py())
