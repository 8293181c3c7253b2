"""The past of a rule: when it would have fired over stored data (`dynoscope rules replay`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from alerting.replay import replay
from alerting.rules import MetricPart, Rules, Slo
from alerting.slo_reading import metric_counts
from collector.store.retention import KEEP_DAYS
from collector.store.slo_counts import MetricSlice, SliceCount, metric_slices, request_slices
from collector.store.store import DAY_MS, Store

__all__ = ["Past", "WouldFire", "past_of"]

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class WouldFire:
    """One alert as it would have been. `ended_ms` 0: it would still fire."""

    rule: str
    service: str
    severity: str
    factor: float
    started_ms: int
    ended_ms: int
    #: when it paged
    paged_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """`notes`: what was not looked at, and why."""

    from_ms: int
    to_ms: int
    fired: tuple[WouldFire, ...]
    notes: tuple[str, ...]


def past_of(
    store: Store,
    rules: Rules,
    last_s: float,
    now_ms: int,
    keep: Mapping[str, int] = KEEP_DAYS,
) -> Past:
    """SLO rules, minute by minute, over the last `last_s` or as much of it as is kept by the
    minute. Raises StoreError."""
    to_ms = now_ms // MINUTE_MS * MINUTE_MS
    kept_ms = keep.get("endpoint_minutes", 14) * DAY_MS
    from_ms = to_ms - min(round(last_s * 1000), kept_ms) // MINUTE_MS * MINUTE_MS
    notes = []
    if last_s * 1000 > kept_ms:
        notes.append(f"minutes are kept {kept_ms // DAY_MS} days: only those are looked at")
    fired = [one for slo in rules.slos for one in _of_slo(store, slo, from_ms, to_ms)]
    others = [rule.name for rule in rules.all if not isinstance(rule, Slo)]
    if others:
        notes.append(f"only SLOs can be replayed, so not {', '.join(others)}")
    fired.sort(key=lambda one: (one.started_ms, one.rule, one.service))
    return Past(from_ms, to_ms, tuple(fired), tuple(notes))


def _of_slo(store: Store, slo: Slo, from_ms: int, to_ms: int) -> Iterator[WouldFire]:
    """Windows that begin before `from_ms` see what is kept of the time before it."""
    before_ms = round(max((tier.long_s for tier in slo.tiers), default=0) * 1000)
    first_ms = from_ms - before_ms // MINUTE_MS * MINUTE_MS
    minutes = (to_ms - first_ms) // MINUTE_MS
    by_service: dict[str, list[SliceCount]] = {}
    for one in _slices(store, slo, first_ms, to_ms, minutes):
        by_service.setdefault(one.service, []).append(one)
    for service, slices in by_service.items():
        good, total = np.zeros(minutes), np.zeros(minutes)
        for one in slices:
            if one.slice < minutes:
                good[minutes - 1 - one.slice] += one.good
                total[minutes - 1 - one.slice] += one.total
        for fired in replay(
            good,
            total,
            step_s=MINUTE_MS / 1000,
            objective=slo.objective,
            tiers=slo.tiers,
            keep_firing_s=slo.keep_firing_s,
        ):
            started_ms = first_ms + (fired.start + 1) * MINUTE_MS
            ended_ms = first_ms + (fired.end + 1) * MINUTE_MS if fired.end is not None else 0
            if started_ms > from_ms:
                paged_ms = tuple(first_ms + (step + 1) * MINUTE_MS for step in fired.pages)
                yield WouldFire(
                    slo.name,
                    service,
                    fired.severity,
                    fired.factor,
                    started_ms,
                    ended_ms,
                    paged_ms,
                )


def _slices(store: Store, slo: Slo, first_ms: int, to_ms: int, minutes: int) -> list[SliceCount]:
    """By minutes of age."""
    if slo.good.metric is None:
        counts = request_slices(
            store,
            from_ms=first_ms,
            raw_from_ms=to_ms,
            to_ms=to_ms,
            windows_ms=[to_ms - first_ms],
            parts=minutes,
            endpoints=[slo.endpoint] if slo.endpoint else [],
            all_endpoints=not slo.endpoint,
        )
        return counts.of(slo.service, slo.endpoint, slo.good.kind, slo.good.threshold_ms)
    sli = slo.good.metric

    def points(part: MetricPart) -> list[MetricSlice]:
        return metric_slices(
            store,
            from_ms=first_ms,
            to_ms=to_ms,
            windows_ms=[to_ms - first_ms],
            parts=minutes,
            name=part.name,
            labels=part.labels,
            service=slo.service,
            limit=sli.limit,
        )

    return metric_counts(sli, points(sli.total), points(sli.part) if sli.part else [])
