"""When an SLO's alerts would have fired, over a long time at once; pure.

The same judgement as `burn.judge` and `lifecycle.LifeCycle` make step by step, on arrays: a month
of minutes takes a fraction of a second. A test holds the two against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import pdtrc

from alerting.burn import BAD_MIN, TOTAL_ENOUGH, Tier

__all__ = ["Fired", "replay"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert: the steps at whose end it fired and resolved (None: it still fires at the end),
    its gravest severity and the factor of the tier that fired first."""

    start: int
    end: int | None
    severity: str
    factor: float


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
    first = np.full(len(total), -1)
    for index in reversed(range(len(judged))):
        first[judged[index].burning] = index
    goes_on = np.any([one.goes_on for one in judged], axis=0)
    keep = max(0, round(keep_firing_s / step_s))
    fired: list[Fired] = []
    now: Fired | None = None
    true_at = 0
    # Only steps at which something can change are looked at.
    for step in np.flatnonzero((first >= 0) | goes_on | unknown | _after(first >= 0, keep)):
        index = int(first[step])
        if index >= 0:
            tier = tiers[index]
            if now is None:
                now = Fired(int(step), None, tier.severity, tier.factor)
            elif tier.severity == "page" and now.severity != "page":
                now = Fired(now.start, None, "page", now.factor)
            true_at = int(step)
        elif now is not None and (goes_on[step] or unknown[step]):
            true_at = int(step)
        elif now is not None and step - true_at >= keep:
            fired.append(Fired(now.start, int(step), now.severity, now.factor))
            now = None
    return [*fired, now] if now is not None else fired


def _after(burning: Any, keep: int) -> Any:
    """Every step from the first burning one on: an alert may be open there."""
    return np.logical_or.accumulate(burning) if keep >= 0 else burning


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
