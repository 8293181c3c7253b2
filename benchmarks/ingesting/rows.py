"""Batches in the shape that agents send: few endpoints that are asked much, many that are not."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from profiler.vocabulary import WIRE
from profiler.wire import SCHEMAS

__all__ = ["FLUSH_S", "SERVICE", "flush", "request_rows", "stream"]

SERVICE = "photos"
#: An agent sends what it has this often.
FLUSH_S = 5
ENDPOINTS = 60
STACKS = 500
#: One flush of a host that serves 20 requests a second.
REQUESTS, SAMPLES, METRICS, NEW_STACKS = 20 * FLUSH_S, 20, 60, 10
FRAMES = 25
NOTHING: Mapping[str, Any] = {"str": "", "text": "", "str[]": []}


def request_rows(rng: np.random.Generator, n: int, host: str, start_ms: int) -> pa.Table:
    """`n` requests that one host served within FLUSH_S from `start_ms`."""
    endpoint = (rng.zipf(1.3, n) - 1) % ENDPOINTS
    clock = (1e6 * (1 + endpoint % 9) * rng.lognormal(0, 0.3, n)).astype(np.uint64)
    db_ns = rng.lognormal(14.5, 0.6, n).astype(np.uint64)
    failed = rng.random(n) < 0.01
    worker = rng.integers(1, 9, n)
    ring = rng.integers(1, 2**62, 9).astype(np.uint64)
    calls = rng.integers(1, 4, n)
    return _table(
        "requests",
        n,
        ts_ms=np.sort(rng.integers(start_ms, start_ms + 1000 * FLUSH_S, n)),
        host=host,
        region="eu",
        ring_id=ring[worker],
        seq=np.arange(1, n + 1),
        pid=1000 + worker,
        worker=worker,
        worker_req=np.arange(1, n + 1) // 8 + 1,
        worker_age_s=rng.integers(0, 80_000, n),
        cpu_model="AMD EPYC 7B13",
        weight=1.0,
        release="4c7cbaf",
        runtime="cpython 3.11.7",
        endpoint=[f"GET /api/v1/things{i}/<int:id>/" for i in endpoint],
        kind="http",
        status=np.where(failed, 500, 200),
        outcome=np.where(failed, "error", "ok"),
        wall_ns=clock + db_ns,
        cost=clock,
        cost_unit="cpu_ns",
        task_clock_ns=clock,
        ctx_switches=rng.integers(0, 9, n),
        db_ns=db_ns,
        db_calls=calls,
        cache_ns=rng.integers(0, 400_000, n),
        cache_calls=rng.integers(0, 4, n),
        gc_ns=rng.integers(0, 50_000, n) * (rng.random(n) < 0.1),
        statement_fps=[[int(one) + 1, int(one) + 2] for one in endpoint],
        statement_calls=[[int(one), 1] for one in calls],
        statement_ns=[[900_000, 100_000]] * n,
        flags=[["new_ranker=on", "theme=dark"] if one % 2 else [] for one in worker],
        trace_id=[f"{a:016x}{b:016x}" for a, b in rng.integers(1, 2**62, (n, 2))],
        user_hash=rng.integers(1, 2**62, n),
        error_fp=np.where(failed, 77, 0),
    )


def flush(rng: np.random.Generator, host: str, start_ms: int) -> dict[str, pa.Table]:
    """What one agent sends at once, by table."""
    stack = (rng.zipf(1.3, SAMPLES) - 1) % STACKS
    samples = rng.integers(1, 20, SAMPLES)
    asked = [f"GET /api/v1/things{i % ENDPOINTS}/<int:id>/" for i in stack]
    common = {"host": host, "region": "eu"}
    return {
        "requests": request_rows(rng, REQUESTS, host, start_ms),
        "stack_samples": _table(
            "stack_samples", SAMPLES, ts_ms=start_ms, ring_id=1, pid=1000, worker=1,
            release="4c7cbaf", endpoint=asked, stack_id=stack + 1, samples=samples,
            weight_s=samples * 0.05, window_ms=10_000, **common,
        ),
        "metrics": _table(
            "metrics", METRICS, ts_ms=start_ms, kind="gauge", unit="bytes", source="worker",
            name=[f"worker_number_{i % 12}_bytes" for i in range(METRICS)],
            labels=[[f"pid={1000 + i // 12}"] for i in range(METRICS)],
            value=rng.random(METRICS), **common,
        ),
        "stacks": _table(
            "stacks", NEW_STACKS, ts_ms=start_ms, stack_id=rng.integers(1, STACKS, NEW_STACKS),
            frames=[[f"photos.views{i}:part{k}" for k in range(FRAMES)] for i in range(NEW_STACKS)],
            lines=[list(range(FRAMES))] * NEW_STACKS, origins=[[0] * FRAMES] * NEW_STACKS, **common,
        ),
    }  # fmt: skip


def stream(table: pa.Table) -> bytes:
    """The body of a batch."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _table(table: str, n: int, /, **columns: Any) -> pa.Table:
    """Columns given (one value for all rows, or one a row), nothing in the others."""
    arrays = {}
    for column in WIRE[table]:
        given = SERVICE if column.name == "service" else NOTHING.get(column.type, 0)
        value = columns.get(column.name, given)
        alike = isinstance(value, str | int | float) or (column.type.endswith("[]") and not value)
        field = SCHEMAS[table].field(column.name)
        arrays[column.name] = pa.array([value] * n if alike else value, field.type)
    return pa.table(arrays)
