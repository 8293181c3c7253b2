"""Reads of two releases at the same minutes. Each function runs one query file; times are UTC ms,
windows are ts_ms intDiv window_ms."""

from collections.abc import Mapping

import pyarrow as pa

from collector.answers.records import Window
from collector.store.store import Store

__all__ = [
    "canary_memory",
    "canary_statuses",
    "canary_windows",
    "canary_workers",
    "release_minutes",
]


def release_minutes(
    store: Store, window: Window, service: str, release: str, endpoint: str
) -> pa.Table:
    """minute (since 1970), first_ms, last_seen_ms: those in which the release served."""
    return store.query(
        "release_minutes", service=service, release=release, endpoint=endpoint, **_bounds(window)
    )


def canary_windows(
    store: Store,
    window: Window,
    service: str,
    release: str,
    control: str,
    limits_ns: Mapping[str, int],
    *,
    window_ms: int,
    warmup_requests: int,
    warmup_s: int,
) -> pa.Table:
    """host, win, release, endpoint, cost_unit, cpu_model, warm (u8), n (not killed), every,
    errors, cost_sum, slow (f64), last_seen_ms. `limits_ns`: wall time by endpoint; others are
    left out."""
    return store.query(
        "canary_windows", service=service, release=release, control=control,
        endpoints=list(limits_ns), limits_ns=list(limits_ns.values()), window_ms=window_ms,
        warmup_requests=warmup_requests, warmup_s=warmup_s, **_bounds(window),
    )  # fmt: skip


def canary_statuses(
    store: Store,
    window: Window,
    service: str,
    release: str,
    control: str,
    endpoint: str,
    *,
    window_ms: int,
) -> pa.Table:
    """host, win, release, endpoint, status, n (f64)."""
    return store.query(
        "canary_statuses", service=service, release=release, control=control,
        endpoint=endpoint, window_ms=window_ms, **_bounds(window),
    )  # fmt: skip


def canary_workers(
    store: Store, window: Window, service: str, release: str, control: str
) -> pa.Table:
    """host, pid, release, requests."""
    return store.query(
        "canary_workers", service=service, release=release, control=control, **_bounds(window)
    )


def canary_memory(store: Store, window: Window, service: str, *, window_ms: int) -> pa.Table:
    """host, win, words (labels), held_bytes (sum of the readings), readings."""
    return store.query("canary_memory", service=service, window_ms=window_ms, **_bounds(window))


def _bounds(window: Window) -> dict[str, int]:
    return {"from_ms": window.from_ms, "to_ms": window.to_ms}
