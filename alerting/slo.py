"""Evaluates one SLO: counts requests by window, judges the burn, says what an alert must say."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from alerting.alerts import SEVERITIES, Check, Finding, alert_id
from alerting.burn import Burn, Count, TierBurn, burn_rate, judge, window_ms
from alerting.diagnosis import Episode, Patience, diagnose
from alerting.rules import Slo
from alerting.slo_reading import PARTS, SloCounts, windows_of
from collector.store.slo_counts import SliceCount, slice_edges
from collector.store.store import Store

__all__ = ["SloStatus", "burning_for_ms", "check_slo", "count_windows"]

Floats = npt.NDArray[np.float64]
#: A change of the share of bad requests is one from so much log likelihood on.
GAIN_MIN = 3.0


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


@dataclass(frozen=True, slots=True)
class _Burning:
    """One SLO that burns, with what it was judged from."""

    status: SloStatus
    slices: Sequence[SliceCount]
    edges: Sequence[int]
    to_ms: int

    @property
    def tier(self) -> TierBurn:
        assert self.status.burn.tier is not None
        return self.status.burn.tier


def check_slo(
    store: Store,
    slo: Slo,
    to_ms: int,
    alive: Container[str],
    is_open: Mapping[str, str],
    base_url: str,
    counts: SloCounts | None = None,
    patience: Patience | None = None,
    fresh_ms: int = 0,
) -> tuple[Check, list[SloStatus]]:
    """Judge `slo` for each service that has such requests. `to_ms`: the end of all windows.

    `alive`: the services that sent anything of late; of the others nothing is known now. Of those
    with requests that are younger than `fresh_ms` it is not asked. `is_open`: the severity of each
    alert that fires. `counts`: as read for all SLOs together. `patience`: how long all alerts of
    this look may wait for what they say.
    """
    windows = windows_of(slo)
    edges = slice_edges(windows, PARTS)
    counts = counts or SloCounts(store, to_ms, [slo])
    patience = patience or Patience()
    statuses: list[SloStatus] = []
    findings: list[Finding] = []
    unknown: set[str] = set()
    by_service = _by_service(counts.of(slo)) or {slo.service: []}
    for service, slices in by_service.items():
        one = alert_id(slo.name, (service, slo.endpoint))
        lives = _is_fresh(slices, edges, fresh_ms) or service in alive
        status = _status(slo, service, slices, edges, windows, to_ms, lives, is_open.get(one, ""))
        statuses.append(status)
        if status.state == "no data":
            unknown.add(one)
        elif status.state == "burning":
            burning = _Burning(status, slices, edges, to_ms)
            findings.append(
                _still(burning)
                if _known_already(burning, is_open.get(one, ""))
                else _finding(store, burning, base_url, patience)
            )
    open_ids = frozenset(is_open)
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
    lives: bool,
    firing: str,
) -> SloStatus:
    counts = count_windows(slices, edges, windows)
    window = counts[window_ms(slo.window_s)]
    burn = judge(counts, slo.objective, slo.tiers, firing=firing)
    left = 1 - burn_rate(window, slo.objective) if window.total else float("nan")
    if not lives or burn.state == "no data":
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


def _is_fresh(slices: Sequence[SliceCount], edges: Sequence[int], fresh_ms: int) -> bool:
    return any(edges[one.slice] <= fresh_ms for one in slices if one.slice < len(edges))


def _shown_rate(burn: Burn) -> float:
    """The rate of the tier that burns; else of the second fastest, steadier than the fastest."""
    if burn.tier is not None:
        return burn.tier.burn_long
    steady = burn.tiers[min(1, len(burn.tiers) - 1)] if burn.tiers else None
    return steady.burn_long if steady is not None and steady.long.total else float("nan")


def _known_already(burning: _Burning, severity: str) -> bool:
    """Whether the alert fires already and is no graver now: nothing new is to be said."""
    return bool(severity) and SEVERITIES.index(burning.tier.tier.severity) <= SEVERITIES.index(
        severity
    )


def _still(burning: _Burning) -> Finding:
    """It goes on: what it said when it fired stands."""
    status = burning.status
    return Finding(
        rule=status.slo.name,
        key=(status.service, status.slo.endpoint),
        severity=burning.tier.tier.severity,
        labels={"service": status.service, "endpoint": status.slo.endpoint},
        summary="",
        started_ms=burning.to_ms,
    )


def _finding(store: Store, burning: _Burning, base_url: str, patience: Patience) -> Finding:
    status, tier = burning.status, burning.tier
    slo = status.slo
    since_ms = burning.to_ms - burning_for_ms(burning.slices, burning.edges)
    episode = Episode(slo, status.service, since_ms, burning.to_ms, window_ms(tier.tier.long_s))
    found = diagnose(store, episode, status.budget_left, tier, base_url, patience)
    labels = {"service": status.service, "endpoint": slo.endpoint, "release": found.release}
    if found.region:
        labels["region"] = found.region
    return Finding(
        rule=slo.name,
        key=(status.service, slo.endpoint),
        severity=tier.tier.severity,
        labels=labels,
        summary=found.summary,
        started_ms=burning.to_ms,
        details=found.details,
        links=found.links,
    )


def burning_for_ms(slices: Sequence[SliceCount], edges: Sequence[int]) -> int:
    """How long ago it most likely began: the age at which one share of bad requests before it and a
    higher one after it fit best (binomial likelihoods). Where no such change is to be seen it was
    so from the oldest request on."""
    sums = sorted((one, counts) for one, counts in _summed(slices).items() if counts[1] > 0)
    if not sums:
        return edges[0]
    total = np.array([n for _, (_, n) in sums])
    newer, newer_bad = np.cumsum(total), np.cumsum([n - good for _, (good, n) in sums])
    older, older_bad = newer[-1] - newer, newer_bad[-1] - newer_bad
    gain = _likelihood(newer_bad, newer) + _likelihood(older_bad, older)
    gain -= _likelihood(newer_bad[-1:], newer[-1:])
    rose = newer_bad * np.maximum(older, 1e-9) > older_bad * newer
    best = int(np.argmax(np.where(rose, gain, -np.inf)))
    seen = best if gain[best] >= GAIN_MIN else -1
    return edges[sums[seen][0]]


def _likelihood(bad: Floats, total: Floats) -> Floats:
    """Log likelihood of so many bad ones at the share that fits them best."""
    good, all_of = total - bad, np.maximum(total, 1e-9)
    found: Floats = xlogy(bad, bad / all_of) + xlogy(good, good / all_of)
    return found


def _summed(slices: Sequence[SliceCount]) -> dict[int, tuple[float, float]]:
    """A slice can come in two parts: from raw rows and from the roll-up."""
    sums: dict[int, tuple[float, float]] = {}
    for one in slices:
        good, total = sums.get(one.slice, (0.0, 0.0))
        sums[one.slice] = (good + one.good, total + one.total)
    return sums
