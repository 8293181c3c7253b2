"""Reads of one side of a comparison: requests and samples per host and window, releases, deploys.

Each function runs one query file. Columns are named in the docstrings; times are UTC ms.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from collector.answers.sides import Side
from collector.store.store import Store
from profiler.histogram import quantile_ns

__all__ = [
    "clock_sums",
    "deploy_of",
    "latency_quantiles",
    "release_order",
    "request_windows",
    "side_filters",
    "side_span",
    "stack_sums",
    "stack_windows",
    "stacks",
]

NS_PER_MS = 1e6
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def request_windows(
    store: Store,
    side: Side,
    service: str,
    endpoint: str = "",
    *,
    window_ms: int,
    warmup_requests: int = 200,
    warmup_s: int = 120,
) -> pa.Table:
    """Sums of weight x value: host, win (ts_ms intDiv window_ms), endpoint, kind, cost_unit,
    cpu_model, warm (u8: 1 past the warm-up), n (u64, not killed), killed, errors (u64, of both),
    cost_sum, cost_sq (in cost_unit), task_clock_sum, wall_sum (ns, f64).

    A request is warm-up while worker_req <= warmup_requests and worker_age_s <= warmup_s. Killed
    requests are in `killed` and `errors` only. Error rate = errors / (n + killed).
    """
    table = store.query(
        "request_windows",
        window_ms=window_ms,
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        **side_filters(side, service, endpoint),
    )
    return _counted(table, "n", "killed", "errors")


def host_load(store: Store, side: Side, *, window_ms: int) -> pa.Table:
    """CPU use of the side's hosts: host, win, load (percent, f64)."""
    return store.query(
        "host_load", window_ms=window_ms, host=side.host, from_ms=side.from_ms, to_ms=side.to_ms
    )


def side_span(store: Store, side: Side, service: str, endpoint: str = "") -> tuple[int, int]:
    """Time of the first and the last request of a side, UTC ms; (0, 0) where there is none."""
    row = store.query("side_span", **side_filters(side, service, endpoint)).to_pylist()[0]
    return (row["first_ms"], row["last_ms"]) if row["seen"] else (0, 0)


def latency_quantiles(store: Store, side: Side, service: str, endpoint: str = "") -> pa.Table:
    """endpoint, p50, p95, p99 (ms, nan without data), requests, errors (u64)."""
    table = store.query("latency", **side_filters(side, service, endpoint))
    columns = _quantile_columns(table)
    counts = table.select(["endpoint", "requests", "errors"])
    for name, values in columns.items():
        counts = counts.append_column(name, pa.array(values, pa.float64()))
    return _counted(counts, "requests", "errors")


def stack_windows(
    store: Store, side: Side, service: str, endpoint: str = "", *, window_ms: int
) -> pa.Table:
    """host, win, endpoint, stack_id, samples (u64), weight_s, contended (share of weight, 0..1)."""
    table = store.query(
        "stack_windows", window_ms=window_ms, **side_filters(side, service, endpoint)
    )
    return table.rename_columns(
        ["host", "win", "endpoint", "stack_id", "samples", "weight_s", "contended"]
    )


def stack_sums(store: Store, side: Side, service: str, endpoint: str = "") -> pa.Table:
    """stack_id, samples (u64), weight_s: `stack_windows` without hosts, windows and endpoints."""
    table = store.query("stack_sums", **side_filters(side, service, endpoint))
    return table.rename_columns(["stack_id", "samples", "weight_s"])


def clock_sums(store: Store, side: Side, service: str, endpoint: str) -> tuple[float, float]:
    """Requests of an endpoint that were not killed, and their thread CPU time, ns; of the side
    only release and window are regarded."""
    row = store.query(
        "clock_sums",
        service=service,
        endpoint=endpoint,
        release=side.release,
        from_ms=side.from_ms,
        to_ms=side.to_ms,
    ).to_pylist()[0]
    return row["n"], row["task_clock_sum"]


def stacks(store: Store, stack_ids: Sequence[int]) -> pa.Table:
    """stack_id, frames, lines, origins: one row for each id that is stored."""
    return store.query("stacks", stack_ids=[int(stack_id) for stack_id in stack_ids])


def release_order(store: Store, service: str) -> pa.Table:
    """release, first_ms, last_ms, by first request, oldest first."""
    table = store.query("release_order", service=service)
    return table.rename_columns(["release", "first_ms", "last_ms"])


def deploy_of(store: Store, service: str, release: str) -> pa.Table:
    """The newest deploy of a release, 0 or 1 rows: ts_ms, service, kind, release, previous,
    commits, changed_functions, note."""
    return store.query("deploy_of", service=service, release=release)


def side_filters(side: Side, service: str, endpoint: str) -> dict[str, str | int]:
    """The parameters by which every query of a side chooses its rows."""
    return {
        "service": service,
        "endpoint": endpoint,
        "release": side.release,
        "host": side.host,
        "region": side.region,
        "runtime": side.runtime,
        "flag": side.flag,
        "from_ms": side.from_ms,
        "to_ms": side.to_ms,
    }


def _counted(table: pa.Table, *names: str) -> pa.Table:
    """Weighted counts (f64) as whole numbers (u64)."""
    for name in names:
        whole = np.rint(table[name].to_numpy()).astype(np.uint64)
        table = table.set_column(table.column_names.index(name), name, pa.array(whole))
    return table


def _quantile_columns(table: pa.Table) -> dict[str, list[float]]:
    histograms = [
        (np.array(buckets, np.int32), np.rint(counts).astype(np.uint64))
        for buckets, counts in zip(
            table["wall_buckets"].to_pylist(), table["wall_counts"].to_pylist(), strict=True
        )
    ]
    return {
        name: [quantile_ns(buckets, counts, share) / NS_PER_MS for buckets, counts in histograms]
        for name, share in QUANTILES.items()
    }
