"""How much of ingest may be under way at once: batches, and the bytes that they hold.

Whoever finds no place waits a moment, but only a few may wait, so that threads are left for
questions; all others are sent away at once, before anything of their body is read.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from collector.errors import Refused

__all__ = ["Place", "Room"]


@dataclass(slots=True)
class Place:
    """One batch under way, and the bytes that are kept for it."""

    room: "Room"
    held_bytes: int

    def hold(self, more_bytes: int) -> None:
        """Keep further bytes for this batch; raises Refused (503) where there are none."""
        self.room.hold(more_bytes)
        self.held_bytes += more_bytes


@dataclass(slots=True)
class Room:
    """Safe to use from many threads. `waiting_max`: how many may wait, each for `wait_s`."""

    slots: int
    bytes_max: int
    waiting_max: int = 2
    wait_s: float = 1.0
    _batches: int = 0
    _bytes: int = 0
    _waiting: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def place(self, size_bytes: int) -> Iterator[Place]:
        """A place for a body of that size; raises Refused: 429 past the queue, 503 after it."""
        with self._changed:
            self._wait(size_bytes, batches=1)
            self._batches += 1
            self._bytes += size_bytes
        place = Place(self, size_bytes)
        try:
            yield place
        finally:
            with self._changed:
                self._batches -= 1
                self._bytes -= place.held_bytes
                self._changed.notify_all()

    def hold(self, more_bytes: int) -> None:
        """Take bytes, for a place that is taken already."""
        with self._changed:
            self._wait(more_bytes, batches=0)
            self._bytes += more_bytes

    def _wait(self, size_bytes: int, batches: int) -> None:
        def fits() -> bool:
            if self._batches + batches > self.slots:
                return False
            # A batch that is alone is never too large: its own limits have let it through.
            alone = self._batches + batches <= 1
            return alone or self._bytes + size_bytes <= self.bytes_max

        if fits():
            return
        if batches and self._waiting >= self.waiting_max:
            sentence = "Too many batches are waiting: send the batch again later."
            raise Refused(429, "queue", sentence)
        self._waiting += batches
        try:
            if not self._changed.wait_for(fits, self.wait_s):
                raise Refused(503, "busy", "The collector is busy: send the batch again later.")
        finally:
            self._waiting -= batches
