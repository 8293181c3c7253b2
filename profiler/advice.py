"""What to set for uWSGI, from what was measured: one rule a setting, each with its numbers.

The rules and the practice behind them are Instagram's (memory bounds the processes, shared pages,
restarts by what is private, starvation by waits on the network), with two textbook formulas:
processes to keep the cores busy = cores * (1 + wait / CPU) (Goetz et al., Java Concurrency in
Practice, 8.2), and workers for a load = L + 2 * sqrt(L) with L = rate * time (Little; square-root
staffing: Halfin and Whitt 1981).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from profiler.pool import Pool

__all__ = ["Advice", "State", "advise", "needed_workers", "sizes"]

State = Literal["change", "keep", "not measured"]

NS = 1e9
#: Of the memory, left for page cache and peaks.
MEMORY_RESERVE = 0.1
#: At this share of busy threads, arrivals begin to wait.
BUSY = 0.9
#: Below this, cores have time left.
IDLE_CPU = 0.7
#: uWSGI's own default.
LISTEN = 100.0
LISTEN_LEAST = 1024
#: Growth smaller than this a request is noise of the allocator, bytes.
GROWTH_LEAST = 64.0
RESTART_REQUESTS_LEAST = 1_000
#: A worker this many times below its share of memory comes nowhere near it.
FAR = 10
PROCESSES_MOST = 512


@dataclass(frozen=True, slots=True)
class Advice:
    """One setting. `line`: what to write into the ini, "" where nothing is to be written.

    `numbers`: what the reason rests on, by name with the unit last.
    """

    setting: str
    state: State
    line: str
    reason: str
    numbers: dict[str, float]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many processes: what memory allows, what the cores can use, what the load needs.

    nan where it was not measured.
    """

    memory_bound: float
    cpu_bound: float
    needed_peak: float
    needed_mean: float
    processes: float


def advise(pool: Pool) -> tuple[Advice, ...]:
    """Every rule's advice."""
    return tuple(rule(pool, sizes(pool)) for rule in RULES)


def sizes(pool: Pool) -> Sizes:
    """The numbers of processes that the rules speak of."""
    memory = _memory_bound(pool)
    wait_ns = max(0.0, pool.wall_ns - pool.cpu_ns)
    if pool.host_cpu_share > IDLE_CPU:  # then part of the wall time is waiting for a core
        wait_ns = min(wait_ns, pool.outside_ns)
    cpu = math.nan
    if pool.cores > 0 and pool.cpu_ns > 0:
        cpu = min(PROCESSES_MOST, math.ceil(pool.cores * (1 + wait_ns / pool.cpu_ns) - 1e-9))
    known = [one for one in (memory, cpu) if not math.isnan(one)]
    return Sizes(
        memory_bound=memory,
        cpu_bound=cpu,
        needed_peak=needed_workers(pool.peak_per_s, pool.wall_ns),
        needed_mean=needed_workers(pool.per_s, pool.wall_ns),
        processes=max(1.0, min(known)) if not math.isnan(cpu) else math.nan,
    )


def needed_workers(per_s: float, wall_ns: float) -> float:
    """Workers for a load, with room for its chance peaks; nan where it is not known."""
    if not (per_s > 0 and wall_ns > 0):
        return math.nan
    busy = per_s * wall_ns / NS
    return float(math.ceil(busy + 2 * math.sqrt(busy)))


def _memory_bound(pool: Pool) -> float:
    """(RAM - reserve - what others use - shared) / private, by the largest worker."""
    largest = pool.private_max_bytes
    if not (largest > 0 and pool.memory_bytes > 0 and pool.workers > 0):
        return math.nan
    return min(PROCESSES_MOST, max(0.0, float(math.floor(_private_room(pool) / largest))))


def _private_room(pool: Pool) -> float:
    """Bytes for all workers' own pages: RAM - reserve - what others use - what they share."""
    own = pool.workers * pool.private_bytes + pool.shared_bytes
    others = max(0.0, pool.memory_used_bytes - own)
    return pool.memory_bytes * (1 - MEMORY_RESERVE) - others - pool.shared_bytes


def _processes(pool: Pool, size: Sizes) -> Advice:
    name = "processes"
    numbers = {
        "memory_bound": size.memory_bound, "cpu_bound": size.cpu_bound,
        "needed_at_peak": size.needed_peak, "workers": pool.workers, "cores": pool.cores,
        "wall_ms": pool.wall_ns / 1e6, "cpu_ms": pool.cpu_ns / 1e6,
        "private_max_mb": pool.private_max_bytes / 1e6, "shared_mb": pool.shared_bytes / 1e6,
    }  # fmt: skip
    if math.isnan(size.processes) or math.isnan(pool.workers):
        return _unmeasured(name, "cores, workers or CPU time per request", numbers)
    wanted = int(size.processes)
    why = (
        f"{pool.cores:g} cores are kept busy by {size.cpu_bound:g} processes"
        f" ({pool.cpu_ns / 1e6:.3g} ms of CPU in {pool.wall_ns / 1e6:.3g} ms);"
    )
    if math.isnan(size.memory_bound):
        why += " what memory allows was not measured"
    else:
        why += f" memory has room for {size.memory_bound:g}"
    if not math.isnan(size.needed_peak):
        why += f"; the busiest minute needs {size.needed_peak:g}"
    if wanted == pool.workers:
        return Advice(name, "keep", "", f"{why}.", numbers)
    return Advice(name, "change", f"processes = {wanted}", f"{why}.", numbers)


def _threads(pool: Pool, size: Sizes) -> Advice:
    name = "threads"
    numbers = {
        "threads": pool.threads, "busy_max": pool.busy_max, "host_cpu_share": pool.host_cpu_share,
        "cpu_bound": size.cpu_bound, "memory_bound": size.memory_bound,
        "outside_ms": pool.outside_ns / 1e6,
    }  # fmt: skip
    if math.isnan(pool.busy_max) or math.isnan(pool.host_cpu_share) or math.isnan(size.cpu_bound):
        return _unmeasured(name, "busy workers (uWSGI's stats socket) or the host's CPU", numbers)
    starved = pool.busy_max >= BUSY * pool.slots and pool.host_cpu_share < IDLE_CPU
    waits = pool.cpu_ns < 0.5 * pool.wall_ns
    if not (starved and waits):
        why = f"{pool.busy_max:g} of {pool.slots:g} were busy at most: nobody starves"
        if pool.host_cpu_share >= IDLE_CPU:
            why = "The cores are the limit, which threads do not move (the GIL)"
        return Advice(name, "keep", "", f"{why}.", numbers)
    why = (
        f"Workers starve: {pool.busy_max:g} of {pool.slots:g} busy while the cores are"
        f" {pool.host_cpu_share:.0%} busy; {1 - pool.cpu_ns / pool.wall_ns:.0%} of a request is"
        " waiting"
    )
    if math.isnan(size.memory_bound) or size.memory_bound >= size.cpu_bound:
        return Advice(name, "keep", "", f"{why}; memory has room: take more processes.", numbers)
    wanted = math.ceil(size.cpu_bound / max(1.0, size.memory_bound))
    why += ", and memory has no room for more processes; or ask its back ends all at once"
    return Advice(name, "change", f"threads = {wanted}", f"{why}.", numbers)


def _cheaper(pool: Pool, size: Sizes) -> Advice:
    name = "cheaper"
    numbers = {
        "busy_mean": pool.busy_mean, "workers": pool.workers, "needed_at_mean": size.needed_mean,
        "memory_bound": size.memory_bound,
    }  # fmt: skip
    if math.isnan(pool.busy_mean) or math.isnan(size.needed_mean) or math.isnan(pool.workers):
        return _unmeasured(name, "busy workers (uWSGI's stats socket)", numbers)
    least = int(max(1.0, size.needed_mean))
    why = f"{pool.busy_mean:.2g} of {pool.slots:g} are busy at the mean"
    if pool.busy_mean > 0.5 * pool.slots or least >= pool.workers:
        return Advice(name, "keep", "", f"{why}: few idle ones to give up.", numbers)
    if math.isnan(size.memory_bound) or size.memory_bound >= 2 * pool.workers:
        return Advice(name, "keep", "", f"{why}, but memory is not short of room.", numbers)
    why += f", and {least} are enough for the mean load: idle ones hold memory"
    return Advice(name, "change", f"cheaper = {least}", f"{why}.", numbers)


def _reload_on_rss(pool: Pool, size: Sizes) -> Advice:
    name = "reload-on-rss"
    numbers = {
        "private_mb": pool.private_bytes / 1e6, "private_max_mb": pool.private_max_bytes / 1e6,
        "shared_mb": pool.shared_bytes / 1e6, "memory_mb": pool.memory_bytes / 1e6,
        "growth_bytes_per_request": pool.growth_bytes_per_request,
    }  # fmt: skip
    if math.isnan(size.memory_bound) or math.isnan(pool.workers):
        return _unmeasured(name, "private and shared memory (smaps_rollup)", numbers)
    share = max(pool.private_max_bytes, _private_room(pool) / pool.workers)
    limit_mb = math.ceil((pool.shared_bytes + share) / (1 << 20))
    why = (
        f"RSS counts the {pool.shared_bytes / 1e6:.0f} MB that workers share once for each; a"
        f" worker may have {share / 1e6:.0f} MB of its own before {pool.workers:g} of them fill the"
        f" memory, and the largest has {pool.private_max_bytes / 1e6:.0f} MB"
    )
    if share > FAR * pool.private_max_bytes:
        return Advice(name, "keep", "", f"{why}: no limit is needed.", numbers)
    return Advice(name, "change", f"reload-on-rss = {limit_mb}", f"{why}.", numbers)


def _max_requests(pool: Pool, size: Sizes) -> Advice:
    name = "max-requests"
    growth = pool.growth_bytes_per_request
    numbers = {
        "growth_bytes_per_request": growth, "private_first_mb": pool.private_first_bytes / 1e6,
        "respawns_per_h": pool.respawns_per_h, "memory_bound": size.memory_bound,
    }  # fmt: skip
    if math.isnan(growth) or math.isnan(size.memory_bound):
        return _unmeasured(
            name, "growth of private memory over 2 minutes and 200 requests", numbers
        )
    if growth < GROWTH_LEAST:
        why = f"Private memory grows by {growth:.0f} bytes a request: a restart would win nothing"
        return Advice(name, "keep", "", f"{why}, and its first requests are slow.", numbers)
    requests = int((_private_room(pool) / pool.workers - pool.private_first_bytes) / growth)
    why = (
        f"Private memory grows by {growth:.0f} bytes a request from"
        f" {pool.private_first_bytes / 1e6:.0f} MB; {requests} requests fill a worker's share"
    )
    if requests < RESTART_REQUESTS_LEAST:
        why += ": too few between restarts, mend the growth or take fewer processes"
        return Advice(
            name, "change", f"max-requests = {RESTART_REQUESTS_LEAST}", f"{why}.", numbers
        )
    return Advice(name, "change", f"max-requests = {requests}", f"{why}.", numbers)


def _listen(pool: Pool, size: Sizes) -> Advice:
    name = "listen"
    room = pool.listen_queue_room
    numbers = {
        "listen_queue_max": pool.listen_queue_max, "listen": room,
        "listen_queue_errors": pool.listen_queue_errors, "peak_per_s": pool.peak_per_s,
    }  # fmt: skip
    if math.isnan(pool.listen_queue_max):
        return _unmeasured(name, "the listen queue (uWSGI's stats socket)", numbers)
    room = LISTEN if math.isnan(room) or room <= 0 else room
    wanted = max(LISTEN_LEAST, 1 << math.ceil(math.log2(max(1.0, pool.peak_per_s))))
    why = f"At most {pool.listen_queue_max:g} of {room:g} places were taken"
    turned_away = pool.listen_queue_errors > 0
    if not turned_away and pool.listen_queue_max < 0.5 * room:
        return Advice(name, "keep", "", f"{why}.", numbers)
    why += " and connections were turned away" if turned_away else ""
    why += (
        f": {wanted} hold a second of the busiest minute (raise net.core.somaxconn, too); if it"
        " fills with the cores idle, take more processes first"
    )
    if room >= wanted:
        return Advice(name, "keep", "", f"{why}.", numbers)
    return Advice(name, "change", f"listen = {wanted}", f"{why}.", numbers)


def _gc_freeze(pool: Pool, size: Sizes) -> Advice:
    name = "gc.freeze before fork"
    numbers = {
        "private_mb": pool.private_bytes / 1e6, "shared_mb": pool.shared_bytes / 1e6,
        "gc_share": pool.gc_ns / pool.wall_ns if pool.wall_ns else math.nan,
    }  # fmt: skip
    if math.isnan(pool.private_bytes) or math.isnan(pool.shared_bytes):
        return _unmeasured(name, "private and shared memory (smaps_rollup)", numbers)
    share = pool.shared_bytes / max(1.0, pool.shared_bytes + pool.private_bytes)
    why = f"{share:.0%} of a worker's memory is shared with the others"
    if share >= 0.5 or not pool.workers > 1:
        return Advice(name, "keep", "", f"{why}.", numbers)
    why += (
        ": the collector writes into what was loaded before the fork, and so unshares it. Load the"
        " application in the master (no lazy-apps), call gc.freeze() at the end of its module, and"
        " look at this number again"
    )
    return Advice(name, "change", "lazy-apps = false", f"{why}.", numbers)


def _unmeasured(name: str, what: str, numbers: dict[str, float]) -> Advice:
    return Advice(name, "not measured", "", f"Not measured: {what}.", numbers)


RULES: tuple[Callable[[Pool, Sizes], Advice], ...] = (
    _processes, _threads, _cheaper, _reload_on_rss, _max_requests, _listen, _gc_freeze,
)  # fmt: skip
