"""How much each worker served, out of what was just drained from its ring."""

from dataclasses import dataclass, field
from typing import Any

from agent.requests import Identity
from agent.series import Series
from agent.workers import Worker

__all__ = ["Activity"]


@dataclass(slots=True)
class Activity:
    """Requests and busy share since the last flush that went to disk."""

    #: ring id -> when its requests were committed the last time
    _since_ns: dict[int, int] = field(default_factory=dict)
    _next_ns: dict[int, int] = field(default_factory=dict)

    def begin(self) -> None:
        """A new flush."""
        self._next_ns = {}

    def series(self, worker: Worker, who: Identity, walls_ns: Any, now_ns: int) -> list[Series]:
        """`walls_ns`: how long each request took that a flush drained of this worker.

        The busy share is time in requests over time, for each thread that serves. A request counts
        when it ends, so one that is longer than a flush shows as 1 then.
        """
        header = worker.ring.header
        since_ns = self._since_ns.get(header.ring_id)
        self._next_ns[header.ring_id] = now_ns
        if len(walls_ns):
            worker.last_record_ns = now_ns
        if since_ns is None or now_ns <= since_ns or not worker.alive:
            return []
        count, wall_ns = len(walls_ns), float(walls_ns.sum(dtype=float))
        share = min(1.0, wall_ns / (now_ns - since_ns) / max(1, worker.ring.threads()))
        who = worker.view("", "").identity
        labels = (f"pid={worker.pid}", f"worker={header.worker}")
        return [
            Series("worker_requests", "counter", "requests", labels, count, "worker", who),
            Series("worker_busy_share", "gauge", "share", labels, share, "worker", who),
        ]

    def settle(self) -> None:
        """The rows are on disk."""
        self._since_ns = self._next_ns
