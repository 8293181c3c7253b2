"""That agents' batches have been stored, for threads of this process that wait for news."""

import threading
import time
from collections.abc import Callable

__all__ = ["Arrivals"]


class Arrivals:
    """Watches batches of requests. Safe to use from many threads. `clock`: s, never set back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._changed = threading.Condition()
        self._clock = clock
        self._newest_s = float("-inf")

    @property
    def newest_s(self) -> float:
        """When the newest one had been stored; minus infinity before the first."""
        return self._newest_s

    def note(self, table: str) -> None:
        """A batch of `table` can be read from now on."""
        if table == "requests":
            with self._changed:
                self._newest_s = self._clock()
                self._changed.notify_all()

    def wait_past(self, newest_s: float, timeout_s: float) -> bool:
        """Until one came after `newest_s`; False when the time is up before."""
        with self._changed:
            return self._changed.wait_for(lambda: self._newest_s > newest_s, timeout_s)
