"""Errors by fingerprint: one typed function per query file `error*.sql`."""

from dataclasses import dataclass

from collector.store.store import Store

__all__ = [
    "ErrorCount",
    "ErrorGroup",
    "ErrorMinute",
    "error_counts",
    "error_groups",
    "error_minutes",
]


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """One fingerprint of a service: how often in the newest stretch, and the most in any before."""

    service: str
    error_fp: int
    first_ms: int
    last_ms: int
    now: int
    before: int
    all: int


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """One fingerprint of a service in a window; message, frames and trace of the newest event."""

    service: str
    error_fp: int
    type: str
    message: str
    frames: tuple[str, ...]
    trace_id: str
    events: int
    first_ms: int
    last_ms: int
    releases: tuple[str, ...]
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErrorMinute:
    """How often one fingerprint of a service came in the minute that ends at `until_ms`."""

    service: str
    error_fp: int
    type: str
    until_ms: int
    events: int
    first_ms: int
    last_ms: int


def error_counts(
    store: Store, *, to_ms: int, length_ms: int, service: str = "", limit: int = 10_000
) -> list[ErrorCount]:
    """Of every fingerprint that is kept; stretches of `length_ms` end at `to_ms`."""
    rows = store.query(
        "error_counts", to_ms=to_ms, length_ms=length_ms, service=service, limit=limit
    ).to_pylist()
    return [
        ErrorCount(
            r["service"],
            r["error_fp"],
            r["first_seen_ms"],
            r["last_seen_ms"],
            r["now_n"],
            r["before_n"],
            r["all_n"],
        )
        for r in rows
    ]


def error_groups(
    store: Store, *, from_ms: int, to_ms: int, service: str = "", error_fp: int = 0, limit: int
) -> list[ErrorGroup]:
    """The most frequent first."""
    rows = store.query(
        "errors_grouped",
        from_ms=from_ms,
        to_ms=to_ms,
        service=service,
        error_fp=error_fp,
        limit=limit,
    ).to_pylist()
    return [
        ErrorGroup(
            r["service"],
            r["error_fp"],
            r["newest_type"],
            r["newest_message"],
            tuple(r["newest_frames"]),
            r["newest_trace"],
            r["events"],
            r["first_ms"],
            r["last_ms"],
            tuple(r["releases"]),
            tuple(r["endpoints"]),
        )
        for r in rows
    ]


def error_minutes(store: Store, *, to_ms: int, service: str = "") -> list[ErrorMinute]:
    """Every minute before `to_ms` that is kept and has errors, by fingerprint, oldest first."""
    rows = store.query("error_minutes", to_ms=to_ms, service=service).to_pylist()
    return [
        ErrorMinute(
            r["service"],
            r["error_fp"],
            r["some_type"],
            r["until_ms"],
            r["n"],
            r["first_ms"],
            r["last_ms"],
        )
        for r in rows
    ]
