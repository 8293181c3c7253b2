"""Small things that wait are done together, each with an outcome of its own (group commit).

Whoever comes while nothing of its kind is under way does its own at once, alone: nothing waits for
company. Meanwhile others gather; when the first is done, one of them does all that have gathered.
So what one doing costs is shared by the more the busier it is. The threads that wait are those of
the senders: there is no thread besides them, and nothing is under way that no sender waits for.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar, cast

__all__ = ["Groups"]

#: What one doing takes at most.
GROUP_ROWS_MAX = 50_000
GROUP_ITEMS_MAX = 256
#: So many rows that wait are worth a doing of their own, beside the one that is under way.
WORTH_ROWS = 10_000
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Lead:
    """The word to a thread that it is to do what waits next."""


@dataclass(frozen=True, slots=True)
class _Done(Generic[R]):
    """One item's outcome; `error` was raised for its whole group."""

    outcome: R | None = None
    error: BaseException | None = None


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T, R]):
    """One item. `news`: _Lead, while it waits, and then its outcome."""

    name: str
    item: T
    rows: int
    news: SimpleQueue[_Lead | _Done[R]] = field(default_factory=SimpleQueue)


@dataclass(slots=True)
class _Lane(Generic[T, R]):
    """All of one kind that wait; how many threads do, or are about to do, some of them."""

    waiting: list[_Waiting[T, R]] = field(default_factory=list)
    leaders: int = 0


class Groups(Generic[K, T, R]):
    """Safe to use from many threads. `do`: told a kind and items of it, returns the outcome of
    each; what it raises is raised for all. `at_once`: how many calls of it are under way at most.
    """

    def __init__(self, do: Callable[[K, Sequence[T]], Sequence[R]], at_once: int) -> None:
        self._do = do
        self._slots = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._lanes: dict[K, _Lane[T, R]] = {}

    def outcome(self, kind: K, name: str, item: T, rows: int) -> R:
        """Have `item` done, and wait for it. No two of a name are in one group.

        `rows`: how large it is; see GROUP_ROWS_MAX.
        """
        mine = _Waiting[T, R](name, item, rows)
        with self._lock:
            lane = self._lanes.setdefault(kind, _Lane())
            lane.waiting.append(mine)
            leads = not lane.leaders or sum(one.rows for one in lane.waiting) >= WORTH_ROWS
            lane.leaders += leads
        if leads:
            self._lead(kind, lane)
        while isinstance(news := mine.news.get(), _Lead):
            self._lead(kind, lane)
        if news.error is not None:
            raise news.error
        return cast(R, news.outcome)

    def _lead(self, kind: K, lane: _Lane[T, R]) -> None:
        """Do what waits now, and name who is to do what waits then."""
        try:
            with self._slots:
                self._do_some(kind, lane)
        finally:
            with self._lock:
                lane.leaders -= 1
                if not lane.leaders and lane.waiting:
                    lane.leaders = 1
                    lane.waiting[0].news.put(_Lead())
                elif not lane.leaders:
                    self._lanes.pop(kind, None)

    def _do_some(self, kind: K, lane: _Lane[T, R]) -> None:
        with self._lock:
            group, lane.waiting = _taken(lane.waiting)
        if not group:
            return
        news: list[_Done[R]]
        try:
            news = [_Done(outcome) for outcome in self._do(kind, [one.item for one in group])]
        except BaseException as error:
            news = [_Done(error=error)] * len(group)
        for one, word in zip(group, news, strict=True):
            one.news.put(word)


def _taken(
    waiting: Sequence[_Waiting[T, R]],
) -> tuple[list[_Waiting[T, R]], list[_Waiting[T, R]]]:
    """The next group, and who still waits: the first goes with as many others as fit."""
    group: list[_Waiting[T, R]] = []
    left: list[_Waiting[T, R]] = []
    names: set[str] = set()
    rows = 0
    for one in waiting:
        fits = len(group) < GROUP_ITEMS_MAX and rows + one.rows <= GROUP_ROWS_MAX
        if one.name in names or (group and not fits):
            left.append(one)
            continue
        group.append(one)
        names.add(one.name)
        rows += one.rows
    return group, left
