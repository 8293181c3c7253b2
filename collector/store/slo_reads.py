"""What SLOs are judged from: one typed function per query file `slo_*.sql`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.answers.windows import MINUTE_MS
from collector.store.store import Store

__all__ = [
    "BadPart",
    "BadRequest",
    "HeadlineHour",
    "MetricSet",
    "SloNumber",
    "TimeByPart",
    "bad_by",
    "bad_requests",
    "first_by_service",
    "headline_hours",
    "metric_minutes",
    "metric_sets",
    "newest_by_service",
    "slo_numbers",
    "time_by_part",
]


@dataclass(frozen=True, slots=True)
class BadPart:
    """The requests of one release, region and endpoint; `first_ms`: the first of them."""

    release: str
    region: str
    endpoint: str
    total: float
    bad: float
    first_ms: int


@dataclass(frozen=True, slots=True)
class BadRequest:
    """One request that was not good. `traced`: its spans were kept."""

    ts_ms: int
    endpoint: str
    release: str
    region: str
    host: str
    status: int
    outcome: str
    wall_ms: float
    trace_id: str
    traced: bool
    error_fp: int


@dataclass(frozen=True, slots=True)
class TimeByPart:
    """Where the time of a request went: means per request, ms."""

    requests: float
    wall_ms: float
    cpu_ms: float
    db_ms: float
    cache_ms: float
    rpc_ms: float


@dataclass(frozen=True, slots=True)
class MetricSet:
    """The points of one metric of one host and set of labels in a window."""

    service: str
    host: str
    labels: tuple[str, ...]
    points: float
    summed: float
    lowest: float
    highest: float
    newest: float
    newest_ms: int
    unit: str


@dataclass(frozen=True, slots=True)
class HeadlineHour:
    """A service's hour: what all requests cost, and for how many users."""

    service: str
    unit: str
    days_ago: int
    requests: float
    cost: float
    users: float


@dataclass(frozen=True, slots=True)
class SloNumber:
    """One number of the newest evaluation of one SLO."""

    service: str
    name: str
    value: float
    labels: dict[str, str]
    ts_ms: int


def bad_by(
    store: Store,
    *,
    from_ms: int,
    to_ms: int,
    service: str,
    endpoint: str,
    good: str,
    threshold_ms: int,
    limit: int = 20,
) -> list[BadPart]:
    """By release, region and endpoint, most bad requests first."""
    rows = store.query(
        "slo_bad_by",
        from_ms=from_ms,
        to_ms=to_ms,
        service=service,
        endpoint=endpoint,
        good=good,
        threshold_ns=threshold_ms * 1_000_000,
        limit=limit,
    )
    return [
        BadPart(
            r["release"],
            r["region"],
            r["endpoint"],
            r["all_requests"],
            r["bad_requests"],
            r["first_ms"],
        )
        for r in rows.to_pylist()
    ]


def time_by_part(
    store: Store, *, from_ms: int, to_ms: int, service: str, endpoint: str, parts: int = 1
) -> list[TimeByPart]:
    """Means per request in each of `parts` equal parts of the window that have requests."""
    rows = store.query(
        "slo_time_by_part",
        from_ms=from_ms,
        to_ms=to_ms,
        service=service,
        endpoint=endpoint,
        parts=parts,
    ).to_pylist()
    columns = ("wall_ms", "cpu_ms", "db_ms", "cache_ms", "rpc_ms")
    return [
        TimeByPart(row["all_requests"], *(row[column] / row["all_requests"] for column in columns))
        for row in rows
        if row["all_requests"] > 0
    ]


def bad_requests(
    store: Store,
    *,
    from_ms: int,
    to_ms: int,
    service: str,
    endpoint: str,
    good: str,
    threshold_ms: int,
    limit: int,
) -> list[BadRequest]:
    """The slowest bad requests, those whose traces were kept first."""
    rows = store.query(
        "slo_bad_requests",
        from_ms=from_ms,
        to_ms=to_ms,
        service=service,
        endpoint=endpoint,
        good=good,
        threshold_ns=threshold_ms * 1_000_000,
        limit=limit,
    ).to_pylist()
    return [
        BadRequest(
            row["ts_ms"],
            row["endpoint"],
            row["release"],
            row["region"],
            row["host"],
            row["status"],
            row["outcome"],
            row["wall_ns"] / 1e6,
            row["trace_id"],
            bool(row["trace_sampled"]),
            row["error_fp"],
        )
        for row in rows
    ]


def metric_sets(
    store: Store, *, from_ms: int, to_ms: int, name: str, service: str
) -> list[MetricSet]:
    """What the points of a metric in the window come to, by service, host and labels."""
    rows = store.query("metric_sets", from_ms=from_ms, to_ms=to_ms, metric=name, service=service)
    return [_metric_set(row) for row in rows.to_pylist()]


def metric_minutes(
    store: Store, *, from_ms: int, to_ms: int, name: str, service: str
) -> list[tuple[int, MetricSet]]:
    """The same by the minute, oldest first, each with the end of its minute."""
    asked: dict[str, str | int] = {
        "metric": name,
        "service": service,
        "hosts": 0,
        "step_ms": MINUTE_MS,
    }
    rows = store.query("metric_steps", from_ms=from_ms, to_ms=to_ms, **asked)
    return [(row["step_start_ms"] + MINUTE_MS, _metric_set(row)) for row in rows.to_pylist()]


def headline_hours(store: Store, *, from_ms: int, to_ms: int, service: str) -> list[HeadlineHour]:
    """The hour before `to_ms`, and the same hour of the days before, by service and unit."""
    rows = store.query("headline_hours", from_ms=from_ms, to_ms=to_ms, service=service)
    return [
        HeadlineHour(
            r["service"],
            r["cost_unit"],
            r["days_ago"],
            r["requests"],
            r["cost_of_all"],
            r["active"],
        )
        for r in rows.to_pylist()
    ]


def first_by_service(store: Store) -> dict[str, int]:
    """The first request of each service that is kept, UTC ms."""
    rows = store.query("service_first").to_pylist()
    return {row["service"]: row["first_seen_ms"] for row in rows}


def newest_by_service(store: Store, *, from_ms: int) -> dict[str, int]:
    """The newest request or measurement of each service since `from_ms`."""
    rows = store.query("slo_newest", from_ms=from_ms)
    return {r["service"]: r["seen_ms"] for r in rows.to_pylist()}


def slo_numbers(store: Store, *, from_ms: int, to_ms: int, limit: int) -> list[SloNumber]:
    """The newest numbers of each SLO that was evaluated in the window."""
    rows = store.query("slo_states", from_ms=from_ms, to_ms=to_ms, limit=limit)
    return [
        SloNumber(
            r["service"],
            r["name"],
            r["newest_value"],
            _named(r["newest_labels"]),
            r["newest_ms"],
        )
        for r in rows.to_pylist()
    ]


def _metric_set(row: Mapping[str, Any]) -> MetricSet:
    return MetricSet(
        row["service"],
        row["host"],
        tuple(row["labelled"].split("\n")) if row["labelled"] else (),
        row["points"],
        row["summed"],
        row["lowest"],
        row["highest"],
        row["newest"],
        row["newest_ms"],
        row["unit_of"],
    )


def _named(labels: Sequence[str]) -> dict[str, str]:
    parts = (label.partition("=") for label in labels)
    return {name: value for name, _, value in parts}
