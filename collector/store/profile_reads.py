"""Reads behind deep profiles. Each function runs one query file; times are UTC ms."""

import pyarrow as pa

from collector.answers.records import Window
from collector.store.store import Store

__all__ = ["function_costs", "profiled_requests"]


def function_costs(
    store: Store, window: Window, service: str, endpoint: str, release: str = ""
) -> pa.Table:
    """cost_unit, function, caller, call_count, self_total, inclusive_total; dearest first."""
    return store.query("function_costs", **_bounds(window, service, endpoint, release))


def profiled_requests(
    store: Store, window: Window, service: str, endpoint: str, release: str = ""
) -> pa.Table:
    """cost_unit, requests, last_seen_ms, releases; most requests first."""
    return store.query("profiled_requests", **_bounds(window, service, endpoint, release))


def _bounds(window: Window, service: str, endpoint: str, release: str) -> dict[str, str | int]:
    return {
        "from_ms": window.from_ms,
        "to_ms": window.to_ms,
        "service": service,
        "endpoint": endpoint,
        "release": release,
    }
