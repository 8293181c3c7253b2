"""The threads that answer requests: as many as are needed at once, the last busy one first.

Most batches wait for an insert, so there may be many threads; but each that is used for the first
time, or after long, has caches to fill (its own, the engine's, the allocator's), and costs memory.
So a quiet collector has few threads, and these are warm. It takes waitress's place of a dispatcher.
"""

import logging
import threading
from collections import deque
from queue import SimpleQueue
from typing import Protocol

__all__ = ["Task", "Threads"]

LOG = logging.getLogger(__name__)


class Task(Protocol):
    """One request, or several of one connection."""

    def service(self) -> None:
        """Answer."""

    def cancel(self) -> None:
        """Do not answer any more."""


class Threads:
    """`most`: how many there may be; what comes then waits."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[Task | None]] = []  # the last one was busy last
        self._waiting: deque[Task] = deque()
        self._started: list[threading.Thread] = []
        self._ends = False

    def add_task(self, task: Task) -> None:
        """Have a task done, by an idle thread if there is one."""
        with self._lock:
            if self._idle:
                self._idle.pop().put(task)
            elif len(self._started) < self._most:
                name = f"answers-{len(self._started)}"
                thread = threading.Thread(target=self._run, args=(task,), name=name, daemon=True)
                self._started.append(thread)
                thread.start()
            else:
                self._waiting.append(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> None:
        """End the idle threads, and the busy ones once they are idle; waits so long, s."""
        with self._lock:
            self._ends = True
            idle, self._idle = self._idle, []
            pending = list(self._waiting) if cancel_pending else []
            self._waiting.clear()
        for task in pending:
            task.cancel()
        for news in idle:
            news.put(None)
        for thread in self._started:
            thread.join(timeout / len(self._started))

    def _run(self, first: Task) -> None:
        news: SimpleQueue[Task | None] = SimpleQueue()
        task: Task | None = first
        while task is not None:
            try:
                task.service()
            except BaseException:
                LOG.exception("A request could not be answered.")
            task = self._next(news)

    def _next(self, news: SimpleQueue[Task | None]) -> Task | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._ends:
                return None
            self._idle.append(news)
        return news.get()
