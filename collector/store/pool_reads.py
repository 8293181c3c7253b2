"""Reads behind advice and capacity: a service's requests and its workers' numbers, by host."""

import pyarrow as pa

from collector.answers.records import Window
from collector.store.store import Store

__all__ = ["pool_metrics", "pool_requests", "pool_workers"]


def pool_requests(store: Store, window: Window, service: str, endpoint: str) -> pa.Table:
    """host, requests, peak_minute, live_total, sums and squares in ns, rings (most in a minute),
    first_ms, last_ms, wall_buckets and wall_counts of the endpoint ("": of all)."""
    return store.query("pool_requests", service=service, endpoint=endpoint, **_bounds(window))


def pool_workers(store: Store, window: Window, service: str) -> pa.Table:
    """host, pid, requests, first_ms, last_ms."""
    return store.query("pool_workers", service=service, **_bounds(window))


def pool_metrics(store: Store, window: Window, service: str) -> pa.Table:
    """host, metric, labels, mean, most, total, oldest, newest, first_ms, last_ms."""
    return store.query("pool_metrics", service=service, **_bounds(window))


def _bounds(window: Window) -> dict[str, int]:
    return {"from_ms": window.from_ms, "to_ms": window.to_ms}
