"""What is known of alerts: one typed function per query file `alert_*.sql`."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.store.store import Store

__all__ = ["AlertEvent", "alert_events", "open_alerts"]


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One row of alert_events; `json` is the alert as delivered."""

    id: str
    state: str
    ts_ms: int
    service: str
    by: str
    reason: str
    json: str


def open_alerts(store: Store) -> list[str]:
    """The JSON of every alert that fires now."""
    return [r["newest_json"] for r in store.query("alert_open").to_pylist()]


def alert_events(
    store: Store, *, from_ms: int, to_ms: int, states: Sequence[str], limit: int
) -> list[AlertEvent]:
    """Events of the given states, newest first, at most `limit`."""
    rows = store.query(
        "alert_events", from_ms=from_ms, to_ms=to_ms, states=list(states), limit=limit
    )
    return [AlertEvent(**row) for row in rows.to_pylist()]
