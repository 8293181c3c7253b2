"""Alerts that fired in the window: when they began, ended and were delivered."""

import json
from typing import Any

from collector.answers.records import AlertState, Answer, Delivery, LimitRow, Window
from collector.errors import BadQuestion
from collector.store.alert_reads import AlertEvent, alert_events
from collector.store.store import Store

__all__ = ["alerts"]

EVENTS_MAX = 20_000
FIELDS = {
    "id", "rule", "state", "severity", "labels", "summary", "started_ms", "ended_ms"
}  # fmt: skip
CHANGES = ("firing", "resolved")
DELIVERIES = ("delivered", "failed", "refused")
STATES = ("", "firing", "resolved")

#: alert id and start of firing: an alert that fires again is another row
Episode = tuple[str, int]


def alerts(store: Store, window: Window, state: str = "") -> Answer[tuple[AlertState, ...]]:
    """Alerts that were firing at some time in the window, newest first, in their state at its end.

    `state`: only `firing` or only `resolved` ones.
    """
    if state not in STATES:
        raise BadQuestion(f"The state {state!r} is not known: write firing or resolved.")
    events = alert_events(
        store,
        from_ms=0,
        to_ms=window.to_ms,
        states=[*CHANGES, *DELIVERIES, "silenced", "acknowledged"],
        limit=EVENTS_MAX,
    )
    episodes: dict[Episode, list[tuple[AlertEvent, dict[str, Any]]]] = {}
    unreadable = 0
    for event in reversed(events):
        payload = _payload(event.json)
        if payload is None:
            unreadable += 1
            continue
        episodes.setdefault((event.id, payload["started_ms"]), []).append((event, payload))
    found = [_alert(history) for history in episodes.values()]
    chosen = [
        alert
        for alert in found
        if alert is not None
        and (alert.state == "firing" or alert.ended_ms >= window.from_ms)
        and state in ("", alert.state)
    ]
    chosen.sort(key=lambda alert: -alert.started_ms)
    return Answer(
        tuple(chosen),
        truncated=len(events) >= EVENTS_MAX,
        as_of_ms=max((event.ts_ms for event in events), default=0),
        limits=(LimitRow("alerts", "unreadable events", unreadable),) if unreadable else (),
    )


def _payload(text: str) -> dict[str, Any] | None:
    """The alert as an evaluator wrote it; None for anything else that was ingested."""
    try:
        payload = json.loads(text)
        complete = set(payload) >= FIELDS and isinstance(payload["labels"], dict)
    except (ValueError, TypeError):
        return None
    return payload if complete and isinstance(payload["started_ms"], int) else None


def _alert(history: list[tuple[AlertEvent, dict[str, Any]]]) -> AlertState | None:
    """One episode out of its events, oldest first; None where only its delivery is in reach."""
    states = [payload for event, payload in history if event.state in CHANGES]
    if not states:
        return None
    newest = states[-1]
    delivered = [event.ts_ms for event, _ in history if event.state == "delivered"]
    return AlertState(
        id=newest["id"],
        rule=newest["rule"],
        state=newest["state"],
        severity=newest["severity"],
        labels=newest["labels"],
        summary=newest["summary"],
        started_ms=newest["started_ms"],
        ended_ms=newest["ended_ms"],
        delivered_ms=min(delivered, default=0),
        payload=newest,
        deliveries=_deliveries(history),
        silenced=_newest(history, "silenced"),
        acknowledged=_newest(history, "acknowledged"),
    )


def _deliveries(history: list[tuple[AlertEvent, dict[str, Any]]]) -> tuple[Delivery, ...]:
    """The newest attempt at each receiver."""
    newest: dict[str, Delivery] = {}
    for event, payload in history:
        delivery = payload.get("delivery")
        if event.state in DELIVERIES and isinstance(delivery, dict):
            target = str(delivery.get("target"))
            newest[target] = Delivery(target, event.state, event.reason, event.ts_ms)
    return tuple(newest.values())


def _newest(history: list[tuple[AlertEvent, dict[str, Any]]], state: str) -> str:
    """Who said so and why, unless the alert changed its state since."""
    for event, _ in reversed(history):
        if event.state == state:
            return f"{event.by}: {event.reason}"
        if event.state == "resolved":
            break
    return ""
