"""What the collector counts about itself, for GET /metrics and for `limits`."""

import socket
import threading
from collections import Counter as Counts
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from collector.store.store import Store
from profiler.wire import SCHEMAS

__all__ = ["Meters"]

#: Limits that were hit are stored this often.
STORE_EVERY_S = 10.0
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """One per app. Safe to use from many threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.batches = Counter(
            "dynoscope_batches", "batches stored", ["table"], registry=self.registry
        )
        self.inserts = Counter(
            "dynoscope_inserts", "groups of batches stored", ["table"], registry=self.registry
        )
        self.rows = Counter("dynoscope_rows", "rows stored", ["table"], registry=self.registry)
        self.repeats = Counter(
            "dynoscope_batch_repeats", "batches sent again", ["table"], registry=self.registry
        )
        self.rejected = Counter(
            "dynoscope_batches_rejected", "batches not taken", ["reason"], registry=self.registry
        )
        self.insert_seconds = Histogram(
            "dynoscope_insert_seconds",
            "time of one insert, s",
            registry=self.registry,
            buckets=SECONDS_BUCKETS,
        )
        self._lock = threading.Lock()
        self._hits: Counts[str] = Counts()
        self._stored_s = 0.0

    def text(self) -> bytes:
        """In the Prometheus text format."""
        return bytes(generate_latest(self.registry))

    def limit_hit(self, what: str) -> None:
        """Count a limit of the collector itself; it is stored with the next batch."""
        with self._lock:
            self._hits[what] += 1

    def store_limits(self, store: Store, clock: Callable[[], float]) -> None:
        """Store the limits hit since the last time, at most every STORE_EVERY_S."""
        with self._lock:
            now_s = clock()
            if not self._hits or now_s - self._stored_s < STORE_EVERY_S:
                return
            hits, self._hits, self._stored_s = self._hits, Counts(), now_s
        now_ms = int(now_s * 1000)
        store.insert("limits", _limit_rows(hits, now_ms), f"collector-{now_ms}")


def _limit_rows(hits: Counts[str], now_ms: int) -> pa.Table:
    size = len(hits)
    columns = {
        "ts_ms": np.full(size, now_ms, np.uint64),
        "service": [""] * size,
        "host": [socket.gethostname()] * size,
        "region": [""] * size,
        "where": ["collector"] * size,
        "what": list(hits),
        "count": np.array(list(hits.values()), np.uint64),
    }
    return pa.table(columns, schema=SCHEMAS["limits"])
