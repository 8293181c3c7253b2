"""Reads what SLOs are judged from: all that share their windows in one question."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from alerting.burn import window_ms
from alerting.rules import Good, MetricPart, MetricSli, Slo
from collector.store.slo_counts import (
    MetricSlice,
    RequestSlices,
    SliceCount,
    metric_slices,
    request_slices,
)
from collector.store.slo_reads import newest_by_service
from collector.store.store import Store

__all__ = ["PARTS", "Alive", "SloCounts", "metric_counts", "windows_of"]

#: Older requests are counted from the minute roll-up.
RAW_MS = 2 * 3_600_000
MINUTE_MS = 60_000
#: How finely the time between two window lengths is cut, to see in how much of it there was data.
PARTS = 8

Windows = tuple[int, ...]


def windows_of(slo: Slo) -> Windows:
    """The lengths of all windows that the SLO looks at, ms, ascending."""
    lengths = {window_ms(s) for tier in slo.tiers for s in (tier.long_s, tier.short_s)}
    return tuple(sorted(lengths | {window_ms(slo.window_s)}))


@dataclass(slots=True)
class Alive:
    """Services that sent anything since `from_ms`; asked for when the counts themselves do not
    show it."""

    store: Store
    from_ms: int
    _names: frozenset[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        """Raises StoreError."""
        if self._names is None:
            self._names = frozenset(newest_by_service(self.store, from_ms=self.from_ms))
        return self._names

    def __contains__(self, service: object) -> bool:
        return service in self.names


@dataclass(slots=True)
class SloCounts:
    """The counts of `slos` as of `to_ms`, read when they are first asked for."""

    store: Store
    to_ms: int
    slos: Sequence[Slo]
    _requests: dict[Windows, RequestSlices] = field(default_factory=dict)

    def read_ahead(self) -> None:
        """Read what most SLOs are judged from. Never raises: what fails fails anew for the rule
        that asks."""
        for windows in {windows_of(slo) for slo in self.slos if slo.good.metric is None}:
            with suppress(Exception):
                self._requests[windows] = self._read(windows)

    def of(self, slo: Slo) -> list[SliceCount]:
        """By service and slice of age; raises StoreError."""
        windows = windows_of(slo)
        if slo.good.metric is not None:
            return self._of_metric(slo, slo.good, windows)
        if windows not in self._requests:
            self._requests[windows] = self._read(windows)
        good = slo.good
        return self._requests[windows].of(slo.service, slo.endpoint, good.kind, good.threshold_ms)

    def _read(self, windows: Windows) -> RequestSlices:
        alike = [slo for slo in self.slos if slo.good.metric is None and windows_of(slo) == windows]
        return request_slices(
            self.store,
            from_ms=max(0, self.to_ms - windows[-1]),
            raw_from_ms=(self.to_ms - RAW_MS) // MINUTE_MS * MINUTE_MS,
            to_ms=self.to_ms,
            windows_ms=windows,
            parts=PARTS,
            endpoints=[slo.endpoint for slo in alike if slo.endpoint],
            all_endpoints=any(not slo.endpoint for slo in alike),
        )

    def _of_metric(self, slo: Slo, good: Good, windows: Windows) -> list[SliceCount]:
        assert good.metric is not None
        sli = good.metric
        total = self._points(slo, sli.total, windows, sli.limit)
        part = self._points(slo, sli.part, windows, 0.0) if sli.part else []
        return metric_counts(sli, total, part)

    def _points(
        self, slo: Slo, metric: MetricPart, windows: Windows, limit: float
    ) -> list[MetricSlice]:
        return metric_slices(
            self.store,
            from_ms=max(0, self.to_ms - windows[-1]),
            to_ms=self.to_ms,
            windows_ms=windows,
            parts=PARTS,
            name=metric.name,
            labels=metric.labels,
            service=slo.service,
            limit=limit,
        )


def metric_counts(
    sli: MetricSli, total: Sequence[MetricSlice], part: Sequence[MetricSlice]
) -> list[SliceCount]:
    """Good of total by service and slice, labels summed up."""
    if sli.part is None:
        return [
            SliceCount(one.service, one.slice, one.above if sli.above else one.below, one.points)
            for one in total
        ]
    counted = _summed(part)
    return [
        SliceCount(*key, _good_of(counted.get(key, 0.0), n, sli.part_is_bad), n)
        for key, n in sorted(_summed(total).items())
    ]


def _summed(slices: Sequence[MetricSlice]) -> dict[tuple[str, int], float]:
    sums: dict[tuple[str, int], float] = {}
    for one in slices:
        key = (one.service, one.slice)
        sums[key] = sums.get(key, 0.0) + one.summed
    return sums


def _good_of(counted: float, total: float, is_bad: bool) -> float:
    """Counters come in by different sendings: never more good or bad than all."""
    counted = min(max(counted, 0.0), total)
    return total - counted if is_bad else counted
