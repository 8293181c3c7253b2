"""An incident as Markdown for the post-mortem: what happened when, what was said, what was done."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.answers.changes import changes
from collector.answers.records import SeriesPoint, Window
from collector.answers.series import series
from collector.store.alert_reads import AlertEvent, alert_events, alert_history
from collector.store.store import Store

__all__ = ["Incident", "incident_markdown", "read_incident"]

#: What happened so long before the alert may be why.
BEFORE_MS = 3_600_000
AFTER_MS = 600_000
EVENTS_MAX = 5_000
CHART_COLUMNS = 48
BARS = "▁▂▃▄▅▆▇█"
Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """One alert from its newest start of firing on, and what happened around it, as Markdown."""

    id: str
    title: str
    markdown: str


@dataclass(frozen=True, slots=True)
class _Line:
    ts_ms: int
    text: str


def read_incident(store: Store, alert_id: str, now_ms: int) -> Incident | None:
    """None where no such alert is known. Raises StoreError."""
    history = [
        (event, payload)
        for event in reversed(alert_history(store, alert_id))
        if (payload := _payload(event))
    ]
    changed = [payload for event, payload in history if event.state in ("firing", "resolved")]
    if not changed:
        return None
    newest = changed[-1]
    own = [(event, p) for event, p in history if p["started_ms"] == newest["started_ms"]]
    ended_ms = int(newest["ended_ms"]) or now_ms
    window = Window(max(0, int(newest["started_ms"]) - BEFORE_MS), ended_ms + AFTER_MS)
    service = str(newest["labels"].get("service", ""))
    lines = sorted(
        [*_own(own), *_others(store, alert_id, window), *_changes(store, window, service)],
        key=lambda line: line.ts_ms,
    )
    charts = _charts(store, window, service, str(newest["labels"].get("endpoint", "")))
    return Incident(
        alert_id,
        f"{newest['rule']} in {service or 'no service'}",
        incident_markdown(newest, lines, charts),
    )


def incident_markdown(
    alert: Payload, lines: Sequence[_Line], charts: Sequence[tuple[str, str]]
) -> str:
    """Texts are of foreign origin: what Markdown would read as its own is escaped."""
    ended = _time(alert["ended_ms"]) if alert["ended_ms"] else "still firing"
    labels = ", ".join(f"{key} `{_code(value)}`" for key, value in sorted(alert["labels"].items()))
    parts = [
        f"# Incident: {_plain(alert['rule'])}",
        "",
        f"- State: {alert['state']}, severity {alert['severity']}",
        f"- From {_time(alert['started_ms'])} to {ended}",
        f"- {labels}",
        "",
        _plain(alert["summary"]),
        "",
        *_details(alert["details"]),
        "## Timeline (UTC)",
        "",
        *(f"- {_time(line.ts_ms)} {_plain(line.text)}" for line in lines),
        "",
    ]
    if charts:
        parts += ["## Charts", "", "```"]
        width = max(len(name) for name, _ in charts)
        parts += [f"{name:<{width}}  {bars}" for name, bars in charts]
        parts += ["```", ""]
    parts += ["## Links", "", *(f"- {word}: <{to}>" for word, to in alert["links"].items()), ""]
    parts += ["## What we learned", "", "_To be written._", ""]
    return "\n".join(parts)


def _details(details: Payload) -> Iterator[str]:
    grew = [
        f"- {one['part']}: {one['before_ms']:.1f} to {one['after_ms']:.1f} ms"
        for one in details.get("grew") or []
    ]
    requests = [
        f"- {_time(one['ts_ms'])} {_plain(one['endpoint'])} status {one['status']}, "
        f"{one['wall_ms']:.0f} ms, release {_plain(one['release'])}, "
        f"trace `{_code(one['trace_id'])}`"
        for one in details.get("requests") or []
    ]
    errors = [
        f"- {_plain(one['type'])}: {_plain(one['message'])} ({one['events']} times)"
        for one in details.get("errors") or []
    ]
    for title, lines in (
        ("What grew per request", grew), ("Bad requests", requests), ("Errors", errors)
    ):  # fmt: skip
        if lines:
            yield from (f"## {title}", "", *lines, "")


def _own(history: Sequence[tuple[AlertEvent, Payload]]) -> Iterator[_Line]:
    for event, payload in history:
        if event.state == "firing":
            text = f"**firing** ({payload['severity']}): {payload['summary']}"
        elif event.state == "acknowledged":
            text = f"acknowledged by {event.by}: {event.reason}"
        else:
            text = f"{event.state}: {event.reason}"
        yield _Line(event.ts_ms, text)


def _others(store: Store, alert_id: str, window: Window) -> Iterator[_Line]:
    """Other alerts of that time."""
    events = alert_events(
        store,
        from_ms=window.from_ms,
        to_ms=window.to_ms,
        states=["firing", "resolved", "acknowledged"],
        limit=EVENTS_MAX,
    )
    for event in events:
        payload = _payload(event)
        if payload and event.id != alert_id:
            yield _Line(event.ts_ms, f"other alert {payload['rule']} {event.state}: {event.reason}")


def _changes(store: Store, window: Window, service: str) -> Iterator[_Line]:
    for change in changes(store, window, service).data:
        what = f"{change.kind} of {change.service}"
        if change.release:
            what += f": release {change.release} after {change.previous or 'nothing known'}"
        if change.commits:
            what += f", {len(change.commits)} commits, newest {change.commits[-1]}"
        yield _Line(change.ts_ms, f"{what}. {change.note}".rstrip())


def _charts(store: Store, window: Window, service: str, endpoint: str) -> list[tuple[str, str]]:
    """Requests, errors and P99 over the time, each as a line of bars scaled to its highest."""
    points = series(store, window, service, endpoint).data if service else ()
    if not points:
        return []
    step_ms = max(1, -(-(window.to_ms - window.from_ms) // CHART_COLUMNS))
    columns: list[list[SeriesPoint]] = [[] for _ in range(CHART_COLUMNS)]
    for point in points:
        at = (point.ts_ms - window.from_ms) // step_ms
        if 0 <= at < CHART_COLUMNS:
            columns[at].append(point)
    rows = {
        "requests/s": [sum(p.per_s for p in some) for some in columns],
        "error rate": [max((p.error_rate for p in some), default=0.0) for some in columns],
        "P99 ms": [max((p.latency_ms_p99 for p in some), default=0.0) for some in columns],
        "database ms": [max((p.db_ms for p in some), default=0.0) for some in columns],
    }
    return [
        (f"{name} (highest {_highest(values):.3g})", _bars(values)) for name, values in rows.items()
    ]


def _highest(values: Sequence[float]) -> float:
    return max((value for value in values if value == value), default=0.0)


def _bars(values: Sequence[float]) -> str:
    highest = _highest(values)
    return "".join(
        " " if not value > 0 else BARS[min(len(BARS) - 1, int(value / highest * len(BARS)))]
        for value in values
    )


def _payload(event: AlertEvent) -> Payload | None:
    try:
        payload = json.loads(event.json)
        known = isinstance(payload["started_ms"], int) and isinstance(payload["labels"], dict)
        return payload if known and "summary" in payload else None
    except (ValueError, TypeError, KeyError):
        return None


def _time(ts_ms: int) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _plain(text: Any) -> str:
    """One line that Markdown reads as text; our own ** stays."""
    flat = " ".join(str(text).split())
    for sign in ("\\", "`", "[", "]", "<", ">", "|", "#"):
        flat = flat.replace(sign, f"\\{sign}")
    return flat


def _code(text: Any) -> str:
    return " ".join(str(text).replace("`", "'").split())
