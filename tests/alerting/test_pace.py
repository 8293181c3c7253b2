"""Looks follow the data: on a clock that the test sets, so that each moment is exact."""

import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from alerting.pace import Pace
from collector.store.arrivals import Arrivals


class Day(Arrivals):
    """A clock, and batches that arrive by it, s."""

    def __init__(self, batches: Sequence[float]) -> None:
        super().__init__(lambda: self.now_s)
        self.batches = list(batches)
        self.now_s = 0.0

    def pass_until(self, then_s: float) -> None:
        while self.batches and self.batches[0] <= then_s:
            self.now_s = self.batches.pop(0)
            self.note("requests")
        self.now_s = max(self.now_s, then_s)

    def wait_past(self, newest_s: float, timeout_s: float) -> bool:
        next_s = self.batches[0] if self.batches else float("inf")
        self.pass_until(min(next_s, self.now_s + timeout_s))
        return self.newest_s > newest_s


class Stop(threading.Event):
    """Waits by the day's clock."""

    def __init__(self, day: Day) -> None:
        super().__init__()
        self.day = day

    def wait(self, timeout: float | None = None) -> bool:
        self.day.pass_until(self.day.now_s + (timeout or 0))
        return self.is_set()


def looks(batches: Sequence[float], n: int, took_s: float = 0.1) -> list[float]:
    """When `n` looks begin that take so long each, at an interval of 1 s."""
    day = Day(batches)
    pace, stop, found = Pace(1.0, day, lambda: day.now_s), Stop(day), []
    for _ in range(n):
        pace.begin()
        found.append(day.now_s)
        day.pass_until(day.now_s + took_s)
        pace.wait(stop)
    return found


def ages(batches: Sequence[float], found: Sequence[float]) -> list[float]:
    """How long before each look the newest batch came."""
    return [min(at - batch for batch in batches if batch <= at) for at in found]


def test_looks_come_to_follow_the_batches() -> None:
    batches = [0.4 + n for n in range(20)]
    found = looks(batches, 12)
    assert max(ages(batches, found[3:])) < 0.01
    assert found[-1] < 13


def test_looks_follow_batches_that_come_early_and_late() -> None:
    rng = np.random.default_rng(3)
    batches = [float(n + rng.uniform(-0.1, 0.1)) for n in range(1, 200)]
    found = looks(batches, 150)
    assert max(ages(batches, found[3:])) < 0.21
    assert 145 < found[-1] < 155


def test_a_pace_slower_than_the_batches_follows_them_too() -> None:
    batches = [0.1 + n / 3 for n in range(60)]
    found = looks(batches, 12)
    assert max(ages(batches, found[2:])) < 0.05
    assert 10.5 < found[-1] < 12


def test_without_batches_looks_keep_their_interval() -> None:
    assert looks([], 4) == [0.0, 1.0, 2.0, 3.0]


def test_many_agents_make_hardly_more_looks() -> None:
    found = looks([n / 50 for n in range(1_000)], 11)
    assert found[-1] == pytest.approx(10, abs=0.25)


def test_agents_that_fall_silent_put_off_one_look() -> None:
    found = looks([0.5, 1.5, 2.5], 7)
    assert [round(b - a, 1) for a, b in pairwise(found)] == [1.5, 1.0, 1.5, 1.0, 1.0, 1.0]


def test_a_look_that_takes_longer_than_the_interval_is_followed_by_a_rest() -> None:
    assert looks([], 3, took_s=1.5) == pytest.approx([0.0, 1.55, 3.1])


def test_a_stop_ends_the_wait() -> None:
    arrivals = Arrivals()
    arrivals.note("requests")
    pace, stop = Pace(1_000.0, arrivals), threading.Event()
    pace.begin()
    stop.set()
    pace.wait(stop)
