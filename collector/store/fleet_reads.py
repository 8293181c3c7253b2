"""Further reads of a side: sorts of requests, peak minutes, restarts, counted calls."""

import pyarrow as pa

from collector.answers.sides import Side
from collector.store.reads import side_filters
from collector.store.store import Store

__all__ = ["calls", "peak_minutes", "profiled", "traffic_groups", "young_workers"]


def traffic_groups(
    store: Store,
    side: Side,
    service: str,
    endpoint: str,
    *,
    by_flags: bool,
    warmup_requests: int,
    warmup_s: int,
    rows_max: int,
) -> pa.Table:
    """endpoint, cost_unit, kind, status, flag_set (name=value, joined by \\x1f; "" without
    `by_flags`), warm (u8), n, cost_sum (f64); the most frequent `rows_max`."""
    return store.query(
        "traffic_groups",
        by_flags=int(by_flags),
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        rows_max=rows_max,
        **side_filters(side, service, endpoint),
    )


def peak_minutes(store: Store, side: Side, service: str, endpoint: str) -> pa.Table:
    """minute (since 1970), cost_unit, n, cost_sum (f64), users: the busiest whole minute of each
    unit in which a user was known."""
    return store.query("peak_minutes", **side_filters(side, service, endpoint))


def young_workers(
    store: Store,
    side: Side,
    service: str,
    endpoint: str,
    *,
    warmup_requests: int,
    warmup_s: int,
) -> int:
    """How many workers served requests of their warm-up: restarts, as far as traffic saw them."""
    rows = store.query(
        "young_workers",
        warmup_requests=warmup_requests,
        warmup_s=warmup_s,
        **side_filters(side, service, endpoint),
    )
    return int(rows["workers"][0].as_py())


def calls(store: Store, side: Side, service: str, endpoint: str) -> pa.Table:
    """endpoint, caller, function, call_count; in deeply profiled requests."""
    return store.query("calls", **side_filters(side, service, endpoint))


def profiled(store: Store, side: Side, service: str, endpoint: str) -> dict[str, int]:
    """The deeply profiled requests of each endpoint."""
    rows = store.query("calls_requests", **side_filters(side, service, endpoint)).to_pylist()
    return {row["endpoint"]: row["profiled"] for row in rows}
