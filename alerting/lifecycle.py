"""From what the checks find to what happens to the alerts: fire, update, resolve; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerting.alerts import SEVERITIES, Alert, Check, Finding

__all__ = ["LifeCycle"]


@dataclass(slots=True)
class LifeCycle:
    """Decides transitions. Remembers only when each firing alert was last seen to be true, and when
    as grave as it is.

    After a restart that memory is empty: an open alert then counts as true just now, so it neither
    fires again nor resolves before its time.

    A page of which only a ticket is left for `keep_firing_s` is eased to a ticket, without a word:
    should it become grave again, that is a new page, and not part of one that was answered.
    """

    _true_ms: dict[str, int] = field(default_factory=dict)
    _grave_ms: dict[str, int] = field(default_factory=dict)

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
                self._grave_ms[alert.id] = now_ms
            elif found is not None and self._has_eased(alert, found, by_rule, now_ms):
                changed.append(_ease(alert, found))
            elif found is None and self._is_over(alert, by_rule, now_ms):
                changed.append(_resolve(alert, by_rule, now_ms))
        self._remember(findings, is_open, now_ms)
        return changed

    def _has_eased(
        self, alert: Alert, found: Finding, checks: Mapping[str, Check], now_ms: int
    ) -> bool:
        if not _graver(alert, found):
            self._grave_ms[alert.id] = now_ms
            return False
        last_ms = self._grave_ms.setdefault(alert.id, now_ms)
        return now_ms - last_ms >= checks[alert.rule].keep_firing_s * 1000

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
        self._grave_ms = {i: t for i, t in self._grave_ms.items() if i in is_open or i in found} | {
            i: now_ms for i in found if i not in self._grave_ms
        }


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


def _graver(one: Finding | Alert, other: Finding | Alert) -> bool:
    return SEVERITIES.index(one.severity) > SEVERITIES.index(other.severity)


def _knows_more(finding: Finding, alert: Alert) -> bool:
    """A label that the alert did not have when it fired, such as the function to look at."""
    return bool(finding.labels.keys() - alert.labels.keys())


def _update(alert: Alert, finding: Finding) -> Alert:
    """The same alert, still from its first start, with what is known now; from now on, where it
    had eased."""
    if alert.details.get("eased"):
        return _fire(finding)
    return replace(_fire(finding), started_ms=alert.started_ms)


def _ease(alert: Alert, finding: Finding) -> Alert:
    """The same alert, milder: nobody is told."""
    return replace(
        alert,
        severity=finding.severity,
        labels={**alert.labels, "severity": finding.severity},
        details={**alert.details, "eased": True},
    )


def _resolve(alert: Alert, checks: Mapping[str, Check], now_ms: int) -> Alert:
    """`details.because` says why, so that nobody takes a dropped rule for a recovery."""
    because = "over" if alert.rule in checks else "the rule is no longer there"
    minutes = (now_ms - alert.started_ms) / 60_000
    said = {key: value for key, value in alert.details.items() if key != "eased"}
    return replace(
        alert,
        state="resolved",
        ended_ms=now_ms,
        summary=f"Resolved after {minutes:.1f} min ({because}): {alert.summary}",
        details={**said, "because": because},
    )
