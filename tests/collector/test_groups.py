"""Who is alone is served at once; who waits is served together; each has an outcome of its own."""

import random
import threading
from collections import Counter

import pytest

from collector.groups import GROUP_ITEMS_MAX, GROUP_ROWS_MAX, WORTH_ROWS, Groups

PATIENCE_S = 60


class Doing:
    """Doubles each item; notes the groups; stands still while it is held."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Semaphore(0)
        self.under_way = Counter()
        self.most = 0
        self._lock = threading.Lock()

    def __call__(self, kind: str, items: list[int]) -> list[int]:
        with self._lock:
            self.groups.append(list(items))
            self.under_way[kind] += 1
            self.most = max(self.most, self.under_way.total())
        self.begun.release()
        assert self.free.wait(PATIENCE_S)
        with self._lock:
            self.under_way[kind] -= 1
        return [2 * one for one in items]


class Senders:
    """Threads that each want something done."""

    def __init__(self, groups: Groups[str, int, int]) -> None:
        self._groups, self._threads = groups, list[threading.Thread]()
        self.outcomes: dict[int, int | BaseException] = {}

    def send(self, item: int, name: str = "", rows: int = 1, kind: str = "a") -> None:
        def run() -> None:
            try:
                self.outcomes[item] = self._groups.outcome(kind, name or str(item), item, rows)
            except RuntimeError as error:
                self.outcomes[item] = error

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def wait_for(self, waiting: int, kind: str = "a") -> None:
        """Until so many of a kind wait."""
        lanes = self._groups._lanes
        while kind not in lanes or len(lanes[kind].waiting) < waiting:
            self._threads[0].join(0.001)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def doing():
    return Doing()


def held(doing, **first):
    """Senders, the first of which is under way and stands still."""
    doing.free.clear()
    senders = Senders(Groups(doing, at_once=4))
    senders.send(1, **first)
    assert doing.begun.acquire(timeout=PATIENCE_S)
    return senders


def test_one_that_is_alone_is_done_in_its_own_thread_at_once(doing):
    groups = Groups(doing, at_once=1)
    assert [groups.outcome("a", str(item), item, 1) for item in (1, 2, 3)] == [2, 4, 6]
    assert doing.groups == [[1], [2], [3]]
    assert groups._lanes == {}


def test_those_that_come_meanwhile_are_done_together(doing):
    senders = held(doing)
    for item in range(2, 12):
        senders.send(item)
    senders.wait_for(10)
    doing.free.set()
    senders.join()
    assert [sorted(group) for group in doing.groups] == [[1], list(range(2, 12))]
    assert senders.outcomes == {item: 2 * item for item in range(1, 12)}


def test_other_kinds_do_not_wait(doing):
    senders = held(doing)
    senders.send(2, kind="b")
    assert doing.begun.acquire(timeout=PATIENCE_S)
    doing.free.set()
    senders.join()
    assert doing.groups == [[1], [2]]


def test_two_of_a_name_are_never_in_one_group(doing):
    senders = held(doing)
    for item in (2, 3, 4):
        senders.send(item, name="same")
    senders.send(5)
    senders.wait_for(4)
    doing.free.set()
    senders.join()
    assert all(len(set(group) & {2, 3, 4}) <= 1 for group in doing.groups)
    assert sorted(one for group in doing.groups for one in group) == [1, 2, 3, 4, 5]


def test_what_is_raised_is_raised_for_all_of_the_group_and_no_other():
    def fail(_: str, items: list[int]) -> list[int]:
        if len(items) > 1 or items == [7]:
            raise RuntimeError(f"cannot do {sorted(items)}")
        return items

    groups = Groups(fail, at_once=1)
    assert groups.outcome("a", "1", 1, 1) == 1
    with pytest.raises(RuntimeError, match="cannot do .7."):
        groups.outcome("a", "7", 7, 1)
    assert groups.outcome("a", "2", 2, 1) == 2


def test_a_large_one_does_not_wait_for_others(doing):
    senders = held(doing)
    senders.send(2, rows=WORTH_ROWS)
    assert doing.begun.acquire(timeout=PATIENCE_S)
    doing.free.set()
    senders.join()
    assert doing.groups == [[1], [2]]


def test_no_more_than_some_are_under_way_at_once(doing):
    doing.free.clear()
    senders = Senders(Groups(doing, at_once=2))
    for item in range(6):
        senders.send(item, rows=WORTH_ROWS, kind=str(item))
    for _ in range(2):
        assert doing.begun.acquire(timeout=PATIENCE_S)
    assert not doing.begun.acquire(timeout=0.05)
    doing.free.set()
    senders.join()
    assert doing.most == 2


@pytest.mark.parametrize("rows", [GROUP_ROWS_MAX, GROUP_ROWS_MAX // 2 + 1, GROUP_ROWS_MAX + 1])
def test_a_group_is_bounded_in_rows(doing, rows):
    senders = held(doing)
    for item in (2, 3, 4):
        senders.send(item, rows=rows)
    doing.free.set()
    senders.join()
    assert sorted(doing.groups) == [[1], [2], [3], [4]]


def test_a_group_is_bounded_in_number(doing):
    senders = held(doing)
    for item in range(2, GROUP_ITEMS_MAX + 12):
        senders.send(item, rows=0)
    senders.wait_for(GROUP_ITEMS_MAX + 10)
    doing.free.set()
    senders.join()
    assert sorted(map(len, doing.groups)) == [1, 10, GROUP_ITEMS_MAX]


@pytest.mark.parametrize("seed", range(3))
def test_in_a_crowd_each_is_done_once_and_has_its_own_outcome(doing, seed):
    """Sizes, names and kinds at random; sums of rows past what leads on its own, too."""
    rng = random.Random(seed)
    senders = Senders(Groups(doing, at_once=rng.randint(1, 3)))
    for item in range(150):
        senders.send(
            item,
            name=f"n{rng.randint(0, 40)}",
            rows=rng.choice((0, 1, 10, WORTH_ROWS // 3, WORTH_ROWS, GROUP_ROWS_MAX)),
            kind=rng.choice("aab"),
        )
    senders.join()
    assert senders.outcomes == {item: 2 * item for item in range(150)}
    assert sorted(one for group in doing.groups for one in group) == list(range(150))
    assert senders._groups._lanes == {}
