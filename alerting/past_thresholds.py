"""When a threshold rule would have fired, from the minutes of its metric."""

from collections import deque
from collections.abc import Iterator, Mapping

from alerting.alerts import Check
from alerting.rules import ThresholdRule
from alerting.thresholds import Key, ThresholdWatch, key_of, value_of
from alerting.walk import WouldFire, would_fire
from collector.store.slo_counts import labels_match
from collector.store.slo_reads import MetricSet, metric_minutes
from collector.store.store import DAY_MS, Store

__all__ = ["past_of_threshold", "step_of"]

MINUTE_MS = 60_000
#: A window moves on by this share of itself, and by a minute at least.
STEPS = 10


def past_of_threshold(
    store: Store, rule: ThresholdRule, from_ms: int, to_ms: int
) -> list[WouldFire]:
    """Between two whole minutes. Windows are whole minutes, too. Raises StoreError."""
    watch = ThresholdWatch(store)
    step_ms, over_ms = step_of(rule), -(-round(rule.over_s * 1000) // MINUTE_MS) * MINUTE_MS
    coming = _minutes(store, rule, from_ms - over_ms, to_ms)
    waiting = next(coming, None)
    windows: dict[Key, deque[tuple[int, MetricSet]]] = {}

    def look(now_ms: int, firing: Mapping[str, str]) -> Check:
        nonlocal waiting
        while waiting is not None and waiting[0] <= now_ms:
            until_ms, one = waiting
            windows.setdefault(key_of(rule, one), deque()).append((until_ms, one))
            waiting = next(coming, None)
        seen = []
        for key, window in list(windows.items()):
            while window and window[0][0] <= now_ms - over_ms:
                window.popleft()
            if window:
                seen.append(value_of(rule, key, [one for _, one in window], now_ms))
            else:
                del windows[key]
        return watch.judge(rule, seen, now_ms, firing)

    return would_fire(look, range(from_ms + step_ms, to_ms + 1, step_ms))


def step_of(rule: ThresholdRule) -> int:
    """How far apart the looks are, ms."""
    return max(MINUTE_MS, round(rule.over_s * 1000) // STEPS // MINUTE_MS * MINUTE_MS)


def _minutes(
    store: Store, rule: ThresholdRule, from_ms: int, to_ms: int
) -> Iterator[tuple[int, MetricSet]]:
    """Day by day, oldest first."""
    for start_ms in range(max(0, from_ms), to_ms, DAY_MS):
        for until_ms, one in metric_minutes(
            store,
            from_ms=start_ms,
            to_ms=min(start_ms + DAY_MS, to_ms),
            name=rule.metric.name,
            service=rule.service,
        ):
            if labels_match(one.labels, rule.metric.labels):
                yield until_ms, one
