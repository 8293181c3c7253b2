"""The store's clock: what evaluators on several machines go by."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from collector.store.errors import StoreError
from collector.store.store import Store

__all__ = ["StoreClock"]

#: The store tells whole seconds: nearer than this the machine's own clock is as good.
NEAR_S = 1.0


@dataclass(slots=True)
class StoreClock:
    """Seconds since 1970, by the machine's clock, put right by the store's every minute."""

    store: Store
    clock: Callable[[], float] = time.time
    every_s: float = 60.0
    _asked_s: float = float("-inf")
    _ahead_s: float = 0.0

    def __call__(self) -> float:
        now_s = self.clock()
        if abs(now_s - self._asked_s) >= self.every_s:
            self._asked_s = now_s
            # While the store is away, what it said last holds on.
            with suppress(StoreError):
                said_s = self.store.query("now")["now_s"].to_pylist()[0] + 0.5
                ahead_s = said_s - (now_s + self.clock()) / 2
                self._ahead_s = ahead_s if abs(ahead_s) > NEAR_S else 0.0
        return now_s + self._ahead_s
