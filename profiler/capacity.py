"""How many requests a second a host can serve before its slow requests become too slow.

Two stations, each a queue with several servers and general times (M/G/k): the cores, which a
request holds for its CPU time, and the workers' threads, which it holds from its start to its end.
The one that is nearer to full sets the wait. That one waits at all has Erlang's probability
C(k, a); the wait's mean is the Allen-Cunneen approximation
    W = C(k, a) / (k / s - r) * (1 + cv2) / 2
(Allen, Probability, Statistics and Queueing Theory, 2nd ed., 5.3.5; Whitt, Approximations for the
GI/G/m queue, 1993), where requests arrive at rate r and take s with squared coefficient of
variation cv2; among those that wait it is taken as exponential (exact for M/M/k, right in heavy
traffic: Kingman 1962). Latency is the measured wall time plus that wait, as if independent.

What it does not see: bursts beyond random arrivals, locks that grow with load, caches that miss
more. Other processes keep the CPU that they use, or where that would be less for these workers
each running thread has an equal part (no nice values or CPU weights). So a figure is "about".
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from profiler.histogram import wall_edges_ns
from profiler.pool import NOT_MEASURED, Pool

__all__ = ["Capacity", "capacity", "erlang_c", "late_share"]

NS = 1e9
STEPS = 60
#: A load at which times were measured above this says more of that load than of the requests.
LOADED = 0.5


@dataclass(frozen=True, slots=True)
class Capacity:
    """Requests a second on one host; nan where nothing can be said, with the reason in `says`.

    `share` of the requests are to take at most `limit_ms`.
    """

    service: str
    host: str
    limit_ms: float
    share: float
    #: about where the SLO is left
    per_s: float
    #: where all cores or all workers are full, if nothing else ran on the host and requests took
    #: as long as they did: no more than that, whatever the SLO
    per_s_most: float
    #: the mean of the window, and its busiest minute
    per_s_now: float
    per_s_peak: float
    #: cores or workers
    bottleneck: str
    #: how full it was, 0..1
    utilization: float
    #: one sentence for people
    says: str


def capacity(pool: Pool, limit_ms: float, share: float = 0.99) -> Capacity:
    """Where `share` of a pool's requests begin to take longer than `limit_ms`."""
    missing = _missing(pool)
    if missing:
        return _unknown(pool, limit_ms, share, f"Not measured: {missing}.")
    stations = {"cores": _cores(pool), "workers": _threads(pool)}
    full = {name: station.servers / station.held_s for name, station in stations.items()}
    bottleneck = min(full, key=lambda name: full[name])
    station, most = stations[bottleneck], full[bottleneck]
    bound = min(min(pool.cores, pool.workers) * NS / pool.cpu_ns, full["workers"])
    utilization = pool.per_s / most
    alone = late_share(pool.wall_hist, limit_ms * NS / 1000, 0.0, 1.0)
    if alone > 1 - share:
        says = (
            f"{alone:.1%} of the requests take longer than {limit_ms:g} ms as it is, without more"
            " load: the SLO is not kept at any rate."
        )
        return _unknown(pool, limit_ms, share, says)
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        waiting, wait_s = station.wait(middle)
        late = late_share(pool.wall_hist, limit_ms * NS / 1000, waiting, wait_s * NS)
        low, high = (middle, high) if late <= 1 - share else (low, middle)
    says = (
        f"About {low:.3g} requests/s on {pool.host} until P{100 * share:g} leaves {limit_ms:g} ms:"
        f" the {bottleneck} are {low / most:.0%} full then ({pool.per_s:.3g} requests/s now)."
    )
    if utilization > LOADED:
        says += " Measured under load, so the true figure may be higher."
    return Capacity(
        pool.service, pool.host, limit_ms, share, low, bound, pool.per_s, pool.peak_per_s,
        bottleneck, utilization, says,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Station:
    servers: float
    held_s: float
    cv2: float

    def wait(self, per_s: float) -> tuple[float, float]:
        """(share of the requests that wait, how long those wait at the mean)."""
        offered = per_s * self.held_s
        if offered >= self.servers:
            return 1.0, math.inf
        spare = self.servers / self.held_s - per_s
        return erlang_c(self.servers, offered), (1 + self.cv2) / 2 / spare


def _cores(pool: Pool) -> _Station:
    """The cores that others leave; a worker can use one, whatever its threads (the GIL).

    Others keep what they use, unless there are so few of them that a scheduler that gives each
    thread the same would leave these workers more.
    """
    own = pool.per_s * pool.cpu_ns / NS
    others = max(0.0, pool.host_cpu_share * pool.cores - own)
    left = pool.cores - others
    if pool.host_running >= 0:
        threads = max(others, pool.host_running - own)
        left = max(left, pool.cores * pool.workers / (pool.workers + threads))
    left = max(0.1, min(left, pool.workers))
    return _Station(left, pool.cpu_ns / NS, pool.cpu_cv2)


def _threads(pool: Pool) -> _Station:
    return _Station(pool.slots, pool.wall_ns / NS, pool.wall_cv2)


def erlang_c(servers: float, offered: float) -> float:
    """The share of arrivals that must wait at `servers` with `offered` of them busy at the mean.

    By Erlang B's recursion for whole numbers; between them, in proportion.
    """
    if offered <= 0:
        return 0.0
    if offered >= servers:
        return 1.0
    if servers < 1:
        return offered / servers  # one server that is slower
    below = math.floor(servers)
    part = servers - below
    values = [_erlang_c(count, offered) for count in (below, below + 1)]
    return min(1.0, values[0] * (1 - part) + values[1] * part)


def _erlang_c(servers: int, offered: float) -> float:
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return servers * blocked / (servers - offered * (1 - blocked))


def late_share(hist: Mapping[int, float], limit_ns: float, waiting: float, wait_ns: float) -> float:
    """The share of requests over the limit, if `waiting` of them first wait, `wait_ns` at the mean.

    Times stand for their bucket's upper edge where that is within the limit, so that the answer
    errs on the careful side by less than a bucket.
    """
    total = late = 0.0
    for bucket, count in hist.items():
        low_ns, high_ns = wall_edges_ns(bucket)
        total += count
        if low_ns >= limit_ns:
            late += count
        elif math.isinf(wait_ns):
            late += count * waiting
        else:
            room_ns = max(0.0, limit_ns - high_ns)
            late += count * waiting * math.exp(-room_ns / wait_ns)
    return late / total if total else NOT_MEASURED


def _missing(pool: Pool) -> str:
    wanted = {
        "requests": pool.requests or NOT_MEASURED,
        "CPU time per request": pool.cpu_ns,
        "the number of workers": pool.workers,
        "the host's cores": pool.cores,
        "the host's CPU use": pool.host_cpu_share,
    }
    names = [name for name, value in wanted.items() if not value > 0]
    return ", ".join(names)


def _unknown(pool: Pool, limit_ms: float, share: float, says: str) -> Capacity:
    nan = NOT_MEASURED
    return Capacity(
        pool.service, pool.host, limit_ms, share, nan, nan, pool.per_s, pool.peak_per_s, "", nan,
        says,
    )  # fmt: skip
