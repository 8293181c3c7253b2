"""What a canary is tested for: measures of endpoints, out of sums per host and window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from profiler.canary_records import CanaryLimits
from profiler.excess import Parts

__all__ = ["CanaryData", "Memory", "Seen", "Statuses", "Tested", "tested_until"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]

#: Requests of an endpoint on each side below which it is not tested.
REQUESTS_MIN = 50
#: Answers with a status, on both sides together, below which it is not tested.
STATUS_MIN = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """Sums per host, window, release, endpoint, unit, processor model and warmth (W,)."""

    host: Ints
    window: Ints
    canary: Bools
    endpoint: Texts
    unit: Texts
    model: Ints
    warm: Bools
    requests: Floats
    """with a cost: not killed"""
    every: Floats
    failed: Floats
    """of every"""
    cost: Floats
    slow: Floats
    """of requests: slower than the control's P95"""


@dataclass(frozen=True, slots=True)
class Statuses:
    """Requests per host, window, release, endpoint and status (W,)."""

    host: Ints
    window: Ints
    canary: Bools
    endpoint: Texts
    status: Ints
    requests: Floats


@dataclass(frozen=True, slots=True)
class Memory:
    """Readings of workers' resident memory per host, window and release (W,)."""

    host: Ints
    window: Ints
    canary: Bools
    bytes: Floats
    """sum over the readings"""
    readings: Floats


@dataclass(frozen=True, slots=True)
class CanaryData:
    """`before`: the same hosts before the canary's first request, where `canary` says which hosts
    are to run it."""

    during: Seen
    before: Seen
    statuses: Statuses
    memory: Memory
    memory_before: Memory


@dataclass(frozen=True, slots=True)
class Tested:
    """One measure of one endpoint: what is tested, and what it is called."""

    endpoint: str
    measure: str
    unit: str
    during: Parts
    before: Parts | None
    share: bool
    limit: float


def tested_until(data: CanaryData, limits: CanaryLimits, until: int) -> Iterator[Tested]:
    """All that can be tested from the windows before `until`; dearest endpoints first."""
    now = _cut(data.during, data.during.window < until)
    for endpoint in _endpoints(now):
        one = _cut(now, now.endpoint == endpoint)
        before = _cut(data.before, data.before.endpoint == endpoint)
        for unit in sorted(set(one.unit.tolist()) - {"none"}):
            cost = _costs(one, unit)
            if _enough(cost):
                earlier = _costs(before, unit)
                yield Tested(endpoint, "cost", unit, cost, earlier, False, limits.cost)
        slow = _slow(one)
        if _enough(slow):
            yield Tested(endpoint, "latency", "share", slow, _slow(before), True, limits.latency)
        failed = _every(one, one.failed)
        yield Tested(endpoint, "errors", "share", failed, None, True, limits.errors)
        yield from _by_status(data.statuses, one, endpoint, limits.status, until)
    memory = _bytes(data.memory, until)
    if memory.canary.any() and not memory.canary.all():
        before_bytes = _bytes(data.memory_before, until)
        yield Tested("", "memory", "bytes", memory, before_bytes, False, limits.memory)


def _by_status(
    said: Statuses, one: Seen, endpoint: str, limit: float, until: int
) -> Iterator[Tested]:
    chosen = (said.endpoint == endpoint) & (said.window < until)
    every = _every(one, np.zeros(len(one.host)))
    for status in _statuses(said, chosen):
        counted = _with(every, said, chosen & (said.status == status))
        yield Tested(endpoint, str(status), "share", counted, None, True, limit)


def _endpoints(now: Seen) -> list[str]:
    """Those with enough requests on both sides; the control's dearest first."""
    found = []
    for endpoint in np.unique(now.endpoint).tolist():
        at = now.endpoint == endpoint
        numbers = [float(now.every[at & (now.canary == side)].sum()) for side in (True, False)]
        if min(numbers) >= REQUESTS_MIN:
            found.append((-float(now.cost[at & ~now.canary].sum()), endpoint))
    return [endpoint for _, endpoint in sorted(found)]


def _cut(rows: Seen, at: Bools) -> Seen:
    return Seen(*(getattr(rows, name)[at] for name in Seen.__slots__))


def _enough(parts: Parts) -> bool:
    numbers = [float(parts.requests[parts.canary == side].sum()) for side in (True, False)]
    return min(numbers) >= REQUESTS_MIN


def _costs(rows: Seen, unit: str) -> Parts:
    at = (rows.unit == unit) & rows.warm
    model = rows.model if unit == "cpu_ns" else np.zeros_like(rows.model)
    return _parts(rows, at, model, rows.cost, rows.requests)


def _slow(rows: Seen) -> Parts:
    return _parts(rows, rows.warm, np.zeros_like(rows.model), rows.slow, rows.requests)


def _every(rows: Seen, count: Floats) -> Parts:
    at = np.ones(len(rows.host), dtype=np.bool_)
    return _parts(rows, at, np.zeros_like(rows.model), count, rows.every)


def _parts(rows: Seen, at: Bools, stratum: Ints, count: Floats, requests: Floats) -> Parts:
    return Parts(
        rows.host[at], rows.window[at], stratum[at], rows.canary[at], count[at], requests[at]
    )


def _statuses(said: Statuses, chosen: Bools) -> list[int]:
    """Redirects and client errors: failures are in `errors`. How often both sides together gave
    one says nothing of which gave it more, so this choice costs no error rate."""
    return [
        status
        for status in np.unique(said.status[chosen]).tolist()
        if 300 <= status < 500
        and said.requests[chosen & (said.status == status)].sum() >= STATUS_MIN
    ]


def _with(every: Parts, said: Statuses, at: Bools) -> Parts:
    """All requests, with rows of those that had the status beside them."""
    number = int(at.sum())
    more = (
        said.host[at], said.window[at], np.zeros(number, dtype=np.int64), said.canary[at],
        said.requests[at], np.zeros(number),
    )  # fmt: skip
    pairs = zip(Parts.__slots__, more, strict=True)
    return Parts(*(np.concatenate([getattr(every, name), column]) for name, column in pairs))


def _bytes(rows: Memory, until: int) -> Parts:
    at = rows.window < until
    stratum = np.zeros(int(at.sum()), dtype=np.int64)
    return Parts(
        rows.host[at], rows.window[at], stratum, rows.canary[at], rows.bytes[at], rows.readings[at]
    )
