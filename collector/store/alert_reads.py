"""What is known of alerts: one typed function per query file `alert_*.sql`."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.store.store import Store

__all__ = [
    "AlertEvent",
    "alert_events",
    "alert_history",
    "evaluator_texts",
    "open_alerts",
    "silence_texts",
]


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


def alert_history(store: Store, alert_id: str, limit: int = 5_000) -> list[AlertEvent]:
    """Every event of one alert, newest first."""
    return [
        AlertEvent(**row)
        for row in store.query("alert_history", id=alert_id, limit=limit).to_pylist()
    ]


def silence_texts(store: Store) -> list[tuple[str, str, str, str]]:
    """Every silence in its newest state: id, json, by, reason."""
    return [
        (r["id"], r["newest_json"], r["newest_by"], r["newest_reason"])
        for r in store.query("silences").to_pylist()
    ]


def evaluator_texts(store: Store, *, from_ms: int, to_ms: int) -> list[tuple[str, int, str]]:
    """How each evaluator that wrote in the window fared last: id, when, json."""
    rows = store.query("evaluators", from_ms=from_ms, to_ms=to_ms)
    return [(r["id"], r["newest_ms"], r["newest_json"]) for r in rows.to_pylist()]
