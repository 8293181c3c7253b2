"""Unhandled exceptions by fingerprint: how often, since when, in which releases and endpoints."""

from dataclasses import dataclass

from collector.answers.records import Answer, Window
from collector.store.error_reads import error_counts, error_groups
from collector.store.store import Store

__all__ = ["ErrorRow", "errors"]

ROWS_MAX = 500


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One fingerprint (type and own-code frames); texts are of foreign origin.

    `error`: the fingerprint, 16 hex digits. `first_ms`, `last_ms`: in all that is kept; `events`,
    `releases`, `endpoints` in the window. Message, frames and trace are the newest event's.
    """

    error: str
    service: str
    type: str
    message: str
    frames: tuple[str, ...]
    events: int
    first_ms: int
    last_ms: int
    #: first seen in the window
    is_new: bool
    releases: tuple[str, ...]
    endpoints: tuple[str, ...]
    trace_id: str


def errors(store: Store, window: Window, service: str = "") -> Answer[tuple[ErrorRow, ...]]:
    """Errors of a service in the window (of all where none is named), the most frequent first."""
    groups = error_groups(
        store, from_ms=window.from_ms, to_ms=window.to_ms, service=service, limit=ROWS_MAX + 1
    )
    length_ms = max(1, window.to_ms - window.from_ms)
    counts = error_counts(store, to_ms=window.to_ms, length_ms=length_ms, service=service)
    known = {(one.service, one.error_fp): one for one in counts}
    rows = []
    for group in groups[:ROWS_MAX]:
        ever = known.get((group.service, group.error_fp))
        first_ms = ever.first_ms if ever else group.first_ms
        rows.append(
            ErrorRow(
                error=f"{group.error_fp:016x}",
                service=group.service,
                type=group.type,
                message=group.message,
                frames=group.frames,
                events=group.events,
                first_ms=first_ms,
                last_ms=group.last_ms,
                is_new=first_ms >= window.from_ms,
                releases=group.releases,
                endpoints=group.endpoints,
                trace_id=group.trace_id if group.trace_id.strip("0") else "",
            )
        )
    return Answer(
        tuple(rows),
        unit="events",
        truncated=len(groups) > ROWS_MAX,
        as_of_ms=max((row.last_ms for row in rows), default=0),
    )
