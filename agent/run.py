"""The agent: builds its parts out of a Config and runs them until it is told to stop."""

import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread

from agent.budget import Budget
from agent.errors import SpoolFailed
from agent.exposition import Exposition
from agent.flush import Flush
from agent.gathering import Gathering
from agent.lean import give_back, shed
from agent.limits import Limits
from agent.metrics import Metrics
from agent.report import status_of, worker_series
from agent.sampler import PySpy, py_spy_binary
from agent.sampling import Sampling
from agent.scrape import Scraper, checked_targets
from agent.series import Series
from agent.ship import Shipper
from agent.spool import Spool
from agent.statsd import StatsD, listen
from agent.status import write_status
from agent.uwsgi import UWSGI
from agent.wishes import Wishes
from agent.workers import Workers

__all__ = ["Agent", "Config", "pause_s", "run"]

STOP_SAMPLING_S = 1.0
STOP_GATHERING_S = 0.2
RESTART_AFTER_S = 5.0
STOP_SHIPPING_S = 2.5
#: How often the workers' conditions are sent.
STATE_EVERY_S = 15.0
#: With so many spool files waiting the collector is behind: it gets larger batches less often. Not
#: rarer than three times, so that no ring overflows meanwhile.
BEHIND_FILES = 10
LONGER_MAX = 3
#: The share of its pace that the agent rests at least, however long a flush takes.
REST_MIN = 0.5


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one agent. `budget`: share of one core; sizes in bytes, times in seconds."""

    url: str
    ring_dir: Path
    spool: Path
    token_file: Path | None
    host: str
    region: str = ""
    budget: float = 0.01
    rate_hz: int = 20
    window_s: int = 10
    flush_s: float = 5.0
    statsd_port: int = 0
    """UDP port on loopback; 0: no StatsD"""
    metrics_port: int = 0
    """TCP port of /metrics on loopback; 0: none"""
    scrape: tuple[str, ...] = ()
    """URLs of Prometheus text"""
    uwsgi_stats: tuple[str, ...] = ()
    """stats addresses besides those that are found: /path, host:port, http://host:port"""
    spool_bytes_max: int = 512 << 20
    spool_age_s_max: int = 86_400
    seed: int | None = None
    py_spy: str = ""
    proc_root: Path = Path("/proc")


class Agent:
    """All parts of one agent; `run` blocks until `stop` is set."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.limits = Limits()
        self.spool = Spool(
            config.spool,
            self.limits,
            bytes_max=config.spool_bytes_max,
            age_s_max=config.spool_age_s_max,
        )
        self.sampler = PySpy(config.py_spy or py_spy_binary())
        self.sampling = Sampling(
            self.sampler,
            Budget(config.budget),
            self.limits,
            config.window_s,
            config.rate_hz,
            random.Random(config.seed),
            _wall_ms,
            time.monotonic,
            config.proc_root,
        )
        self.shipper = Shipper(
            self.spool, config.url, config.token_file, self.limits, random.Random(), _wall_ms
        )
        self.wishes = Wishes(config.url, self.shipper.authorization, self.limits)
        self.shipper.after = self.wishes.ask
        self.statsd = StatsD(self.limits)
        self._statsd_socket = listen(config.statsd_port) if config.statsd_port else None
        self.flush = Flush(
            Workers(config.ring_dir, config.proc_root),
            self.sampling,
            Metrics(),
            self.statsd,
            self.limits,
            self.spool,
            config.host,
            config.region,
            time.time_ns,
            self.spool.cursors(),
        )
        self.flush.numbers = self._numbers
        self.gathering = Gathering(
            self.limits,
            config.proc_root,
            Scraper(checked_targets(config.scrape), self.limits),
            UWSGI(self.limits, config.proc_root, config.uwsgi_stats),
        )
        self.exposition = Exposition(self) if config.metrics_port else None
        self.started_ms = _wall_ms()
        self.last_error = ""
        self._state_at_s = 0.0

    def run(self, stop: Event) -> None:
        """Flush at the set pace; sampling and shipping run beside it in threads of their own."""
        shipping_stop = Event()
        self._flush()
        shed()
        sampling = self._start("sampling", self.sampling.run, stop)
        shipping = self._start("shipping", self.shipper.run, shipping_stop)
        gathering = self._start("gathering", self.gathering.run, stop)
        receiving = None
        if self._statsd_socket:
            receive = partial(self.statsd.receive, self._statsd_socket)
            receiving = self._start("statsd", receive, stop)
        flushed_s = time.monotonic()
        while not stop.wait(self._rest_s(flushed_s)):
            flushed_s = time.monotonic()
            self._flush()
        self.sampler.stop()
        sampling.join(STOP_SAMPLING_S)
        gathering.join(STOP_GATHERING_S)
        if receiving:
            receiving.join(STOP_SAMPLING_S)
        self._flush()
        shipping_stop.set()
        self.shipper.wake.set()
        shipping.join(STOP_SHIPPING_S)
        self._write_status("stopped")
        self.spool.close()
        if self._statsd_socket:
            self._statsd_socket.close()
        if self.exposition:
            self.exposition.close()

    def _rest_s(self, flushed_s: float) -> float:
        """Until the next flush, counted from the beginning of the last one."""
        pause = pause_s(self.config.flush_s, self.spool.waiting())
        return max(pause * REST_MIN, pause - (time.monotonic() - flushed_s))

    def _flush(self) -> None:
        try:
            self.flush.once()
            self.wishes.write(self.flush.workers.known.values())
        except SpoolFailed as error:
            self.limits.add("flushes_failed")
            if str(error) != self.last_error:
                print(error, file=sys.stderr, flush=True)
            self.last_error = str(error)
        except Exception as error:  # a fault of ours: what it met waits in the rings
            traceback.print_exc()
            self.limits.add("flushes_failed")
            self.last_error = f"flush failed: {error!r}"
        else:
            self.last_error = ""
        self.shipper.wake.set()
        self._write_status("running")
        give_back()

    def _start(self, name: str, loop: Callable[[Event], None], stop: Event) -> Thread:
        thread = Thread(target=self._guarded, args=(name, loop, stop), name=name, daemon=True)
        thread.start()
        return thread

    def _guarded(self, name: str, loop: Callable[[Event], None], stop: Event) -> None:
        """Run a loop; a fault of ours in it is told and counted, and the loop begins again."""
        while not stop.is_set():
            try:
                loop(stop)
                return
            except Exception as error:
                traceback.print_exc()
                self.last_error = f"{name} failed: {error!r}"
                self.limits.add(f"{name}_failures")
                stop.wait(RESTART_AFTER_S)

    def _write_status(self, state: str) -> None:
        write_status(self.config.spool, status_of(self, state, time.time_ns()))

    def _numbers(self) -> list[Series]:
        """For a flush: what was gathered, and every STATE_EVERY_S how the workers are."""
        workers = self.flush.workers.known.values()
        config, now_s = self.config, time.monotonic()
        views = [one.view(config.host, config.region) for one in workers if one.alive and one.pid]
        self.gathering.workers = tuple(views)
        series = self.gathering.take()
        if now_s >= self._state_at_s:
            self._state_at_s = now_s + STATE_EVERY_S
            for worker in workers:
                series += worker_series(self, worker, time.time_ns())
        return series


def pause_s(flush_s: float, files_waiting: int) -> float:
    """From flush to flush, s: longer while the collector is behind."""
    return flush_s * min(LONGER_MAX, 1 + files_waiting // BEHIND_FILES)


def run(config: Config) -> None:
    """Run until SIGTERM or SIGINT; raises AgentError where it cannot start."""
    stop = Event()
    agent = Agent(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"agent for {config.ring_dir}, to {config.url}, spool {config.spool}", flush=True)
    agent.run(stop)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
