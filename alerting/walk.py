"""The past of one rule, step by step, through the same life cycle that live alerts have; pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from alerting.alerts import SEVERITIES, Alert, Check
from alerting.lifecycle import LifeCycle

__all__ = ["Look", "WouldFire", "would_fire"]

#: (to_ms, severity of each open alert) -> what the rule says then
Look = Callable[[int, Mapping[str, str]], Check]
#: Labels that stand in fields of their own.
NAMED = ("service", "rule", "severity")


@dataclass(frozen=True, slots=True)
class WouldFire:
    """One alert as it would have been. `ended_ms` 0: it would still fire."""

    rule: str
    service: str
    severity: str
    #: of the burn; 0 for rules that are no SLOs
    factor: float
    started_ms: int
    ended_ms: int
    #: when it paged
    paged_ms: tuple[int, ...]
    #: which host, error, or endpoint and release; empty for SLOs
    what: str = ""


def would_fire(look: Look, times_ms: Iterable[int]) -> list[WouldFire]:
    """The alerts of a rule that is looked at then, in order of their start."""
    life = LifeCycle()
    is_open: dict[str, Alert] = {}
    found: dict[tuple[str, int], WouldFire] = {}
    for now_ms in times_ms:
        check = look(now_ms, {one: alert.severity for one, alert in is_open.items()})
        if not (is_open or check.findings):
            continue
        for alert in life.step(list(is_open.values()), [check], now_ms):
            before = is_open.pop(alert.id, None)
            # Of what was open before the times begin nothing is known: each start is its own.
            key = (alert.id, before.started_ms if before else alert.started_ms)
            if alert.state == "resolved":
                found[key] = replace(found[key], ended_ms=now_ms)
            else:
                is_open[alert.id] = alert
                found[key] = _told(found.get(key), alert, now_ms, repeated=before is not None)
    return sorted(found.values(), key=lambda one: (one.started_ms, one.service, one.what))


def _told(before: WouldFire | None, alert: Alert, now_ms: int, repeated: bool) -> WouldFire:
    one = before or WouldFire(
        alert.rule,
        alert.labels.get("service", ""),
        alert.severity,
        0.0,
        now_ms,
        0,
        (),
        ", ".join(
            f"{name} {value}" for name, value in sorted(alert.labels.items())
            if name not in NAMED and value
        ),
    )  # fmt: skip
    graver = SEVERITIES.index(alert.severity) > SEVERITIES.index(one.severity)
    pages = alert.severity == "page" and not alert.details.get("eased")
    if repeated and not graver:
        pages = False  # it only knows more
    return replace(
        one,
        severity=alert.severity if graver else one.severity,
        paged_ms=(*one.paged_ms, now_ms) if pages else one.paged_ms,
    )
