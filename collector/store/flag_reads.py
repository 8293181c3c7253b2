"""Reads behind the flag sweep."""

import pyarrow as pa

from collector.answers.records import Window
from collector.store.store import Store

__all__ = ["flag_sums"]


def flag_sums(
    store: Store,
    window: Window,
    service: str,
    endpoint: str,
    *,
    warmup_requests: int,
    warmup_s: int,
) -> pa.Table:
    """flag (name=value), endpoint, cost_unit, user_group (0..15), n, cost_sum (f64), users."""
    return store.query(
        "flag_sums",
        from_ms=window.from_ms,
        to_ms=window.to_ms,
        service=service,
        endpoint=endpoint,
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
    )
