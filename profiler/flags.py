"""What each flag value costs, against the flag's control value.

The arms are compared endpoint by endpoint, so that an arm that serves other endpoints is not dearer
for that; the endpoints count by the harmonic mean of both arms' requests. Flags are given to users,
so users are what varies: requests are cut into groups of users, and the error is that of the
groups' sums (ratio estimator, Cochran 1977, Sampling Techniques, 6.3, over clusters; the delta
method of Deng, Knoblich and Lu 2018, KDD, arXiv:1803.06336).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from profiler.records import FlagCost, Interval, Verdict
from profiler.statistics import benjamini_hochberg

__all__ = ["FlagSums", "flag_costs"]

Floats = npt.NDArray[np.float64]

#: Values that are the control where a flag has one of them; otherwise the most frequent is.
CONTROLS = ("control", "off", "false", "0", "no", "none")
REQUESTS_MIN = 50
SIGNIFICANCE = 0.05
ENDPOINTS_TOLD = 3


@dataclass(frozen=True, slots=True)
class FlagSums:
    """Sums per flag value, endpoint, unit and group of users; columns of one length."""

    flag: npt.NDArray[np.str_]
    """name=value"""
    endpoint: npt.NDArray[np.str_]
    unit: npt.NDArray[np.str_]
    group: npt.NDArray[np.int64]
    requests: Floats
    cost: Floats
    users: Floats


@dataclass(frozen=True, slots=True)
class _Arm:
    """(E, G): endpoints x groups of users."""

    requests: Floats
    cost: Floats
    users: float


def flag_costs(sums: FlagSums, seconds: float, budget: float = 0.01) -> list[FlagCost]:
    """Each value but the control of each flag, what costs the fleet most first."""
    found = []
    names = np.array([flag.partition("=")[0] for flag in sums.flag.tolist()], dtype=np.str_)
    for name in np.unique(names).tolist():
        for unit in np.unique(sums.unit[names == name]).tolist():
            if unit != "none":
                found += _values(sums, (names == name) & (sums.unit == unit), name, unit, seconds)
    corrected = benjamini_hochberg([one.p_value for one in found])
    judged = [
        _judged(replace(one, p_corrected=p), budget)
        for one, p in zip(found, corrected, strict=True)
    ]
    return sorted(judged, key=lambda one: (one.verdict == "cannot tell", -abs(one.fleet_per_s)))


def _values(
    sums: FlagSums, chosen: npt.NDArray[np.bool_], name: str, unit: str, seconds: float
) -> list[FlagCost]:
    endpoints = np.unique(sums.endpoint[chosen])
    groups = int(sums.group.max()) + 1
    flags, counts = np.unique(sums.flag[chosen], return_inverse=True)
    if len(flags) < 2:
        return []
    seen = np.bincount(counts, sums.requests[chosen])
    arms = {
        str(flag).partition("=")[2]: _arm(sums, chosen & (sums.flag == flag), endpoints, groups)
        for flag in flags
    }
    frequent = str(flags[int(seen.argmax())]).partition("=")[2]
    control = next((value for value in CONTROLS if value in arms), frequent)
    every = sum(float(arm.requests.sum()) for arm in arms.values())
    return [
        _compared(
            name, value, control, unit, arms[control], arm, endpoints, every / seconds, seconds
        )
        for value, arm in arms.items()
        if value != control
    ]


def _arm(
    sums: FlagSums, chosen: npt.NDArray[np.bool_], endpoints: npt.NDArray[np.str_], groups: int
) -> _Arm:
    at = np.searchsorted(endpoints, sums.endpoint[chosen]), sums.group[chosen]
    requests, cost = np.zeros((len(endpoints), groups)), np.zeros((len(endpoints), groups))
    np.add.at(requests, at, sums.requests[chosen])
    np.add.at(cost, at, sums.cost[chosen])
    return _Arm(requests, cost, float(sums.users[chosen].sum()))


def _compared(
    name: str,
    value: str,
    control: str,
    unit: str,
    off: _Arm,
    on: _Arm,
    endpoints: npt.NDArray[np.str_],
    per_s: float,
    seconds: float,
) -> FlagCost:
    both = (off.requests.sum(axis=1) > 0) & (on.requests.sum(axis=1) > 0)
    counts = [arm.requests[both].sum(axis=1) for arm in (off, on)]
    weight = 1 / (1 / counts[0] + 1 / counts[1])
    weight = weight / weight.sum() if len(weight) else weight
    means = [
        arm.cost[both].sum(axis=1) / count for arm, count in zip((off, on), counts, strict=True)
    ]
    parts = weight * (means[1] - means[0])
    rise, cost_off, cost_on = float(parts.sum()), float(weight @ means[0]), float(weight @ means[1])
    reach, p_value = _spread(off, on, both, counts, means, weight, rise)
    known = bool(both.any())
    order = np.argsort(-np.abs(parts))[:ENDPOINTS_TOLD]
    scale = 1 / cost_off if cost_off else float("nan")
    served = float(on.requests.sum())
    return FlagCost(
        flag=name,
        value=value,
        control=control,
        unit=unit,
        requests=round(served),
        control_requests=round(float(off.requests.sum())),
        users=round(on.users),
        control_users=round(off.users),
        cost=cost_on if known else float("nan"),
        control_cost=cost_off if known else float("nan"),
        difference=Interval(rise, rise - reach, rise + reach),
        relative=Interval(rise * scale, (rise - reach) * scale, (rise + reach) * scale),
        p_value=p_value,
        p_corrected=float("nan"),
        fleet_per_s=rise * served / seconds,
        rollout_per_s=rise * per_s,
        verdict="cannot tell",
        endpoints=tuple(
            (str(endpoints[both][at]), float(means[1][at] - means[0][at])) for at in order.tolist()
        ),
    )


def _spread(
    off: _Arm,
    on: _Arm,
    both: npt.NDArray[np.bool_],
    counts: Sequence[Floats],
    means: Sequence[Floats],
    weight: Floats,
    rise: float,
) -> tuple[float, float]:
    """(half width of the 95% interval, p value) by Welch's t over groups of users."""
    variances, freedoms = [], []
    for arm, count, mean in zip((off, on), counts, means, strict=True):
        residual = arm.cost[both] - mean[:, None] * arm.requests[both]
        influence = (weight / count) @ residual if len(count) else np.zeros(0)
        groups = int((arm.requests[both].sum(axis=0) > 0).sum())
        if groups < 3:
            return float("nan"), float("nan")
        variances.append(float(influence @ influence) * groups / (groups - 1))
        freedoms.append(groups - 1)
    variance = sum(variances)
    if variance <= 0:
        return 0.0, 1.0 if rise == 0 else 0.0
    each = (v**2 / f for v, f in zip(variances, freedoms, strict=True))
    freedom = variance**2 / sum(each)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return reach, float(2 * stats.t.sf(abs(rise) / error, freedom))


def _judged(cost: FlagCost, budget: float) -> FlagCost:
    verdict: Verdict = "cannot tell"
    fewest = min(cost.requests, cost.control_requests)
    if fewest >= REQUESTS_MIN and np.isfinite(cost.relative.low):
        verdict = "no change"
        if cost.p_corrected < SIGNIFICANCE and cost.relative.low > budget:
            verdict = "regression"
        elif cost.p_corrected < SIGNIFICANCE and cost.relative.high < -budget:
            verdict = "improvement"
    return replace(cost, verdict=verdict)
