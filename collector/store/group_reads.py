"""Reads of a side whose hosts are many: summed by groups of hosts in the engine, so that an answer
is no larger with a thousand hosts than with as many as there are groups."""

import pyarrow as pa

from collector.answers.sides import Side
from collector.store.reads import side_filters
from collector.store.store import Store

__all__ = ["GROUPS", "request_groups", "request_times", "side_hosts", "stack_groups"]

#: Groups of hosts, by a hash of their names: a host is in the same one on both sides.
GROUPS = 64


def side_hosts(
    store: Store,
    side: Side,
    service: str,
    endpoint: str,
    *,
    warmup_requests: int,
    warmup_s: int,
) -> pa.Table:
    """host, host_group (u8, below GROUPS), seen, first_ms, last_ms, young (requests of a worker's
    warm-up); by host."""
    return store.query(
        "side_hosts",
        groups=GROUPS,
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        **side_filters(side, service, endpoint),
    )


def request_groups(
    store: Store,
    side: Side,
    service: str,
    endpoint: str,
    *,
    step_ms: int,
    warmup_requests: int,
    warmup_s: int,
) -> pa.Table:
    """Of `reads.request_windows` by host_group (u8) and step (ts_ms intDiv step_ms) in place of
    host and window: endpoint, kind, cost_unit, cpu_model, warm, n, errors, cost_sum,
    task_clock_sum (f64)."""
    return store.query(
        "request_groups",
        groups=GROUPS,
        step_ms=step_ms,
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        **side_filters(side, service, endpoint),
    )


def request_times(
    store: Store,
    side: Side,
    service: str,
    endpoint: str,
    *,
    window_ms: int,
    warmup_requests: int,
    warmup_s: int,
) -> pa.Table:
    """Of `reads.request_windows`, over all hosts: win, endpoint, cost_unit, cpu_model, warm, n,
    cost_sum (f64)."""
    return store.query(
        "request_times",
        window_ms=window_ms,
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        **side_filters(side, service, endpoint),
    )


def stack_groups(
    store: Store,
    side: Side,
    service: str,
    endpoint: str,
    *,
    by_hour: bool,
    has_young: bool,
    young_ms: int,
    warmup_requests: int,
    warmup_s: int,
) -> pa.Table:
    """host_group (u8), hour (since 1970; 0 without `by_hour`), endpoint, stack_id, contended (u8),
    samples (u64), weight_s. Without samples from windows of `young_ms` in which their host mostly
    served requests of its warm-up; `has_young`: whether there were any such requests."""
    table = store.query(
        "stack_groups",
        groups=GROUPS,
        by_hour=int(by_hour),
        has_young=int(has_young),
        young_ms=young_ms,
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        **side_filters(side, service, endpoint),
    )
    names = ["host_group", "hour", "endpoint", "stack_id", "contended", "samples", "weight_s"]
    return table.rename_columns(names)
