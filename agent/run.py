"""The agent: builds its parts out of a Config and runs them until it is told to stop."""

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.abc import MetaPathFinder
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

from agent.budget import Budget
from agent.errors import SpoolFailed
from agent.flush import Flush
from agent.limits import Limits
from agent.metrics import Metrics
from agent.sampler import PySpy, py_spy_binary
from agent.sampling import Sampling
from agent.ship import Shipper
from agent.spool import Spool
from agent.statsd import StatsD, listen
from agent.status import write_status
from agent.workers import Worker, Workers
from dynoscope_probe import layout

__all__ = ["Agent", "Config", "run"]

STOP_SAMPLING_S = 1.0
RESTART_AFTER_S = 5.0
STOP_SHIPPING_S = 2.5


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
        self._started_ms = _wall_ms()
        self._last_error = ""

    def run(self, stop: Event) -> None:
        """Flush at the set pace; sampling and shipping run beside it in threads of their own."""
        shipping_stop = Event()
        self._flush()
        sampling = self._start("sampling", self.sampling.run, stop)
        shipping = self._start("shipping", self.shipper.run, shipping_stop)
        receiving = None
        if self._statsd_socket:
            receive = partial(self.statsd.receive, self._statsd_socket)
            receiving = self._start("statsd", receive, stop)
        while not stop.wait(self.config.flush_s):
            self._flush()
        self.sampler.stop()
        sampling.join(STOP_SAMPLING_S)
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

    def _flush(self) -> None:
        try:
            self.flush.once()
        except SpoolFailed as error:
            self.limits.add("flushes_failed")
            if str(error) != self._last_error:
                print(error, file=sys.stderr, flush=True)
            self._last_error = str(error)
        except Exception as error:  # a fault of ours: what it met waits in the rings
            traceback.print_exc()
            self.limits.add("flushes_failed")
            self._last_error = f"flush failed: {error!r}"
        else:
            self._last_error = ""
        self.shipper.wake.set()
        self._write_status("running")

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
                self._last_error = f"{name} failed: {error!r}"
                self.limits.add(f"{name}_failures")
                stop.wait(RESTART_AFTER_S)

    def _write_status(self, state: str) -> None:
        config, sampling, shipper = self.config, self.sampling, self.shipper
        files, size, oldest_s = self.spool.size()
        status = {
            "state": state,
            "pid": os.getpid(),
            "host": config.host,
            "url": config.url,
            "ring_dir": str(config.ring_dir),
            "started_ms": self._started_ms,
            "updated_ms": _wall_ms(),
            "last_error": self._last_error or shipper.last_error,
            "ship": {"state": shipper.state, "last_ok_ms": shipper.last_ok_ms},
            "spool": {"files": files, "bytes": size, "oldest_s": oldest_s},
            "sampler": {
                "state": sampling.state,
                "budget": config.budget,
                "cpu_share": sampling.budget.used_share,
                "rate_hz": config.rate_hz,
                "window_s": config.window_s,
            },
            "workers": [self._worker_status(one) for one in self.flush.workers.known.values()],
            "refused": self.flush.workers.refused,
            "limits": self.limits.totals(),
        }
        write_status(config.spool, status)

    def _worker_status(self, worker: Worker) -> dict[str, Any]:
        view, header = worker.view(self.config.host, self.config.region), worker.ring.header
        cursor = self.flush.cursors.get(view.ring_id)
        reasons = (worker.unreachable, self.sampling.reasons.get(view.ring_id, ""))
        return {
            "service": view.identity.service,
            "host": view.identity.host,
            "pid": view.pid,
            "worker": view.worker,
            "release": view.release,
            "runtime": worker.ring.string(header.runtime_id),
            "unit": layout.UNITS[header.unit] if header.unit < len(layout.UNITS) else "none",
            "unit_reason": worker.ring.string(header.unit_reason_id),
            "ring_id": f"{view.ring_id:016x}",
            "alive": worker.alive,
            "seq": cursor.seq if cursor else 0,
            "profiled_ms": self.sampling.profiled_ms.get(view.ring_id, 0),
            "reason": "; ".join(filter(None, reasons)),
        }


class _NoPandas:
    """An import finder by which there is no pandas in this process."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("the agent does without pandas", name=name)


def run(config: Config) -> None:
    """Run until SIGTERM or SIGINT; raises AgentError where it cannot start."""
    stop = Event()
    agent = Agent(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # pyarrow imports pandas, where it is installed, to see what a list is: 35 MB for nothing.
    sys.meta_path.insert(0, cast(MetaPathFinder, _NoPandas))
    print(f"agent for {config.ring_dir}, to {config.url}, spool {config.spool}", flush=True)
    agent.run(stop)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
