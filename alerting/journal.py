"""Writes what alerting knows into the store: alert events, SLO states, limits."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from alerting.alerts import Alert, rfc3339, to_json
from alerting.silences import Silence
from alerting.slo import SloStatus
from collector.store.store import Store

__all__ = [
    "record_acknowledged",
    "record_alert",
    "record_attempts",
    "record_evaluator",
    "record_failure",
    "record_silence",
    "record_silenced",
    "record_slos",
]


def record_alert(store: Store, alert: Alert, now_ms: int, by: str = "evaluator") -> None:
    """A change of state. Repeating it changes nothing: the batch is named by the notification.
    `by`: the evaluator that saw it."""
    row = {
        **_common(now_ms, alert.labels.get("service", "")),
        "id": alert.id,
        "state": alert.state,
        "by": by,
        "reason": alert.summary,
        "json": to_json(alert),
    }
    _insert(store, "alert_events", [row], f"alert-{alert.notification_id}")


def record_attempts(
    store: Store,
    payloads: Sequence[Mapping[str, Any]],
    *,
    target: str,
    state: str,
    attempt: int,
    reason: str,
    now_ms: int,
) -> None:
    """That notifications were delivered to `target`, failed, or were refused for good."""
    delivery = {"target": target, "attempt": attempt, "reason": reason}
    rows = [
        {
            **_common(now_ms, str(payload["labels"].get("service", ""))),
            "id": str(payload["id"]),
            "state": state,
            "by": "courier",
            "reason": f"{reason} (attempt {attempt})",
            "json": json.dumps({**payload, "delivery": delivery}, allow_nan=False),
        }
        for payload in payloads
    ]
    _insert(store, "alert_events", rows, f"{state}-{uuid.uuid4().hex}")


def record_silenced(
    store: Store, payload: Mapping[str, Any], silence: Silence, now_ms: int
) -> None:
    """That a silence holds a notification back: written once a notification."""
    row = {
        **_common(now_ms, str(payload["labels"].get("service", ""))),
        "id": str(payload["id"]),
        "state": "silenced",
        "by": silence.by,
        "reason": f"silenced until {rfc3339(silence.ends_ms)}: {silence.reason}",
        "json": json.dumps(payload, allow_nan=False),
    }
    _insert(store, "alert_events", [row], f"silenced-{payload['notification_id']}")


def record_acknowledged(
    store: Store, payload: Mapping[str, Any], by: str, reason: str, now_ms: int
) -> None:
    """That somebody looks after an alert: it is not repeated."""
    row = {
        **_common(now_ms, str(payload["labels"].get("service", ""))),
        "id": str(payload["id"]),
        "state": "acknowledged",
        "by": by,
        "reason": reason,
        "json": json.dumps(payload, allow_nan=False),
    }
    _insert(store, "alert_events", [row], f"ack-{uuid.uuid4().hex}")


def record_silence(store: Store, silence: Silence, state: str, now_ms: int) -> None:
    """A silence that begins (`active`) or ends before its time (`ended`)."""
    row = {
        **_common(now_ms, silence.matchers.get("service", "")),
        "id": silence.id,
        "state": state,
        "by": silence.by,
        "reason": silence.reason,
        "json": json.dumps(
            {
                "matchers": dict(silence.matchers),
                "starts_ms": silence.starts_ms,
                "ends_ms": silence.ends_ms,
            }
        ),
    }
    _insert(store, "silence_events", [row], f"silence-{uuid.uuid4().hex}")


def record_evaluator(store: Store, instance: str, status: Mapping[str, Any], now_ms: int) -> None:
    """How the evaluator `instance` fares."""
    row = {**_common(now_ms, ""), "id": instance, "json": json.dumps(status)}
    _insert(store, "evaluator_events", [row], f"evaluator-{uuid.uuid4().hex}")


def record_slos(store: Store, statuses: Sequence[SloStatus], now_ms: int) -> None:
    """Each SLO's numbers as gauges of source `slo`."""
    rows = [row for status in statuses for row in _slo_rows(status, now_ms)]
    _insert(store, "metrics", rows, f"slo-{uuid.uuid4().hex}")


def record_failure(store: Store, rule: str, now_ms: int) -> None:
    """That a rule could not be evaluated, among the limits, which every page shows."""
    row = {**_common(now_ms, ""), "where": "alerting", "what": f"rule failed: {rule}", "count": 1}
    _insert(store, "limits", [row], f"limit-{uuid.uuid4().hex}")


def _slo_rows(status: SloStatus, now_ms: int) -> list[dict[str, Any]]:
    slo, window = status.slo, status.window
    nothing = float("nan")
    values = (
        ("slo_sli_ratio", "ratio", window.good / window.total if window.total else nothing),
        ("slo_objective_ratio", "ratio", slo.objective),
        ("slo_budget_left_ratio", "ratio", status.budget_left),
        ("slo_burn_rate", "ratio", status.burn_rate),
        ("slo_bad_total", "requests", window.bad),
        ("slo_total", "requests", window.total),
    )
    labels = sorted(
        f"{key}={value}"
        for key, value in (
            ("slo", slo.name),
            ("endpoint", slo.endpoint),
            ("good", slo.good.text),
            ("window_s", f"{slo.window_s:g}"),
            ("state", status.state),
        )
    )
    common = {**_common(now_ms, status.service), "kind": "gauge", "labels": labels, "source": "slo"}
    return [{**common, "name": name, "unit": unit, "value": v} for name, unit, v in values]


def _common(now_ms: int, service: str) -> dict[str, Any]:
    return {"ts_ms": now_ms, "service": service, "host": "", "region": ""}


def _insert(store: Store, table: str, rows: list[dict[str, Any]], batch_id: str) -> None:
    if rows:
        block = pa.Table.from_pylist(rows)
        at = block.schema.get_field_index("ts_ms")
        store.insert(
            table, block.set_column(at, "ts_ms", block["ts_ms"].cast(pa.uint64())), batch_id
        )
