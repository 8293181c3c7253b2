"""A roll-out host by host on a machine whose speed wanders: the difference at the same minutes."""

import numpy as np
import pytest

from profiler.endpoints import MACHINE_FLOOR, SELDOM_FLOOR, endpoint_changes
from profiler.load import LoadWindows
from profiler.measured import RequestWindows, SideData, StackWindows
from profiler.overlap import ALIKE_MIN, APART_MIN, at_the_same_minutes
from profiler.parts import parts_of
from profiler.records import EndpointChange, Interval

BEFORE, DURING, AFTER = 18, 8, 14
WINDOWS = BEFORE + DURING + AFTER


def roll_out(
    rng: np.random.Generator,
    *,
    rise: float = 0.0,
    step: float = 0.0,
    during: int = DURING,
    often: float = 60,
) -> tuple[LoadWindows, LoadWindows]:
    """Host 0 runs b from window BEFORE on, host 1 from BEFORE + during; the machine's speed, which
    both share, wanders, and from BEFORE on every request takes `step` more of it."""
    machine = np.cumsum(rng.normal(0, 0.02, WINDOWS)) + step * (np.arange(WINDOWS) >= BEFORE)
    rows: tuple[list, list] = ([], [])
    for window in range(WINDOWS):
        for host in (0, 1):
            new = window >= BEFORE + host * during
            requests = 1 + rng.poisson(often)
            own = rng.normal(0, 0.03)
            cost = requests * (10 + host) * np.exp(machine[window] + own) * (1 + rise * new)
            rows[new].append((cost, requests, host, window, 50.0))
    return sides(rows[0]), sides(rows[1])


def sides(rows: list) -> LoadWindows:
    cost, requests, host, window, load = (np.array(column) for column in zip(*rows, strict=True))
    return LoadWindows(cost, requests.astype(float), host, window, load)


def found(a: LoadWindows, b: LoadWindows) -> Interval:
    change = at_the_same_minutes(a, b, 2)
    assert change is not None
    return change


@pytest.mark.parametrize("rise", [0.0, 0.24, -0.1])
def test_its_intervals_hold_the_truth_whatever_the_machine_does(rise: float) -> None:
    rng = np.random.default_rng(1)
    changes = [found(*roll_out(rng, rise=rise, step=0.15)) for _ in range(1_000)]
    covered = sum(change.low <= rise <= change.high for change in changes)
    assert 0.93 <= covered / len(changes) <= 0.975
    assert np.mean([change.value for change in changes]) == pytest.approx(rise, abs=0.01)
    assert np.median([change.high - change.low for change in changes]) < 0.09


def test_an_endpoint_that_is_seldom_asked_is_compared_so_too() -> None:
    rng = np.random.default_rng(7)
    changes = [found(*roll_out(rng, step=0.15, often=4)) for _ in range(1_000)]
    assert sum(change.low <= 0 <= change.high for change in changes) >= 930


def test_slow_movements_of_one_host_make_it_wider() -> None:
    def wandering(rng: np.random.Generator) -> Interval:
        a, b = roll_out(rng)
        moves = np.zeros(WINDOWS)
        for window in range(1, WINDOWS):
            moves[window] = 0.6 * moves[window - 1] + rng.normal(0, 0.03)
        for side in (a, b):
            side.cost[side.host == 0] *= np.exp(moves[side.window[side.host == 0]])
        return found(a, b)

    rng = np.random.default_rng(2)
    changes = [wandering(rng) for _ in range(1_000)]
    assert sum(change.low <= 0 <= change.high for change in changes) >= 900


@pytest.mark.parametrize(("during", "known"), [(APART_MIN, True), (APART_MIN - 1, False)])
def test_too_few_windows_apart_say_nothing(during: int, known: bool) -> None:
    a, b = roll_out(np.random.default_rng(3), during=during)
    assert (at_the_same_minutes(a, b, 2) is not None) == known


def test_too_few_windows_alike_say_nothing() -> None:
    a, b = roll_out(np.random.default_rng(4), during=AFTER + DURING)
    late = a.window >= BEFORE - ALIKE_MIN + 1
    a = LoadWindows(*(column[late] for column in (a.cost, a.requests, a.host, a.window, a.load)))
    assert at_the_same_minutes(a, b, 2) is None


def test_other_numbers_of_hosts_say_nothing() -> None:
    a, b = roll_out(np.random.default_rng(5))
    assert at_the_same_minutes(a, b, 1) is None
    assert at_the_same_minutes(a, b, 3) is None


def test_a_window_in_which_a_host_ran_both_is_left_out() -> None:
    a, b = roll_out(np.random.default_rng(6), during=APART_MIN)
    before = found(a, b)
    columns = (a.cost, a.requests, a.host, a.window, a.load)
    extra = (np.array([1e6]), np.array([50.0]), np.array([0]), np.array([BEFORE]), np.array([50.0]))
    mixed = LoadWindows(*(np.append(one, more) for one, more in zip(columns, extra, strict=True)))
    assert before is not None
    assert at_the_same_minutes(mixed, b, 2) is None


def side(label: str, rows: dict[str, LoadWindows]) -> SideData:
    """One side's requests in cpu_ns, by endpoint; no stacks."""
    names = np.repeat(list(rows), [len(one.cost) for one in rows.values()])
    cost, requests, host, window, load = (
        np.concatenate([getattr(one, column) for one in rows.values()])
        for column in ("cost", "requests", "host", "window", "load")
    )
    columns = RequestWindows(
        host=np.array(["web-1", "web-2"])[host],
        window=window,
        endpoint=names,
        kind=np.full(len(cost), "http"),
        unit=np.full(len(cost), "cpu_ns"),
        requests=requests,
        errors=np.zeros(len(cost)),
        cost=cost,
        task_clock_ns=cost,
        warm=np.ones(len(cost), dtype=bool),
        load=load,
    )
    text, number, whole = np.array([], "U"), np.array([]), np.array([], "i8")
    none = StackWindows(text, whole, text, whole, number, number, np.array([], "?"))
    return SideData(label, columns, none, {})


def changes_of(a: SideData, b: SideData) -> list[EndpointChange]:
    return endpoint_changes(a, b, [parts_of(one, ["web-1", "web-2"]) for one in (a, b)], 2)[0]


def test_a_step_of_the_machine_is_in_the_interval_and_seldom_asked_endpoints_need_more() -> None:
    rng = np.random.default_rng(8)
    often, seldom = roll_out(rng, step=0.15), roll_out(rng, step=0.15, often=0)
    a, b = (
        side(label, {"GET /feed/": often[n], "GET /seldom/": seldom[n]})
        for n, label in enumerate(("r1", "r2"))
    )
    changes = changes_of(a, b)
    feed, rare = changes
    assert feed.concurrent is not None and rare.concurrent is None
    assert feed.relative.low <= feed.concurrent.low < MACHINE_FLOOR
    assert (feed.floor, rare.floor) == (MACHINE_FLOOR, SELDOM_FLOOR)


def test_without_a_roll_out_the_floor_is_the_machines() -> None:
    rng = np.random.default_rng(9)
    a, b = roll_out(rng, during=0)
    changes = changes_of(side("r1", {"GET /feed/": a}), side("r2", {"GET /feed/": b}))
    assert changes[0].concurrent is None and changes[0].floor == MACHINE_FLOOR
