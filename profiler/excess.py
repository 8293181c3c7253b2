"""What a canary has more of than the other hosts at the same minutes, and how sure that is.

Each host is set against what its requests would have come to at the control's rates of the same
windows and processor models (indirect standardisation: Breslow and Day 1987, Statistical Methods in
Cancer Research II, 2.3): what moves all hosts cancels out, and sums over windows have no bias where
a window has few requests. Hosts differ for good, so where the time before tells, each host's
difference from its own time before is taken (difference of differences).

The host is the unit of error: canary hosts are told from control hosts by the spread of hosts
within both groups, which also serves for a single canary host (Crawford and Howell 1998, Clin.
Neuropsychol. 12:482). With too few hosts for that, the windows of time are the unit, and the answer
is about these hosts only. The errors of shares are not below those of sampling, and few events must
also pass the exact test of two counts (Przyborowski and Wilenski 1940, Biometrika 31:313).
"""

from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from profiler.statistics import host_ratios

__all__ = ["Excess", "Parts", "excess"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Degrees of freedom below which hosts are too few to be the unit of error.
FREEDOM_MIN = 3
#: A host with a smaller share of its group's median requests says too little of itself.
REQUESTS_SHARE_MIN = 0.1
#: Where sampling is all the error that shows: as good as the normal distribution.
MANY = 1e6


@dataclass(frozen=True, slots=True)
class Parts:
    """One measure, a row per host, window and stratum (W,)."""

    host: Ints
    window: Ints
    stratum: Ints
    """only like strata are compared: processor models"""
    canary: Bools
    count: Floats
    """what is compared: cost, slow requests, failures, bytes"""
    requests: Floats
    """per what: requests, readings"""


@dataclass(frozen=True, slots=True)
class Excess:
    """The canary's rise over the control, on the scale of the test: logarithm of the ratio for
    costs, difference of shares for shares. `error` is its standard error; nan: nothing is known."""

    value: float
    error: float
    freedom: float
    exact_p: float
    """of two counts being alike; 0 where sampling is not the question"""
    unit_of_error: str
    """host or window"""
    reason: str = ""
    """why nothing is known"""

    def p_value(self, limit: float) -> float:
        """One-sided: that the true rise is `limit` at most."""
        if np.isnan(self.error):
            return float("nan")
        if self.error == 0:
            return self.exact_p if self.value > limit else 1.0
        tail = float(special.stdtr(self.freedom, -(self.value - limit) / self.error))
        return max(tail, self.exact_p)

    def interval(self, level: float) -> tuple[float, float]:
        """Each end is wrong with probability `level`."""
        reach = float(special.stdtrit(self.freedom, 1 - level)) * self.error
        return self.value - reach, self.value + reach


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows of one time with what is expected of them."""

    parts: Parts
    expected: Floats


def excess(during: Parts, before: Parts | None, *, share: bool) -> Excess:
    """`during`: both releases at the same minutes; `before`: the same hosts with the control
    release on all of them, `canary` saying which hosts are to run the canary; None: not to be
    looked at. `share`: counts are of requests that had something; else costs."""
    now = _comparable(during)
    if not now.parts.canary.any():
        return _unknown("no minutes in which both releases served on the same processor model")
    then = _comparable(before) if before is not None else None
    found = _by_host(now, then, share)
    if found.reason:
        found = _by_window(now, then, share, before is not None)
    return _with_sampling(found, now, then) if share and not found.reason else found


def _unknown(reason: str) -> Excess:
    nan = float("nan")
    return Excess(nan, nan, nan, nan, "", reason)


def _comparable(parts: Parts) -> _Group:
    """Rows of windows and strata that both groups served, with what is expected of each."""
    strata = int(parts.stratum.max(initial=0)) + 1
    _, cell = np.unique(parts.window * strata + parts.stratum, return_inverse=True)
    cells = int(cell.max()) + 1 if len(cell) else 0
    control = ~parts.canary
    requests = np.bincount(cell, parts.requests * control, minlength=cells)
    count = np.bincount(cell, parts.count * control, minlength=cells)
    theirs = np.bincount(cell, parts.requests * parts.canary, minlength=cells)
    kept = ((requests > 0) & (theirs > 0))[cell]
    rate = count / np.maximum(requests, 1e-300)
    chosen = Parts(
        parts.host[kept], parts.window[kept], parts.stratum[kept], parts.canary[kept],
        parts.count[kept], parts.requests[kept],
    )  # fmt: skip
    return _Group(chosen, (rate[cell] * parts.requests)[kept])


def _told_apart(then: _Group | None) -> TypeGuard[_Group]:
    """The time before tells canary hosts from the others. New hosts have no such time."""
    return then is not None and bool(then.parts.canary.any())


def _by_host(now: _Group, then: _Group | None, share: bool) -> Excess:
    values: list[Floats] = []
    for canary in (True, False):
        one = _host_values(now, canary, share)
        if _told_apart(then):
            earlier = _host_values(then, canary, share)
            one = {host: value - earlier[host] for host, value in one.items() if host in earlier}
        values.append(np.array(list(one.values())))
    theirs, ours = values
    freedom = len(theirs) + len(ours) - 2
    if not len(theirs) or not len(ours) or freedom < FREEDOM_MIN:
        return _unknown("too few hosts")
    spread = float(((theirs - theirs.mean()) ** 2).sum() + ((ours - ours.mean()) ** 2).sum())
    error = np.sqrt(spread / freedom * (1 / len(theirs) + 1 / len(ours)))
    value = float(theirs.mean() - ours.mean())
    return Excess(value, float(error), float(freedom), 0.0, "host")


def _host_values(group: _Group, canary: bool, share: bool) -> dict[int, float]:
    """Host -> how far it is from what was expected of it."""
    parts = group.parts
    at = parts.canary == canary
    hosts, number = np.unique(parts.host[at], return_inverse=True)
    count, requests, expected = _sums(group, at, number, len(hosts))
    enough = requests >= REQUESTS_SHARE_MIN * (np.median(requests) if len(hosts) else 0.0)
    if not share:
        enough &= (count > 0) & (expected > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (count - expected) / requests if share else np.log(count / expected)
    return dict(zip(hosts[enough].tolist(), values[enough].tolist(), strict=True))


def _by_window(now: _Group, then: _Group | None, share: bool, needs_before: bool) -> Excess:
    if needs_before and not _told_apart(then):
        return _unknown(
            "these hosts were not seen with the control release on all of them, and are too few to "
            "tell a release from a host: let the control run before, or compare 5 hosts"
        )
    value, variance, freedom = _waves(now, share)
    if _told_apart(then):
        value_0, variance_0, freedom_0 = _waves(then, share)
        both = variance + variance_0
        parts = variance**2 / freedom + variance_0**2 / freedom_0
        freedom = both**2 / parts if parts > 0 else min(freedom, freedom_0)
        value, variance = value - value_0, both
    if not np.isfinite(variance):
        return _unknown("fewer than 3 windows of time in which both served")
    return Excess(value, float(np.sqrt(variance)), freedom, 0.0, "window")


def _waves(group: _Group, share: bool) -> tuple[float, float, float]:
    """(value, variance, degrees of freedom) of all canary hosts together, by their windows."""
    parts = group.parts
    at = parts.canary
    windows, number = np.unique(parts.window[at], return_inverse=True)
    count, requests, expected = _sums(group, at, number, len(windows))
    numerator, denominator = (count - expected, requests) if share else (count, expected)
    one = np.zeros(len(windows), dtype=np.int64)
    found = host_ratios(numerator[None], denominator, one, windows, 1)
    waves = found.waves
    cosines = waves.shape[2]
    mean = float(found.mean[0, 0])
    if not cosines or (not share and mean <= 0):
        return float("nan"), float("inf"), 1.0
    variance = float((waves[0, 0] ** 2).mean())
    if share:
        return mean, variance, float(cosines)
    return float(np.log(mean)), variance / mean**2, float(cosines)


def _sums(group: _Group, at: Bools, number: Ints, length: int) -> list[Floats]:
    """Count, requests and what was expected, by number."""
    return [
        np.bincount(number, column[at], minlength=length).astype(np.float64)
        for column in (group.parts.count, group.parts.requests, group.expected)
    ]


def _with_sampling(found: Excess, now: _Group, then: _Group | None) -> Excess:
    """Shares: at least the error of counting, and the exact test of both counts."""
    theirs, ours = (_counts(now, canary) for canary in (True, False))
    variance = _sampling(theirs) + _sampling(ours)
    exact = 0.0
    if _told_apart(then):
        variance += sum(_sampling(_counts(then, canary)) for canary in (True, False))
    else:
        part = theirs[1] / (theirs[1] + ours[1])
        exact = float(stats.binom.sf(round(theirs[0]) - 1, round(theirs[0] + ours[0]), part))
    if variance > found.error**2:
        return Excess(found.value, float(np.sqrt(variance)), MANY, exact, found.unit_of_error)
    return Excess(found.value, found.error, found.freedom, exact, found.unit_of_error)


def _counts(group: _Group, canary: bool) -> tuple[float, float]:
    at = group.parts.canary == canary
    return float(group.parts.count[at].sum()), float(group.parts.requests[at].sum())


def _sampling(counts: tuple[float, float]) -> float:
    """Variance of a share; of one more with and one more without, so that it is never 0."""
    share = (counts[0] + 1) / (counts[1] + 2)
    return share * (1 - share) / counts[1]
