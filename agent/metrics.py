"""Numbers of the host, of each worker and of the agent itself, as rows of `metrics`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.host import Host
from agent.requests import Identity
from agent.samples import WorkerView
from agent.series import Series

__all__ = ["Metrics", "Row", "series_rows"]

Row = dict[str, Any]
#: Of the host, for flushes that the disk refuses.
INCREASES_WAITING_MAX = 5_000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Metrics:
    """Reads psutil and /proc. Counters are sent as their increase since the last flush on disk."""

    #: (pid, start of the process) -> CPU seconds at the last committed flush
    _cpu_s: dict[tuple[int, int], float] = field(default_factory=dict)
    _next_cpu_s: dict[tuple[int, int], float] = field(default_factory=dict)
    _increases_waiting: list[Series] = field(default_factory=list)
    _host: Host = field(default_factory=lambda: Host(Path("/proc")))

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
            *series_rows(host, self._host_series(host.host), now_ms),
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
        self._increases_waiting = []

    def _host_series(self, host: str) -> list[Series]:
        """The host's numbers, with the increases that no flush has put on disk."""
        series = self._host.series(host)
        gauges = [one for one in series if one.kind == "gauge"]
        self._increases_waiting += [one for one in series if one.kind == "counter"]
        self._increases_waiting = self._increases_waiting[-INCREASES_WAITING_MAX:]
        return gauges + self._increases_waiting

    def _process_rows(
        self, who: Identity, pid: int, source: str, labels: list[str], now_ms: int
    ) -> Iterable[Row]:
        """Memory and CPU of one process; none when it is gone. The agent's with py-spy's."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return
        fields = [int(word) for word in stat.rpartition(")")[2].split()[1:]]
        user, system, children_user, children_system = fields[10:14]
        key, rss = (pid, fields[18]), fields[20] * PAGE_BYTES
        ticks = user + system
        if source == "agent":
            ticks += children_user + children_system
        cpu_s = ticks / TICKS_PER_S
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
        "service": who.service,
        "host": who.host,
        "region": who.region,
        "ts_ms": now_ms,
        "name": name,
        "kind": kind,
        "unit": unit,
        "labels": sorted(labels),
        "value": float(value),
        "source": source,
    }
