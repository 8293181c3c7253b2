"""What SLOs are judged from: one typed function per query file `slo_*.sql`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.store.store import Store

__all__ = [
    "BadPart",
    "SliceCount",
    "SloNumber",
    "TimeByPart",
    "bad_by",
    "newest_by_service",
    "slice_edges",
    "slice_counts",
    "slo_numbers",
    "time_by_part",
]


@dataclass(frozen=True, slots=True)
class SliceCount:
    """Requests of one service in one slice of age; `good` of `total`."""

    service: str
    slice: int
    good: float
    total: float


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
class TimeByPart:
    """Where the time of a request went: means per request, ms."""

    requests: float
    wall_ms: float
    cpu_ms: float
    db_ms: float
    cache_ms: float
    rpc_ms: float


@dataclass(frozen=True, slots=True)
class SloNumber:
    """One number of the newest evaluation of one SLO."""

    service: str
    name: str
    value: float
    labels: dict[str, str]
    ts_ms: int


def slice_counts(
    store: Store,
    *,
    from_ms: int,
    raw_from_ms: int,
    to_ms: int,
    windows_ms: Sequence[int],
    parts: int,
    service: str,
    endpoint: str,
    good: str,
    threshold_ms: int,
) -> list[SliceCount]:
    """Counts by slice of age before `to_ms`: see `slice_edges`.

    From `raw_from_ms` (a whole minute) on from raw requests; before it from the roll-up, of which
    only minutes that begin at or after `from_ms` count.
    """
    chosen: dict[str, Any] = {
        "to_ms": to_ms,
        "windows_ms": list(windows_ms),
        "rings": list(range(len(windows_ms))),
        "starts_ms": [0, *windows_ms[:-1]],
        "lengths_ms": [b - a for a, b in zip([0, *windows_ms], windows_ms, strict=False)],
        "parts": parts,
        "service": service,
        "endpoint": endpoint,
        "good": good,
        "threshold_ns": threshold_ms * 1_000_000,
    }
    rows = store.query("slo_counts", from_ms=max(from_ms, raw_from_ms), **chosen).to_pylist()
    if from_ms < raw_from_ms:
        rows += store.query(
            "slo_counts_minutes", from_ms=from_ms, until_ms=raw_from_ms, **chosen
        ).to_pylist()
    return [
        SliceCount(r["service"], r["slice"], r["good_requests"], r["all_requests"]) for r in rows
    ]


def slice_edges(windows_ms: Sequence[int], parts: int) -> list[int]:
    """The older end of each slice, as an age in ms: slice i holds ages in (edges[i - 1], edges[i]].

    The time between one window length and the next is cut into `parts`. `windows_ms` ascend.
    """
    return [
        start - (start - end) * part // parts  # rounded up
        for start, end in zip([0, *windows_ms], windows_ms, strict=False)
        for part in range(1, parts + 1)
    ]


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
    store: Store, *, from_ms: int, to_ms: int, service: str, endpoint: str
) -> TimeByPart | None:
    """Means per request; None without requests."""
    rows = store.query(
        "slo_time_by_part", from_ms=from_ms, to_ms=to_ms, service=service, endpoint=endpoint
    ).to_pylist()
    requests = rows[0]["all_requests"] if rows else 0
    if not requests:
        return None
    parts = ("wall_ms", "cpu_ms", "db_ms", "cache_ms", "rpc_ms")
    return TimeByPart(requests, *(rows[0][part] / requests for part in parts))


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


def _named(labels: Sequence[str]) -> dict[str, str]:
    parts = (label.partition("=") for label in labels)
    return {name: value for name, _, value in parts}
