"""When an SLO's alerts would have fired, over a long time at once; pure.

The same judgement as `burn.judge` and `lifecycle.LifeCycle` make step by step, on arrays: a month
of minutes takes a fraction of a second. A test holds the two against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import pdtrc

from alerting.alerts import SEVERITIES
from alerting.burn import BAD_MIN, TOTAL_ENOUGH, Tier

__all__ = ["Fired", "replay"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert: the steps at whose end it fired and resolved (None: it still fires at the end),
    its gravest severity, the factor of the tier that fired first, and the steps at which it paged:
    an alert that eased and became grave again does so once more."""

    start: int
    end: int | None
    severity: str
    factor: float
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """One tier at every step."""

    tier: Tier
    burning: npt.NDArray[np.bool_]
    #: burning if the alert fires already: nothing at all came in the short window
    goes_on: npt.NDArray[np.bool_]
    no_data: npt.NDArray[np.bool_]


def replay(
    good: Floats,
    total: Floats,
    *,
    step_s: float,
    objective: float,
    tiers: Sequence[Tier],
    keep_firing_s: float,
) -> list[Fired]:
    """`good`, `total`: requests by step, oldest first; evaluated at the end of every step."""
    judged = [_judge(good, total, step_s, objective, tier) for tier in tiers]
    if not judged:
        return []
    unknown = np.all([one.no_data for one in judged], axis=0)
    keep = max(0, round(keep_firing_s / step_s))
    first_any = np.any([one.burning for one in judged], axis=0)
    fired: list[Fired] = []
    now: Fired | None = None
    severity, true_at, grave_at = "", 0, 0
    # Before the first burn nothing can be open.
    for step in map(int, np.flatnonzero(np.logical_or.accumulate(first_any))):
        tier = _burning(judged, step, severity if now else "")
        if tier is not None:
            true_at = step
            if now is None:
                now, severity = Fired(step, None, tier.severity, tier.factor), ""
            if _rank(tier.severity) > _rank(severity):
                severity = tier.severity
                now = _told(now, severity, step)
            if _rank(tier.severity) >= _rank(severity):
                grave_at = step
            elif step - grave_at >= keep:
                severity = tier.severity
        elif now is not None and unknown[step]:
            true_at = step
        elif now is not None and step - true_at >= keep:
            fired.append(replace(now, end=step))
            now = None
    return [*fired, now] if now is not None else fired


def _burning(judged: Sequence[_Judged], step: int, firing: str) -> Tier | None:
    """The fastest tier that burns; silence in its short window keeps one going, if the alert fires
    as gravely."""
    for one in judged:
        silent = one.goes_on[step] and _rank(one.tier.severity) <= _rank(firing)
        if one.burning[step] or silent:
            return one.tier
    return None


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity else -1


def _told(one: Fired, severity: str, step: int) -> Fired:
    """With one more notification."""
    gravest = max(one.severity, severity, key=_rank)
    pages = (*one.pages, step) if severity == "page" else one.pages
    return replace(one, severity=gravest, pages=pages)


def _judge(good: Floats, total: Floats, step_s: float, objective: float, tier: Tier) -> _Judged:
    long_n, short_n = (max(1, round(s / step_s)) for s in (tier.long_s, tier.short_s))
    long, short = _sums(total, long_n), _sums(total, short_n)
    long_bad, short_bad = _sums(total - good, long_n), _sums(total - good, short_n)
    covered = _sums((total > 0).astype(np.float64), long_n) / long_n
    enough = (covered >= 0.5) | (long >= TOTAL_ENOUGH)
    factor = tier.factor * (1 - 1e-9) * (1 - objective)
    sure = pdtrc(np.maximum(np.round(long_bad) - 1, 0), (1 - objective) * long)
    matters = (
        enough
        & (long > 0)
        & (long_bad >= factor * long)
        & (long_bad >= BAD_MIN)
        & (sure < 1 - tier.confidence)
    )
    going_on = (short > 0) & (short_bad >= factor * short)
    return _Judged(tier, matters & going_on, matters & (short <= 0), long <= 0)


def _sums(values: Floats, n: int) -> Floats:
    """The sum of the newest `n` values, at every step."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    summed: Floats = np.round(sums[ends] - sums[np.maximum(ends - n, 0)], 6)
    return summed
