"""What a check finds, and the alert that comes of it. Times are UTC milliseconds since 1970."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

__all__ = [
    "SEVERITIES",
    "Alert",
    "Check",
    "Finding",
    "alert_id",
    "from_json",
    "rfc3339",
    "to_json",
    "to_payload",
]

#: From mild to grave.
SEVERITIES = ("ticket", "page")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule is broken now. `key` names the alert within its rule (service, endpoint, release)."""

    rule: str
    key: tuple[str, ...]
    severity: str
    labels: Mapping[str, str]
    summary: str
    started_ms: int
    details: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return alert_id(self.rule, self.key)


@dataclass(frozen=True, slots=True)
class Check:
    """What evaluating one rule gave.

    `unknown`: ids of which nothing can be said now (no data, cannot tell): a firing alert goes on,
    nothing new fires. `failed`: why the rule could not be evaluated at all, or empty.
    """

    rule: str
    findings: tuple[Finding, ...] = ()
    unknown: frozenset[str] = frozenset()
    failed: str = ""
    keep_firing_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert in one state: firing or resolved."""

    id: str
    rule: str
    state: str
    severity: str
    labels: Mapping[str, str]
    summary: str
    started_ms: int
    #: 0 while firing
    ended_ms: int
    details: Mapping[str, Any]
    links: Mapping[str, str]

    @property
    def notification_id(self) -> str:
        """One page, one id: of rule, labels, state and the start of firing."""
        labels = sorted(self.labels.items())
        return _digest(self.rule, json.dumps(labels), self.state, str(self.started_ms))


def alert_id(rule: str, key: tuple[str, ...]) -> str:
    return _digest(rule, *key)


def to_json(alert: Alert) -> str:
    """The alert as it is delivered and stored."""
    return json.dumps(to_payload(alert), allow_nan=False)


def to_payload(alert: Alert) -> dict[str, Any]:
    """What a receiver gets; numbers that are not known are null."""
    return {
        "version": 1,
        "notification_id": alert.notification_id,
        "id": alert.id,
        "rule": alert.rule,
        "state": alert.state,
        "severity": alert.severity,
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "started_ms": alert.started_ms,
        "ended_ms": alert.ended_ms,
        "started_at": rfc3339(alert.started_ms),
        "ended_at": rfc3339(alert.ended_ms) if alert.ended_ms else "",
        "details": _known(alert.details),
        "links": dict(alert.links),
    }


def from_json(text: str) -> Alert:
    """The alert back from its JSON; raises ValueError when it is not one."""
    try:
        data = json.loads(text)
        if data["severity"] not in SEVERITIES:
            raise ValueError(f"the severity {data['severity']!r} is not one of {SEVERITIES}")
        return Alert(
            id=str(data["id"]),
            rule=str(data["rule"]),
            state=str(data["state"]),
            severity=str(data["severity"]),
            labels={str(k): str(v) for k, v in data["labels"].items()},
            summary=str(data["summary"]),
            started_ms=int(data["started_ms"]),
            ended_ms=int(data["ended_ms"]),
            details=dict(data["details"]),
            links={str(k): str(v) for k, v in data["links"].items()},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a stored alert: {error!r}") from error


def rfc3339(ts_ms: int) -> str:
    moment = datetime.fromtimestamp(ts_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(value: Any) -> Any:
    """The same with null for nan and infinity, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
