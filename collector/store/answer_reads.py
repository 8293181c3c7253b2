"""Reads behind the answers: endpoints, series, services, hosts, changes, limits, sizes.

Each function runs one query file, or its twin over raw rows where the window does not fall on
minutes (`rolled_up`). Times are UTC ms; sums are of weight x value, f64.
"""

from collections.abc import Sequence

import pyarrow as pa

from collector.answers.records import Window
from collector.answers.windows import rolled_up
from collector.store.store import Store

__all__ = [
    "changes",
    "endpoint_sums",
    "host_metrics",
    "host_rows",
    "host_samples",
    "host_workers",
    "hosts_heard",
    "limit_hits",
    "series_sums",
    "services",
    "table_sizes",
    "trace_spans",
]


def endpoint_sums(store: Store, window: Window, service: str) -> pa.Table:
    """endpoint, kind, cost_unit, the sums, wall_buckets, wall_counts, last_seen_ms, releases."""
    minutes = rolled_up(window)
    name = "endpoints_minutes" if minutes else "endpoints_raw"
    return store.query(name, service=service, **_bounds(minutes or window))


def series_sums(
    store: Store, window: Window, service: str, endpoint: str, *, step_ms: int, raw: bool
) -> pa.Table:
    """step_start_ms, release, cost_unit, the sums, wall_buckets, wall_counts, last_seen_ms."""
    name = "series_raw" if raw else "series_minutes"
    return store.query(name, service=service, endpoint=endpoint, step_ms=step_ms, **_bounds(window))


def services(store: Store) -> pa.Table:
    """service, hosts, regions, last_seen_ms."""
    return store.query("services")


def changes(store: Store, window: Window, service: str) -> pa.Table:
    """ts_ms, service, kind, release, previous, commits, changed_functions, note; oldest first."""
    return store.query("changes", service=service, **_bounds(window))


def host_rows(store: Store, window: Window, service: str) -> pa.Table:
    """service, host, newest_region, newest_cost_unit, releases, requests, last_seen_ms,
    newest_minute_ms."""
    return store.query("hosts", service=service, **_bounds(_minutes(window)))


def host_workers(store: Store, window: Window, service: str) -> pa.Table:
    """service, host, workers: those that served in the host's last two minutes."""
    return store.query("host_workers", service=service, **_bounds(_minutes(window)))


def host_samples(store: Store, window: Window, service: str) -> pa.Table:
    """service, host, sample_count, last_seen_ms."""
    return store.query("host_samples", service=service, **_bounds(window))


def host_metrics(
    store: Store, window: Window, service: str, hosts: Sequence[str] | None = None
) -> pa.Table:
    """service, host, metric, words (its labels, `k=v`), newest (its newest value), last_seen_ms;
    of hosts and of their workers, of these hosts or of all."""
    return store.query(
        "host_metrics",
        service=service,
        all_hosts=int(hosts is None),
        named_hosts=list(hosts or ()),
        **_bounds(window),
    )


def hosts_heard(store: Store, window: Window, service: str, but: Sequence[str]) -> pa.Table:
    """service, host: those with metrics in the window, but for these hosts."""
    return store.query("hosts_heard", service=service, named_hosts=list(but), **_bounds(window))


def limit_hits(store: Store, window: Window, service: str) -> pa.Table:
    """service, host, where, what, hits; most hits first."""
    return store.query("limits", service=service, **_bounds(window))


def table_sizes(store: Store) -> pa.Table:
    """name, rows, bytes (on disk)."""
    return store.query("table_sizes")


def trace_spans(store: Store, trace_id: str, spans_max: int) -> pa.Table:
    """The columns of SpanRow, with started_ns (u64) for offset_ns; in order of time."""
    return store.query("trace_spans", trace_id=trace_id, spans_max=spans_max)


def _bounds(window: Window) -> dict[str, int]:
    return {"from_ms": window.from_ms, "to_ms": window.to_ms}


def _minutes(window: Window) -> Window:
    """The whole minutes around a window, for what only the roll-ups know."""
    start, end = window.from_ms // 60_000, -(-window.to_ms // 60_000)
    return Window(start * 60_000, end * 60_000)
