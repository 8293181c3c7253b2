"""Memory of a process as its pages are shared: RSS, PSS, USS from /proc/PID/smaps_rollup.

Reading it walks the process's page tables (some ms a GB, with its memory lock held for reading),
so the readings are paced by what they cost.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.samples import WorkerView
from agent.series import Series

__all__ = ["Memory", "Pacing", "memory_of", "parse_rollup"]

EVERY_S = 60.0
#: Of the wall time, at most this share goes into readings.
COST_SHARE = 0.0005
#: Names of smaps_rollup, or of our own fallback -> the metric.
_METRICS = (
    ("pss", "worker_pss_bytes"),
    ("uss", "worker_uss_bytes"),
    ("shared", "worker_shared_bytes"),
)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `pss` and `uss` are None where only the process's owner may see them."""

    rss: int
    pss: int | None
    uss: int | None
    shared: int


@dataclass(slots=True)
class Pacing:
    """Reads each worker at most every EVERY_S, and seldom enough to stay within COST_SHARE."""

    proc_root: Path
    _read_s: dict[int, float] = field(default_factory=dict)
    _pause_until_s: float = 0.0

    def read(self, workers: Sequence[WorkerView]) -> list[Series]:
        """Memory of the workers that are due, the one that waits longest first."""
        here = {one.ring_id: one for one in workers if one.pid}
        self._read_s = {ring: at for ring, at in self._read_s.items() if ring in here}
        series: list[Series] = []
        for ring_id in sorted(here, key=lambda ring: self._read_s.get(ring, -EVERY_S)):
            now_s = time.monotonic()
            if now_s < self._pause_until_s:
                break
            if now_s - self._read_s.get(ring_id, -EVERY_S) < EVERY_S:
                break
            found = memory_of(here[ring_id].pid, self.proc_root)
            self._read_s[ring_id] = now_s
            self._pause_until_s = now_s + (time.monotonic() - now_s) / COST_SHARE
            if found is not None:
                series += _series(here[ring_id], found)
        return series


def memory_of(pid: int, proc_root: Path) -> Memory | None:
    """Memory of a process; None when it is gone."""
    try:
        found = parse_rollup((proc_root / f"{pid}/smaps_rollup").read_text())
    except OSError:
        found = None
    return found or _memory_for_all(pid, proc_root)


def parse_rollup(text: str) -> Memory | None:
    """The sums of a smaps_rollup; None where it is none."""
    kb: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        fields = rest.split()
        if colon and len(fields) == 2 and fields[1] == "kB":
            kb[name] = int(fields[0])
    if "Rss" not in kb or "Pss" not in kb:
        return None
    private = kb.get("Private_Clean", 0) + kb.get("Private_Dirty", 0)
    shared = kb.get("Shared_Clean", 0) + kb.get("Shared_Dirty", 0)
    return Memory(kb["Rss"] << 10, kb["Pss"] << 10, private << 10, shared << 10)


def _memory_for_all(pid: int, proc_root: Path) -> Memory | None:
    """What everybody may see: /proc/PID/status. Shared: pages of files and of shared memory."""
    kb: dict[str, int] = {}
    try:
        text = (proc_root / f"{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "RssFile", "RssShmem"):
            kb[name] = int(rest.split()[0])
    if "VmRSS" not in kb:
        return None
    shared = kb.get("RssFile", 0) + kb.get("RssShmem", 0)
    return Memory(kb["VmRSS"] << 10, None, None, shared << 10)


def _series(worker: WorkerView, memory: Memory) -> list[Series]:
    labels = (f"pid={worker.pid}", f"worker={worker.worker}")
    return [
        Series(metric, "gauge", "bytes", labels, value, "worker", worker.identity)
        for name, metric in _METRICS
        if (value := getattr(memory, name)) is not None
    ]
