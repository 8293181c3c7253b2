"""Evaluates one SLO: counts requests by window, judges the burn, says what an alert must say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerting.alerts import Check, Finding, alert_id
from alerting.burn import Burn, Count, burn_rate, judge, window_ms
from alerting.diagnosis import Diagnosis, Episode, diagnose
from alerting.rules import Slo
from collector.store.slo_reads import SliceCount, slice_counts, slice_edges
from collector.store.store import Store

__all__ = ["SloStatus", "check_slo", "count_windows"]

#: Older requests are counted from the minute roll-up.
RAW_MS = 2 * 3_600_000
MINUTE_MS = 60_000
#: How finely the time between two window lengths is cut, to see in how much of it there was data.
PARTS = 8


@dataclass(frozen=True, slots=True)
class SloStatus:
    """One SLO of one service at one evaluation. `state`: ok, burning, spent (burning no more, but
    the budget of the window is gone), no data."""

    slo: Slo
    service: str
    state: str
    window: Count
    burn: Burn
    burn_rate: float
    budget_left: float
    ts_ms: int


def check_slo(
    store: Store,
    slo: Slo,
    to_ms: int,
    alive: frozenset[str],
    open_ids: frozenset[str],
    base_url: str,
) -> tuple[Check, list[SloStatus]]:
    """Judge `slo` for each service that has such requests. `to_ms`: the end of all windows.

    `alive`: the services that sent anything of late; of the others nothing is known now.
    """
    windows = sorted(
        {window_ms(s) for tier in slo.tiers for s in (tier.long_s, tier.short_s)}
        | {window_ms(slo.window_s)}
    )
    edges = slice_edges(windows, PARTS)
    statuses: list[SloStatus] = []
    findings: list[Finding] = []
    unknown: set[str] = set()
    by_service = _by_service(_read(store, slo, windows, to_ms)) or {slo.service: []}
    for service, slices in by_service.items():
        key = (service, slo.endpoint)
        status = _status(slo, service, slices, edges, windows, to_ms, alive, open_ids)
        statuses.append(status)
        if status.state == "no data":
            unknown.add(alert_id(slo.name, key))
        elif status.state == "burning":
            findings.append(_finding(store, status, slices, edges, to_ms, base_url))
    # A service that vanished from the window altogether: its alert is not over, it is unknown.
    silent = open_ids - {alert_id(slo.name, (service, slo.endpoint)) for service in by_service}
    return (
        Check(slo.name, tuple(findings), frozenset(unknown | silent), "", slo.keep_firing_s),
        statuses,
    )


def count_windows(
    slices: Sequence[SliceCount], edges_ms: Sequence[int], windows_ms: Sequence[int]
) -> dict[int, Count]:
    """The counts of each window out of the slices of age of one service."""
    starts = [0, *edges_ms[:-1]]
    counts = {}
    for length in windows_ms:
        inside = [s for s in slices if s.slice < len(edges_ms) and edges_ms[s.slice] <= length]
        seen = {s.slice for s in inside if s.total > 0}
        counts[length] = Count(
            good=sum(s.good for s in inside),
            total=sum(s.total for s in inside),
            covered=sum(edges_ms[i] - starts[i] for i in seen) / length,
        )
    return counts


def _read(store: Store, slo: Slo, windows_ms: Sequence[int], to_ms: int) -> list[SliceCount]:
    return slice_counts(
        store,
        from_ms=max(0, to_ms - windows_ms[-1]),
        raw_from_ms=(to_ms - RAW_MS) // MINUTE_MS * MINUTE_MS,
        to_ms=to_ms,
        windows_ms=windows_ms,
        parts=PARTS,
        service=slo.service,
        endpoint=slo.endpoint,
        good=slo.good.kind,
        threshold_ms=slo.good.threshold_ms,
    )


def _by_service(slices: Sequence[SliceCount]) -> dict[str, list[SliceCount]]:
    """Services with requests that count for this SLO."""
    found: dict[str, list[SliceCount]] = {}
    for one in slices:
        if one.total > 0:
            found.setdefault(one.service, []).append(one)
    return found


def _status(
    slo: Slo,
    service: str,
    slices: Sequence[SliceCount],
    edges: Sequence[int],
    windows: Sequence[int],
    to_ms: int,
    alive: frozenset[str],
    open_ids: frozenset[str],
) -> SloStatus:
    counts = count_windows(slices, edges, windows)
    window = counts[window_ms(slo.window_s)]
    firing = alert_id(slo.name, (service, slo.endpoint)) in open_ids
    burn = judge(counts, slo.objective, slo.tiers, firing=firing)
    left = 1 - burn_rate(window, slo.objective) if window.total else float("nan")
    if service not in alive or burn.state == "no data":
        state = "no data"
    elif burn.state == "burning":
        state = "burning"
    else:
        state = "spent" if left < 0 else "ok"
    return SloStatus(
        slo=slo,
        service=service,
        state=state,
        window=window,
        burn=burn,
        burn_rate=_shown_rate(burn),
        budget_left=left,
        ts_ms=to_ms,
    )


def _shown_rate(burn: Burn) -> float:
    """The rate of the tier that burns; else of the second fastest, steadier than the fastest."""
    if burn.tier is not None:
        return burn.tier.burn_long
    steady = burn.tiers[min(1, len(burn.tiers) - 1)] if burn.tiers else None
    return steady.burn_long if steady is not None and steady.long.total else float("nan")


def _finding(
    store: Store,
    status: SloStatus,
    slices: Sequence[SliceCount],
    edges: Sequence[int],
    to_ms: int,
    base_url: str,
) -> Finding:
    slo, tier = status.slo, status.burn.tier
    assert tier is not None
    since_ms = to_ms - _burning_for_ms(slices, edges, slo.objective, tier.tier.factor)
    episode = Episode(slo, status.service, since_ms, to_ms, window_ms(tier.tier.long_s))
    found: Diagnosis = diagnose(store, episode, status.budget_left, tier, base_url)
    labels = {"service": status.service, "endpoint": slo.endpoint, "release": found.release}
    return Finding(
        rule=slo.name,
        key=(status.service, slo.endpoint),
        severity=tier.tier.severity,
        labels=labels,
        summary=found.summary,
        started_ms=to_ms,
        details=found.details,
        links=found.links,
    )


def _burning_for_ms(
    slices: Sequence[SliceCount], edges: Sequence[int], objective: float, factor: float
) -> int:
    """How long the newest unbroken run of burning slices is; empty slices do not break it."""
    rates: Mapping[int, float] = {
        index: burn_rate(Count(good, total, 1), objective)
        for index, (good, total) in _summed(slices).items()
        if total > 0
    }
    oldest = None
    for index in sorted(rates):
        if rates[index] >= factor:
            oldest = index
        elif oldest is not None:
            break
    return edges[oldest] if oldest is not None else edges[0]


def _summed(slices: Sequence[SliceCount]) -> dict[int, tuple[float, float]]:
    """A slice can come in two parts: from raw rows and from the roll-up."""
    sums: dict[int, tuple[float, float]] = {}
    for one in slices:
        good, total = sums.get(one.slice, (0.0, 0.0))
        sums[one.slice] = (good + one.good, total + one.total)
    return sums
