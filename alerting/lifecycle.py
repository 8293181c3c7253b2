"""From what the checks find to what happens to the alerts: fire, update, resolve; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerting.alerts import SEVERITIES, Alert, Check, Finding

__all__ = ["LifeCycle"]


@dataclass(slots=True)
class LifeCycle:
    """Decides transitions. Remembers only when each firing alert was last seen to be true.

    After a restart that memory is empty: an open alert then counts as true just now, so it neither
    fires again nor resolves before its time.
    """

    _true_ms: dict[str, int] = field(default_factory=dict)

    def step(
        self, open_alerts: Sequence[Alert], checks: Iterable[Check], now_ms: int
    ) -> list[Alert]:
        """The alerts whose state changes now, in their new state."""
        by_rule = {check.rule: check for check in checks}
        findings = {f.id: f for check in by_rule.values() for f in check.findings}
        is_open = {alert.id: alert for alert in open_alerts}
        changed = [_fire(f) for f in findings.values() if f.id not in is_open]
        for alert in open_alerts:
            found = findings.get(alert.id)
            if found is not None and (_graver(found, alert) or _knows_more(found, alert)):
                changed.append(_update(alert, found))
            elif found is None and self._is_over(alert, by_rule, now_ms):
                changed.append(_resolve(alert, by_rule, now_ms))
        self._remember(findings, is_open, now_ms)
        return changed

    def _is_over(self, alert: Alert, checks: Mapping[str, Check], now_ms: int) -> bool:
        check = checks.get(alert.rule)
        if check is None:
            return True
        last_ms = self._true_ms.setdefault(alert.id, now_ms)
        if check.failed or alert.id in check.unknown:
            self._true_ms[alert.id] = now_ms
            return False
        return now_ms - last_ms >= check.keep_firing_s * 1000

    def _remember(self, findings: Iterable[str], is_open: Mapping[str, Alert], now_ms: int) -> None:
        found = set(findings)
        self._true_ms = {i: t for i, t in self._true_ms.items() if i in is_open and i not in found}
        self._true_ms.update(dict.fromkeys(found, now_ms))


def _fire(finding: Finding) -> Alert:
    return Alert(
        id=finding.id,
        rule=finding.rule,
        state="firing",
        severity=finding.severity,
        labels={**finding.labels, "rule": finding.rule, "severity": finding.severity},
        summary=finding.summary,
        started_ms=finding.started_ms,
        ended_ms=0,
        details=finding.details,
        links=finding.links,
    )


def _graver(finding: Finding, alert: Alert) -> bool:
    return SEVERITIES.index(finding.severity) > SEVERITIES.index(alert.severity)


def _knows_more(finding: Finding, alert: Alert) -> bool:
    """A label that the alert did not have when it fired, such as the function to look at."""
    return bool(finding.labels.keys() - alert.labels.keys())


def _update(alert: Alert, finding: Finding) -> Alert:
    """The same alert, still from its first start, with what is known now."""
    return replace(_fire(finding), started_ms=alert.started_ms)


def _resolve(alert: Alert, checks: Mapping[str, Check], now_ms: int) -> Alert:
    """`details.because` says why, so that nobody takes a dropped rule for a recovery."""
    because = "over" if alert.rule in checks else "the rule is no longer there"
    minutes = (now_ms - alert.started_ms) / 60_000
    return replace(
        alert,
        state="resolved",
        ended_ms=now_ms,
        summary=f"Resolved after {minutes:.1f} min ({because}): {alert.summary}",
        details={**alert.details, "because": because},
    )
