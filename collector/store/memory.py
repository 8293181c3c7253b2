"""Which batches an embedded engine cannot have: asking it costs as much as a small insert.

No other process writes into its folder. So it has what it had when it was opened, whose rows are no
newer than the newest one of then, and what this process has inserted since, which is remembered;
of what is forgotten again the newest row's time is kept. A batch that is not remembered, and all of
whose rows are newer, is not there, whatever was said of it.
"""

import threading

from collector.store.engine import Engine
from collector.store.extents import Batch
from collector.store.texts import query_text

__all__ = ["Memory"]

REMEMBERED = 100_000


class Memory:
    """Safe to use from many threads. `size`: how many batches are remembered."""

    def __init__(self, engine: Engine, size: int = REMEMBERED) -> None:
        self._engine = engine
        self._size = size
        self._lock = threading.Lock()
        self._newest_ms: dict[tuple[str, str], int] = {}  # (table, batch id), in order
        self._past_ms: dict[str, int] = {}  # table -> the newest row of all that is not remembered

    def may_be_there(self, table: str, batches: list[Batch]) -> list[Batch]:
        """Those of these that have to be asked for; all of them are remembered from now on."""
        if not self._engine.in_process:
            return batches
        with self._lock:
            if table not in self._past_ms:
                found = self._engine.select(query_text("newest_row"), {"table": table})
                self._past_ms[table] = int(found["ms"].to_pylist()[0])
            asked = []
            for one in batches:
                oldest_ms, newest_ms = one.times_ms()
                if (table, one.id) in self._newest_ms or oldest_ms <= self._past_ms[table]:
                    asked.append(one)
                self._newest_ms.setdefault((table, one.id), newest_ms)
            while len(self._newest_ms) > self._size:
                first = next(iter(self._newest_ms))
                forgotten_ms = self._newest_ms.pop(first)
                self._past_ms[first[0]] = max(self._past_ms[first[0]], forgotten_ms)
            return asked
