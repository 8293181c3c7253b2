"""Reads behind the answers: endpoints, series, services, hosts, changes, limits, sizes.

Each function runs one query file, or its twin over raw rows where the window does not fall on
minutes (`rolled_up`). Times are UTC ms; sums are of weight x value, f64.
"""

from collections.abc import Sequence

import pyarrow as pa

from collector.answers.records import Window
from collector.answers.windows import rolled_up
from collector.store.store import DAY_MS, Store

__all__ = [
    "began_ms",
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

#: Of endpoint_steps, the smallest of single endpoints.
STEP_MS = 300_000


def endpoint_sums(store: Store, window: Window, service: str) -> pa.Table:
    """endpoint, kind, cost_unit, the sums, wall_buckets, wall_counts, last_seen_ms, releases."""
    minutes = rolled_up(window)
    if minutes is None:
        return store.query("endpoints_raw", service=service, **_bounds(window))
    return store.query(
        "endpoints_minutes", service=service, **_bounds(_in_steps(store, minutes, service))
    )


def _in_steps(store: Store, minutes: Window, service: str) -> Window:
    """Where nothing came after the window, its last minutes are all of a larger step."""
    to_ms = -(-minutes.to_ms // STEP_MS) * STEP_MS
    later = store.query("minutes_since", service=service, from_ms=minutes.to_ms)
    return minutes if later["minutes"][0].as_py() else Window(minutes.from_ms, to_ms)


def began_ms(store: Store, service: str, before_ms: int) -> int:
    """The first request of a service, UTC ms, or the start of its day where that is before a time;
    0 without one."""
    (day,) = store.query("service_began", service=service).to_pylist()
    if not day["seen"] or day["day_ms"] + DAY_MS <= before_ms:
        return int(day["day_ms"])
    first = store.query("release_order", service=service)["first_seen_ms"].to_pylist()
    return int(min(first, default=0))


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
    table = store.query("host_samples", service=service, **_bounds(window))
    return table.rename_columns(["service", "host", "sample_count", "last_seen_ms"])


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
