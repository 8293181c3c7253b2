"""The past of a rule: when it would have fired over stored data (`dynoscope rules replay`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from alerting.past_errors import past_of_errors
from alerting.past_releases import past_of_releases
from alerting.past_thresholds import past_of_threshold, step_of
from alerting.regression import CostWatch
from alerting.releases import release_watch
from alerting.replay import replay
from alerting.rules import (
    CostRule,
    HeadlineRule,
    MetricPart,
    NewErrorRule,
    Rule,
    Rules,
    Slo,
    ThresholdRule,
)
from alerting.slo_reading import metric_counts
from alerting.walk import WouldFire
from collector.store.retention import KEEP_DAYS
from collector.store.slo_counts import MetricSlice, SliceCount, metric_slices, request_slices
from collector.store.slo_reads import first_by_service
from collector.store.store import DAY_MS, Store

__all__ = ["Past", "WouldFire", "past_of"]

MINUTE_MS = 60_000
#: Kind of rule -> the table that it is judged from, and what people call it.
KEPT_IN: Mapping[type[Rule], str] = {
    Slo: "endpoint_minutes",
    ThresholdRule: "metrics",
    NewErrorRule: "errors",
    CostRule: "requests",
}
WORDS: Mapping[type[Rule], str] = {
    Slo: "SLOs",
    ThresholdRule: "thresholds",
    NewErrorRule: "new errors",
    CostRule: "regressions",
}


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
    warmup_requests: int = 200,
    warmup_s: int = 120,
) -> Past:
    """When `rules` would have fired in the last `last_s`, or as much of it as is kept of what each
    is judged from. `warmup_*`: as in `compare`. Raises StoreError."""
    to_ms = now_ms // MINUTE_MS * MINUTE_MS
    asked_ms = to_ms - round(last_s * 1000) // MINUTE_MS * MINUTE_MS
    watch = release_watch(store, "", warmup_requests, warmup_s, every_ms=0)
    fired: list[WouldFire] = []
    notes: dict[str, None] = {}
    for rule in rules.all:
        kept_days = keep.get(KEPT_IN.get(type(rule), ""), 14)
        from_ms = max(asked_ms, to_ms - kept_days * DAY_MS)
        if from_ms > asked_ms and not isinstance(rule, HeadlineRule):
            notes[f"what {WORDS[type(rule)]} are judged from is kept {kept_days} days: only those "
                  "are looked at"] = None  # fmt: skip
        found, note = _of_rule(store, rule, watch, from_ms, to_ms)
        fired += found
        if note:
            notes[note] = None
    fired.sort(key=lambda one: (one.started_ms, one.rule, one.service, one.what))
    return Past(asked_ms, to_ms, tuple(fired), tuple(notes))


def _of_rule(
    store: Store, rule: Rule, watch: CostWatch, from_ms: int, to_ms: int
) -> tuple[list[WouldFire], str]:
    """The alerts of one rule, and what is to be known about them."""
    if isinstance(rule, Slo):
        return list(_of_slo(store, rule, from_ms, to_ms)), ""
    if isinstance(rule, ThresholdRule):
        step_s = step_of(rule) // 1000
        note = f"{rule.name} was looked at every {step_s} s, its windows in whole minutes"
        return past_of_threshold(store, rule, from_ms, to_ms), note
    if isinstance(rule, NewErrorRule):
        return past_of_errors(store, rule, from_ms, to_ms), ""
    if isinstance(rule, CostRule):
        services = sorted(first_by_service(store))
        fired, left_out = past_of_releases(watch, rule, services, from_ms, to_ms)
        note = f"{rule.name} was looked at at doubling ages of each release"
        return fired, note + (f", without the oldest {left_out} looks" if left_out else "")
    if isinstance(rule, HeadlineRule):
        return [], f"rules of kind cost-per-active-user are not replayed, so not {rule.name}"
    assert_never(rule)


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
