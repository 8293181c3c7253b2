"""Notifications as receivers get them."""

from dataclasses import replace
from typing import Any

from alerting.alerts import Alert, to_payload

NOW_MS = 1_790_337_600_000
ALERT = Alert(
    id="a1",
    rule="feed-latency",
    state="firing",
    severity="page",
    labels={"service": "shop", "endpoint": "GET /feed/", "release": "r2"},
    summary="It breaks <!channel> & more.",
    started_ms=NOW_MS,
    ended_ms=0,
    details={"burn_rate": 20.0},
    links={"endpoint": "http://127.0.0.1:8600/endpoint?service=shop"},
)


def firing(**changes: Any) -> dict[str, Any]:
    return to_payload(replace(ALERT, **changes))


def resolved(**changes: Any) -> dict[str, Any]:
    return to_payload(replace(ALERT, state="resolved", ended_ms=NOW_MS + 60_000, **changes))
