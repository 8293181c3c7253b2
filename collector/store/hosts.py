"""Hosts in order of first appearance, so that roll-ups keep them apart (`cell`)."""

import hashlib
import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from collector.store.engine import Engine
from collector.store.texts import query_text

__all__ = ["CELLS", "Hosts"]

#: Hosts share a cell only past this many.
CELLS = 64


class Hosts:
    """The numbers of all hosts ever seen; new ones are stored before their first row is."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        known = engine.anywhere().select(query_text("host_numbers"), {})
        self._numbers: dict[str, int] = dict(
            zip(known["host"].to_pylist(), known["number"].to_pylist(), strict=True)
        )

    def cells(self, hosts: pa.ChunkedArray) -> pa.Array:
        """The cell of each row, u8."""
        encoded = hosts.combine_chunks().dictionary_encode()
        numbers = [self._number(host) for host in encoded.dictionary.to_pylist()]
        cells = (np.array(numbers, np.uint32) % CELLS).astype(np.uint8)
        return pa.array(cells[encoded.indices.to_numpy()])

    def _number(self, host: str) -> int:
        with self._lock:
            if host not in self._numbers:
                number = len(self._numbers)
                self._remember(host, number)
                self._numbers[host] = number
            return self._numbers[host]

    def _remember(self, host: str, number: int) -> None:
        row = pa.table(
            {
                "host": [host],
                "number": np.array([number], np.uint32),
                "first_ms": np.array([int(self._clock() * 1000)], np.uint64),
            }
        )
        token = hashlib.sha256(host.encode()).hexdigest()
        self._engine.anywhere().insert("hosts", row, f"host-{token}")
