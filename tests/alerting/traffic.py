"""Requests with a known number of bad ones, put into a real store."""

import uuid
from typing import Any

import numpy as np

from collector.store.store import Store
from tests.collector.rows import START_MS, table_of

FEED = "GET /api/v1/feed/"
SERVICE = "shop"
MINUTE_MS = 60_000

__all__ = ["FEED", "MINUTE_MS", "SERVICE", "START_MS", "put_requests"]


def put_requests(
    store: Store,
    *,
    start_ms: int,
    span_ms: int,
    n: int,
    wall_ms: Any = 40.0,
    **columns: Any,
) -> None:
    """`n` requests evenly over [start_ms, start_ms + span_ms)."""
    given: dict[str, Any] = {
        "service": SERVICE,
        "host": "web-1",
        "region": "eu",
        "release": "r1",
        "endpoint": FEED,
        "kind": "http",
        "status": 200,
        "outcome": "ok",
        "weight": 1.0,
        "cost": 5_000_000,
        "cost_unit": "cpu_ns",
        "task_clock_ns": 5_000_000,
        "worker_req": 5_000,
        "worker_age_s": 5_000,
        **columns,
    }
    wall_ns = (np.broadcast_to(np.asarray(wall_ms, dtype=float), n) * 1e6).astype(np.uint64)
    rows = table_of(
        "requests",
        n,
        ts_ms=start_ms + np.arange(n) * span_ms // n,
        ring_id=1,
        seq=np.arange(1, n + 1),
        wall_ns=wall_ns,
        **given,
    )
    store.insert("requests", rows, uuid.uuid4().hex)
