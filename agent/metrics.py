"""Numbers of the host, of each worker and of the agent itself, as rows of `metrics`."""

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from agent.requests import Identity
from agent.samples import WorkerView
from agent.series import Series

__all__ = ["Metrics", "Row", "series_rows"]

Row = dict[str, Any]


@dataclass(slots=True)
class Metrics:
    """Reads psutil. Counters are sent as their increase since the last committed flush."""

    #: (pid, process creation time) -> CPU seconds at the last committed flush
    _cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)
    _next_cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        psutil.cpu_percent(None)  # the first answer has no time before it

    def rows(
        self,
        host: Identity,
        workers: Sequence[WorkerView],
        idle: Mapping[Identity, tuple[int, float]],
        now_ms: int,
    ) -> list[Row]:
        """All rows of one flush."""
        self._next_cpu_s = {}
        rows = [
            *_host_rows(host, now_ms),
            *self._process_rows(host, os.getpid(), "agent", [], now_ms),
        ]
        for worker in workers:
            labels = [f"pid={worker.pid}", f"worker={worker.worker}"]
            rows += self._process_rows(worker.identity, worker.pid, "worker", labels, now_ms)
        for who, (ticks, weight_s) in idle.items():
            if not ticks:
                continue
            rows.append(_row(who, now_ms, "idle_ticks", "counter", "ticks", ticks, "agent"))
            rows.append(_row(who, now_ms, "idle_weight_s", "counter", "s", weight_s, "agent"))
        return rows

    def settle(self) -> None:
        """The rows are on disk."""
        self._cpu_s = self._next_cpu_s

    def _process_rows(
        self, who: Identity, pid: int, source: str, labels: list[str], now_ms: int
    ) -> Iterable[Row]:
        """Memory and CPU of one process; none when it is gone. The agent's with py-spy's."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times, key = process.cpu_times(), (pid, process.create_time())
                rss = process.memory_info().rss
        except psutil.Error:
            return
        cpu_s = times.user + times.system
        if source == "agent":
            cpu_s += times.children_user + times.children_system
        increase_s = cpu_s - self._cpu_s.get(key, cpu_s)
        self._next_cpu_s[key] = cpu_s
        yield _row(who, now_ms, f"{source}_rss_bytes", "gauge", "bytes", rss, source, labels)
        yield _row(who, now_ms, f"{source}_cpu_s", "counter", "s", increase_s, source, labels)


def series_rows(host: Identity, series: Sequence[Series], now_ms: int) -> list[Row]:
    """Series as rows of whom they name, else of the host."""
    return [
        _row(
            one.who or host, now_ms, one.name, one.kind, one.unit, one.value, one.source, one.labels
        )
        for one in series
    ]


def _host_rows(host: Identity, now_ms: int) -> Iterable[Row]:
    """Machine-wide numbers; marked where the host is only a part of its machine."""
    labels = ["shared_machine=1"] if host.host != socket.gethostname() else []
    memory = psutil.virtual_memory()
    values = (
        ("host_cpu_percent", "percent", psutil.cpu_percent(None)),
        ("host_cores", "cores", float(psutil.cpu_count() or 1)),
        ("host_load_1m", "processes", psutil.getloadavg()[0]),
        ("host_memory_total_bytes", "bytes", float(memory.total)),
        ("host_memory_used_bytes", "bytes", float(memory.total - memory.available)),
    )
    for name, unit, value in values:
        yield _row(host, now_ms, name, "gauge", unit, value, "host", labels)


def _row(
    who: Identity,
    now_ms: int,
    name: str,
    kind: str,
    unit: str,
    value: float,
    source: str,
    labels: Sequence[str] = (),
) -> Row:
    return {
        **asdict(who),
        "ts_ms": now_ms,
        "name": name,
        "kind": kind,
        "unit": unit,
        "labels": sorted(labels),
        "value": float(value),
        "source": source,
    }
