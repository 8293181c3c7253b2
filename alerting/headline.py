"""The headline rule: cost per active user, against the same hour of the days before."""

from urllib.parse import urlencode

from alerting.alerts import Check, Finding, rfc3339
from alerting.rules import HeadlineRule
from collector.store.slo_reads import HeadlineHour, headline_hours
from collector.store.store import Store

__all__ = ["check_headline"]

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
#: The same hour of so many days is needed.
DAYS_MIN = 3


def check_headline(store: Store, rule: HeadlineRule, to_ms: int, base_url: str) -> Check:
    """Above every one of the days before by more than the budget, so that a season that any of
    them had is none. Judged on whole hours: the answer changes once an hour."""
    hour_ms = to_ms // HOUR_MS * HOUR_MS
    hours = headline_hours(
        store,
        from_ms=max(0, hour_ms - rule.days * DAY_MS - HOUR_MS),
        to_ms=hour_ms,
        service=rule.service,
    )
    by_service: dict[tuple[str, str], dict[int, float]] = {}
    for hour in hours:
        if hour.unit != "none" and _is_enough(rule, hour):
            costs = by_service.setdefault((hour.service, hour.unit), {})
            costs[hour.days_ago] = hour.cost / hour.users
    findings = []
    for (service, unit), costs in by_service.items():
        before = [cost for days_ago, cost in costs.items() if days_ago > 0]
        if 0 not in costs or len(before) < DAYS_MIN:
            continue
        if costs[0] > max(before) * (1 + rule.budget):
            findings.append(
                _finding(rule, service, unit, costs[0], before, hour_ms, to_ms, base_url)
            )
    return Check(rule.name, tuple(findings), frozenset(), "", rule.keep_firing_s)


def _is_enough(rule: HeadlineRule, hour: HeadlineHour) -> bool:
    return hour.requests >= rule.requests_min and hour.users >= rule.users_min


def _finding(
    rule: HeadlineRule,
    service: str,
    unit: str,
    cost: float,
    before: list[float],
    hour_ms: int,
    to_ms: int,
    base_url: str,
) -> Finding:
    low, high = min(before), max(before)
    query = urlencode(
        {"service": service, "from": rfc3339(hour_ms - HOUR_MS), "to": rfc3339(hour_ms)}
    )
    return Finding(
        rule=rule.name,
        key=(service, unit),
        severity=rule.severity,
        labels={"service": service, "unit": unit},
        summary=(
            f"{service} costs {cost:.4g} {unit} per active user in the hour to {rfc3339(hour_ms)}, "
            f"{cost / high - 1:+.1%} above the highest of the same hour of the {len(before)} days "
            f"before ({low:.4g} to {high:.4g}; budget {rule.budget:.0%})."
        ),
        started_ms=to_ms,
        details={"cost": cost, "unit": unit, "before": before, "hour_ms": hour_ms},
        links={"overview": f"{base_url}/?{query}"},
    )
