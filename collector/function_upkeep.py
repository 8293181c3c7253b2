"""Keeps the roll-ups of functions up with the samples."""

import logging
import threading
from collections.abc import Callable

from collector.store.errors import StoreError
from collector.store.function_rollup import roll_up_functions
from collector.store.store import Store

__all__ = ["FunctionUpkeep"]

EVERY_S = 60.0

log = logging.getLogger(__name__)


class FunctionUpkeep:
    """`roll_up_functions` at once and then every minute, until `stop` is set."""

    def __init__(self, store: Store, clock: Callable[[], float], every_s: float = EVERY_S) -> None:
        self._store, self._clock, self._every_s = store, clock, every_s

    def run(self, stop: threading.Event) -> None:
        """The loop of a thread. A store that fails is tried again the next time."""
        while not stop.is_set():
            try:
                roll_up_functions(self._store, int(self._clock() * 1000), ends=stop.is_set)
            except StoreError as error:
                log.warning("functions were not rolled up: %s", error)
            stop.wait(self._every_s)
