"""When rules are looked at: at a set interval, and then as soon as there is something new.

Two clocks that run free, the agents' and the evaluator's, would add up to a whole interval to every
page. So where agents' batches come to this process, looks come to follow them.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from collector.store.arrivals import Arrivals

__all__ = ["Pace"]

REST_MIN_S = 0.05
#: Shares of the interval. A batch that came so shortly ago is as good as one that comes now.
FRESH = 0.25
#: For the next batch a look is put off by so much at most.
LATER_MAX = 0.5
#: Without a batch for so long none is waited for.
SILENT = 1.5
#: How soon a stop is noticed while a batch is waited for.
STOP_S = 0.2


@dataclass(slots=True)
class Pace:
    """`begin` before and `wait` after each look. `clock`: seconds, never set back."""

    interval_s: float
    arrivals: Arrivals
    clock: Callable[[], float] = time.monotonic
    _due_s: float = 0.0
    _seen_s: float = float("-inf")

    def begin(self) -> None:
        """A look begins. The next is due an interval after it; after a batch that came just before,
        so that a batch which is late once makes not all looks late."""
        now_s, self._seen_s = self.clock(), self.arrivals.newest_s
        since_s = self._seen_s if now_s - self._seen_s <= FRESH * self.interval_s else now_s
        self._due_s = since_s + self.interval_s

    def wait(self, stop: threading.Event) -> None:
        """Until the next look is due, or `stop` is set."""
        stop.wait(max(REST_MIN_S, self._due_s - self.clock()))
        newest_s = self.arrivals.newest_s
        age_s = self.clock() - newest_s
        if not FRESH * self.interval_s < age_s <= SILENT * self.interval_s:
            return
        end_s = self._due_s + LATER_MAX * self.interval_s
        while not stop.is_set() and (left_s := end_s - self.clock()) > 0:
            if self.arrivals.wait_past(newest_s, min(STOP_S, left_s)):
                return
