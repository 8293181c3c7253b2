"""What is to be seen behind an SLO that burns: where, which part of the time grew, which requests.

Parts of the time are compared with the stretch before: the windows of time are the unit of error,
so the intervals speak of these hosts at this time only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from scipy.stats import t as student

from alerting.later import Later
from alerting.rules import Slo
from collector.answers.compare import compare
from collector.answers.sides import Side
from collector.store.error_reads import ErrorGroup, error_groups
from collector.store.slo_reads import (
    BadPart,
    BadRequest,
    TimeByPart,
    bad_by,
    bad_requests,
    time_by_part,
)
from collector.store.store import Store

__all__ = ["PARTS", "Cause", "Episode", "Grown", "read_cause"]

PARTS = {
    "db_ms": "time in the database",
    "cache_ms": "time in the cache",
    "rpc_ms": "time in outgoing calls",
    "cpu_ms": "CPU time",
    "other_ms": "time outside CPU and dependencies",
}
#: A part is named when it explains at least this share of the rise of the wall time.
NAMED_SHARE = 0.2
#: With this share it is named even where few requests leave its interval wide: that they became
#: slower is known, and nothing else can have made them so.
MOST_SHARE = 0.8
#: A smaller rise of the wall time is not looked into.
RISE_MIN = 0.1
#: Stretches are cut into so many windows for the intervals.
WINDOWS = 12
REQUESTS_MAX = 5
ERRORS_MAX = 3


@dataclass(frozen=True, slots=True)
class Episode:
    """The stretch of time that burns: [since_ms, to_ms)."""

    slo: Slo
    service: str
    since_ms: int
    to_ms: int
    window_ms: int

    @property
    def before(self) -> tuple[int, int]:
        """The stretch to compare with: just before, and long enough to have requests in it."""
        length = max(self.to_ms - self.since_ms, self.window_ms, 60_000)
        return max(0, self.since_ms - length), self.since_ms


@dataclass(frozen=True, slots=True)
class Grown:
    """A part of the time of a request, ms, before and now; the 95% interval of its rise."""

    part: str
    before_ms: float
    after_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True)
class Cause:
    """All that was found; empty where nothing was, `error` where it could not be looked for."""

    grew: tuple[Grown, ...] = ()
    worst: tuple[BadPart, ...] = ()
    before: TimeByPart | None = None
    after: TimeByPart | None = None
    requests: tuple[BadRequest, ...] = ()
    errors: tuple[ErrorGroup, ...] = ()
    function: dict[str, Any] | None = None
    error: str = ""


def read_cause(store: Store, episode: Episode) -> Iterator[Cause]:
    """What is known after each answer, the one that says most first. Raises StoreError."""
    slo = episode.slo
    if slo.good.metric is not None:
        return
    where: dict[str, Any] = {"service": episode.service, "endpoint": slo.endpoint}
    kind: dict[str, Any] = {"good": slo.good.kind, "threshold_ms": slo.good.threshold_ms}
    now: dict[str, Any] = {"from_ms": episode.since_ms, "to_ms": episode.to_ms, **where}
    from_ms, until_ms = episode.before
    bad = Later(lambda: bad_by(store, **now, **kind))
    before = Later(
        lambda: time_by_part(store, from_ms=from_ms, to_ms=until_ms, parts=WINDOWS, **where)
    )
    after = Later(lambda: time_by_part(store, parts=WINDOWS, **now))
    requests = Later(lambda: bad_requests(store, limit=200, **now, **kind))
    cause = Cause(worst=tuple(part for part in bad.value() if part.bad > 0))
    yield cause
    cause = replace(
        cause,
        grew=_grew(before.value(), after.value()),
        before=_mean(before.value()),
        after=_mean(after.value()),
    )
    yield cause
    cause = replace(
        cause,
        requests=tuple(requests.value()[:REQUESTS_MAX]),
        errors=_errors(store, episode, requests.value()),
    )
    yield cause
    # A comparison takes longer than all else, and explains slowness, not failures.
    if slo.good.kind == "within" and any(one.part == "cpu_ms" for one in cause.grew):
        yield replace(cause, function=_function(store, episode))


def _grew(before: Sequence[TimeByPart], after: Sequence[TimeByPart]) -> tuple[Grown, ...]:
    """Most grown first, of the parts that explain the rise."""
    a, b = _mean(before), _mean(after)
    if a is None or b is None or b.wall_ms <= a.wall_ms * (1 + RISE_MIN):
        return ()
    enough = NAMED_SHARE * (b.wall_ms - a.wall_ms)
    grown = []
    for part in PARTS:
        old, new = _part(a, part), _part(b, part)
        if new - old >= enough:
            half_ms = _half_width(
                [_part(one, part) for one in before], [_part(one, part) for one in after]
            )
            # Not within chance; too few windows to say (nan) are no reason to be silent.
            most = new - old >= MOST_SHARE * (b.wall_ms - a.wall_ms)
            if most or not half_ms >= new - old:
                grown.append(Grown(part, old, new, new - old - half_ms, new - old + half_ms))
    return tuple(sorted(grown, key=lambda one: one.before_ms - one.after_ms))


def _half_width(a: Sequence[float], b: Sequence[float]) -> float:
    """Of the 95% interval of the difference of two means (Welch); nan for too few windows."""
    if len(a) < 2 or len(b) < 2:
        return float("nan")
    va, vb = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    if va + vb == 0:
        return 0.0
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return float(student.ppf(0.975, freedom) * sqrt(va + vb))


def _mean(parts: Sequence[TimeByPart]) -> TimeByPart | None:
    requests = sum(one.requests for one in parts)
    if not requests:
        return None
    columns = ("wall_ms", "cpu_ms", "db_ms", "cache_ms", "rpc_ms")
    return TimeByPart(
        requests,
        *(sum(getattr(one, c) * one.requests for one in parts) / requests for c in columns),
    )


def _part(time: TimeByPart, part: str) -> float:
    if part != "other_ms":
        return float(getattr(time, part))
    known = sum(getattr(time, one) for one in PARTS if one != "other_ms")
    return float(max(0.0, time.wall_ms - known))


def _errors(
    store: Store, episode: Episode, requests: Sequence[BadRequest]
) -> tuple[ErrorGroup, ...]:
    """The errors that bad requests ended in, most frequent first."""
    seen = {request.error_fp for request in requests} - {0}
    if not seen:
        return ()
    groups = error_groups(
        store, from_ms=episode.since_ms, to_ms=episode.to_ms, service=episode.service, limit=100
    )
    return tuple(group for group in groups if group.error_fp in seen)[:ERRORS_MAX]


def _function(store: Store, episode: Episode) -> dict[str, Any] | None:
    """The own-code function whose CPU per request surely rose, with its interval."""
    from_ms, until_ms = episode.before
    sides = (
        Side("window:before", "", "", "", from_ms, until_ms),
        Side("window:now", "", "", "", episode.since_ms, episode.to_ms),
    )
    found = compare(store, *sides, service=episode.service, endpoint=episode.slo.endpoint).data
    if found.guilty is None:
        return None
    rise = found.guilty.difference
    return {
        "function": found.guilty.function,
        "endpoint": found.guilty.endpoint,
        "rise_ms": rise.value / 1e6,
        "low_ms": rise.low / 1e6,
        "high_ms": rise.high / 1e6,
        "rise_share": found.guilty.rise_share,
    }
