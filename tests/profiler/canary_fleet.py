"""A fleet with a canary and known truth, as columns: what `profiler.canary.watch` is given.

Hosts have speeds and error rates of their own, the fleet's load moves with time for all hosts
alike, and each host wanders by itself with a correlation from window to window.
"""

from dataclasses import dataclass

import numpy as np

from profiler.canary import LOOKS, Plan
from profiler.canary_measures import CanaryData, Memory, Seen, Statuses
from profiler.canary_records import CanaryLimits

WINDOWS = 60
ENDPOINTS = ("GET /feed/", "GET /media/<id>/")
COSTS_NS = (8e6, 2e6)
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Fleet:
    """Rises are of the canary, from its first request on, beside what hosts and time do."""

    canary_hosts: int = 1
    hosts: int = 7
    requests: float = 30.0
    host_spread: float = 0.1
    wander: float = 0.03
    correlation: float = 0.5
    time_spread: float = 0.1
    cost_rise: float = 0.0
    slow_rise: float = 0.0
    error_rate: float = 0.01
    error_rise: float = 0.0
    gone_rate: float = 0.02
    gone_rise: float = 0.0
    memory_rise: float = 0.0
    history: bool = True
    """the control release ran on all hosts before"""
    unit: str = "cpu_ns"


def simulated(fleet: Fleet, rng: np.random.Generator) -> CanaryData:
    """One roll-out. Canary hosts are those with the lowest numbers."""
    speed = rng.lognormal(0, fleet.host_spread, fleet.hosts)
    held = rng.normal(100, 3, fleet.hosts) * MEGABYTE
    now = _time(fleet, rng, speed, first=WINDOWS, canary=True)
    then = _time(fleet, rng, speed, first=0, canary=False)
    if not fleet.history:
        then = then[0][:0], then[1][:0]
    return CanaryData(
        _seen(fleet, now[0]),
        _seen(fleet, then[0]),
        _statuses(fleet, now[1]),
        _memory(fleet, rng, held, first=WINDOWS, rise=fleet.memory_rise),
        _memory(fleet, rng, held, first=0, rise=0.0),
    )


def plan(look: int = LOOKS, limits: CanaryLimits | None = None) -> Plan:
    """Windows of 10 s, ten minutes; `look` of LOOKS are due."""
    return Plan(
        "r2", "r1", "shop", 1_000, 600.0, 600.0 * look / LOOKS, WINDOWS, WINDOWS, look,
        limits or CanaryLimits(),
    )  # fmt: skip


def _time(
    fleet: Fleet, rng: np.random.Generator, speed: np.ndarray, *, first: int, canary: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (host, window, endpoint, requests, failed, cost, slow), rows of status 404."""
    shape = (fleet.hosts, WINDOWS)
    moves = _wandering(rng, shape, fleet.wander, fleet.correlation)
    moves = moves + rng.normal(0, fleet.time_spread, WINDOWS)
    new = (np.arange(fleet.hosts) < fleet.canary_hosts)[:, None] & canary
    host, window = np.indices(shape)
    rows, gone = [], []
    for number, cost_ns in enumerate(COSTS_NS):
        requests = rng.poisson(fleet.requests, shape)
        each = cost_ns * speed[:, None] * np.exp(moves) * (1 + fleet.cost_rise * new)
        cost = np.where(requests > 0, rng.gamma(np.maximum(requests, 1) * 4, each / 4), 0)
        slow = rng.binomial(requests, np.clip(0.05 + fleet.slow_rise * new, 0, 1))
        failed = rng.binomial(requests, fleet.error_rate + fleet.error_rise * new)
        missing = rng.binomial(requests, fleet.gone_rate + fleet.gone_rise * new)
        at = np.full(shape, number)
        columns = (host, window + first, at, requests, failed, cost, slow)
        rows.append(np.stack(columns, axis=-1).reshape(-1, 7))
        without = (host, window + first, at, missing)
        gone.append(np.stack(without, axis=-1).reshape(-1, 4))
    found = np.concatenate(rows)
    return found[found[:, 3] > 0], np.concatenate(gone)


def _wandering(
    rng: np.random.Generator, shape: tuple[int, int], spread: float, correlation: float
) -> np.ndarray:
    """Each row an AR(1) with this standard deviation."""
    noise = rng.normal(0, spread * np.sqrt(1 - correlation**2), shape)
    noise[:, 0] = rng.normal(0, spread, shape[0])
    for window in range(1, shape[1]):
        noise[:, window] += correlation * noise[:, window - 1]
    return noise


def _seen(fleet: Fleet, rows: np.ndarray) -> Seen:
    host, window, endpoint = (rows[:, at].astype(np.int64) for at in range(3))
    return Seen(
        host=host,
        window=window,
        canary=host < fleet.canary_hosts,
        endpoint=np.array(ENDPOINTS)[endpoint],
        unit=np.full(len(rows), fleet.unit),
        model=np.zeros(len(rows), dtype=np.int64),
        warm=np.ones(len(rows), dtype=bool),
        requests=rows[:, 3],
        every=rows[:, 3],
        failed=rows[:, 4],
        cost=rows[:, 5],
        slow=rows[:, 6],
    )


def _statuses(fleet: Fleet, rows: np.ndarray) -> Statuses:
    host = rows[:, 0].astype(np.int64)
    return Statuses(
        host=host,
        window=rows[:, 1].astype(np.int64),
        canary=host < fleet.canary_hosts,
        endpoint=np.array(ENDPOINTS)[rows[:, 2].astype(np.int64)],
        status=np.full(len(rows), 404),
        requests=rows[:, 3],
    )


def _memory(
    fleet: Fleet, rng: np.random.Generator, held: np.ndarray, *, first: int, rise: float
) -> Memory:
    host, window = (column.reshape(-1) for column in np.indices((fleet.hosts, WINDOWS)))
    new = host < fleet.canary_hosts
    level = held * (1 + rng.normal(0, 0.01, fleet.hosts))
    return Memory(
        host=host,
        window=window + first,
        canary=new,
        bytes=level[host] * (1 + rise * new) * (1 + rng.normal(0, 0.002, len(host))),
        readings=np.ones(len(host)),
    )
