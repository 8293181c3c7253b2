import random

import pytest

from agent.sampler import Window
from agent.schedstat import Scheduled
from agent.stacks import RawFrame, RawStack
from agent.waits import IDLE_AFTER, IDLE_EVERY, MEMORY_TICKS, IdleTurns, Waits, place_of

TICKS = 200
WINDOW_NS = 10**10
#: Shares of a worker's time: on CPU, and after a wait without a core yet.
ON_CPU = {"rank": 0.20, "send": 0.02, "recv": 0.03, "poll": 0.01}
WOKEN = {"recv": 0.06, "poll": 0.02}
WAITS = {"recv": 0.30, "poll": 0.20}


def stack(name, samples=1):
    return RawStack(1, (RawFrame("view", "feed.py", 1), RawFrame(name, "feed.py", 7)), samples)


def window(counts, ticks=TICKS, errors=0):
    return Window(1, WINDOW_NS, ticks, errors, 0, tuple(stack(*one) for one in counts.items()))


def drawn(rng, *shares, ticks=TICKS):
    """So many ticks of a worker, as py-spy counts them."""
    sums = {}
    for part in shares:
        for name, share in part.items():
            sums[name] = sums.get(name, 0.0) + share
    weights = [*sums.values(), 1 - sum(sums.values())]
    counts = {}
    for name in rng.choices([*sums, ""], weights, k=ticks):
        if name:
            counts[name] = counts.get(name, 0) + 1
    return window(counts, ticks)


def ran(share, wait=0.0, preempted=0.0):
    turns = 1000
    return Scheduled(
        WINDOW_NS, int(share * WINDOW_NS), int(wait * WINDOW_NS), turns, int(preempted * turns)
    )


def learnt(windows, rng, on_cpu=ON_CPU, woken=WOKEN, waits=WAITS, **more):
    known = Waits()
    for number in range(windows):
        if number % IDLE_EVERY == IDLE_AFTER:
            known.learn_idle(drawn(rng, on_cpu, woken, waits))
        else:
            known.learn(drawn(rng, on_cpu, woken), ran(sum(on_cpu.values()), **more))
    return known


def places(known):
    return {name for name in ON_CPU if known.waiting(place_of(stack(name)))}


@pytest.mark.parametrize("seed", range(5))
def test_what_woken_threads_add_is_taken_from_the_lines_that_wait(seed):
    known = learnt(150, random.Random(seed))
    assert places(known) == {"recv", "poll"}
    true = (0.03 + 0.01) / (0.03 + 0.01 + 0.06 + 0.02)
    assert known.share == pytest.approx(true, abs=0.15)
    shares = known.shares([stack("recv"), stack("rank")])
    assert shares == {place_of(stack("recv")): known.share}


def test_where_woken_threads_run_at_once_nothing_is_taken():
    known = learnt(150, random.Random(1), woken={})
    assert known.share > 0.8


def test_preemption_is_not_held_against_the_lines_that_wait():
    """A quarter of the CPU time more, wherever the worker computes, and all of it preempted."""
    longer = {name: 1.25 * share for name, share in ON_CPU.items()}
    rng, cpu = random.Random(2), sum(ON_CPU.values())
    known = Waits()
    for number in range(150):
        if number == IDLE_AFTER:
            known.learn_idle(drawn(rng, longer, WAITS))
        known.learn(drawn(rng, longer), ran(cpu, wait=0.25 * cpu, preempted=1.0))
    assert known.share > 0.75


def test_errors_are_of_threads_on_cpu():
    known = Waits()
    known.learn_idle(window({"recv": 150, "rank": 40}))
    for _ in range(20):
        known.learn(window({"recv": 10, "rank": 40}, ticks=195, errors=5), ran(55 / 200))
    assert known.share == pytest.approx(1.0, abs=0.1)


def test_without_a_window_of_idle_threads_no_line_waits():
    known = Waits()
    known.learn(window({"recv": 30}), ran(0.05))
    assert known.shares([stack("recv")]) == {}


def test_what_was_long_ago_is_forgotten():
    rng = random.Random(3)
    known = learnt(100, rng)
    for _ in range(10 * MEMORY_TICKS // TICKS):
        known.learn(drawn(rng, ON_CPU), ran(sum(ON_CPU.values())))
        known.learn_idle(drawn(rng, ON_CPU, {"poll": 0.5}))
    assert places(known) == {"poll"}
    assert known.share > 0.6


def test_the_share_stays_one_whatever_the_numbers():
    known = Waits()
    known.learn_idle(window({"recv": 100}))
    known.learn(window({"recv": 100}), ran(0.0))
    assert known.share < 0.1
    for _ in range(100):
        known.learn(window({"recv": 1}), ran(4.0))
    assert known.share == 1.0


def test_lines_are_bounded():
    known = Waits()
    for start in range(0, 20_000, 1000):
        known.learn_idle(window({f"f{n}": 1 for n in range(start, start + 1000)}))
        known.learn(window({f"f{n}": 1 for n in range(start, start + 1000)}), ran(1.0))
    assert len(known._all) <= 5_000 and len(known._running) <= 5_000


def test_windows_of_idle_threads_come_early_in_a_release_and_seldom_later():
    turns = IdleTurns()
    first = [turns.next([("shop", "r1")]) for _ in range(IDLE_AFTER + 2 * IDLE_EVERY)]
    at = [number for number, idle in enumerate(first) if idle]
    assert at == [IDLE_AFTER - 1 + n * IDLE_EVERY for n in range(3)]
    later = [turns.next([("shop", "r1"), ("shop", "r2")]) for _ in range(IDLE_AFTER)]
    assert later == [False] * (IDLE_AFTER - 1) + [True]
