from dataclasses import replace

import numpy as np
import pytest

from profiler.compare import compare_sides
from profiler.load import LoadWindows, without_load
from tests.profiler.simulated import STACKS, Truth, side

#: No stack samples: nothing but the load tells the machine from the code.
BUSY = Truth(samples=0, windows=36, load=35, load_spread=12, per_point=0.004, window_spread=0.01)


def found(busier: float, dearer: float, seed: int, truth: Truth = BUSY):
    rng = np.random.default_rng(seed)
    other = replace(
        truth,
        load=truth.load + busier,
        stack_ns=tuple(ns * (1 + dearer) for ns in truth.stack_ns),
    )
    a, b = side("r1", truth, rng), side("r2", other, rng)
    return compare_sides("shop", a, b, STACKS, window_s=5.0)


def blind(measured):
    """The side without what is known of its load."""
    unknown = np.full_like(measured.requests.load, np.nan)
    return replace(measured, requests=replace(measured.requests, load=unknown))


def test_a_busier_machine_is_not_taken_for_a_dearer_release() -> None:
    verdicts = [found(40, 0.0, seed).endpoints[0].verdict for seed in range(60)]
    assert verdicts.count("regression") <= 2


def test_without_the_load_it_would_be_taken_for_one() -> None:
    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, b = blind(side("r1", BUSY, rng)), blind(side("r2", replace(BUSY, load=75), rng))
        answer = compare_sides("shop", a, b, STACKS, window_s=5.0)
        told += answer.endpoints[0].verdict == "regression"
    assert told >= 15


@pytest.mark.parametrize("busier", [0, 20])
def test_a_dearer_release_is_found_at_any_load(busier: float) -> None:
    verdicts = [found(busier, 0.25, seed).endpoints[0].verdict for seed in range(20)]
    assert verdicts.count("regression") >= 19


def test_the_difference_in_load_is_told() -> None:
    answer = found(40, 0.0, 1)
    assert answer.evidence.load_percent_a == pytest.approx(35, abs=6)
    assert answer.evidence.load_percent_b == pytest.approx(75, abs=6)
    assert any("more busy on side b" in note for note in answer.notes)


def test_the_slope_takes_the_load_from_the_difference() -> None:
    rng = np.random.default_rng(2)
    sides = []
    for level in (30.0, 60.0):
        load = rng.uniform(level - 20, level + 20, 40)
        requests = np.full(40, 50.0)
        cost = requests * (1000 + 3 * load + rng.normal(0, 2, 40))
        rows = np.zeros(40, int), np.arange(40)
        sides.append(LoadWindows(cost, requests, *rows, load))
    found = without_load(sides[0], sides[1], 1)
    assert found is not None
    assert abs(found.value[0]) < 10
    assert found.low[0] < 0 < found.high[0]


def test_an_unknown_slope_makes_the_interval_wide() -> None:
    rng = np.random.default_rng(3)

    def at(level: float) -> LoadWindows:
        load = level + rng.normal(0, 0.01, 30)
        requests = np.full(30, 50.0)
        cost = requests * (1000 + 3 * level + rng.normal(0, 2, 30))
        return LoadWindows(cost, requests, np.zeros(30, int), np.arange(30), load)

    level = without_load(at(30.0), at(60.0), 1)
    assert level is not None
    assert level.low[0] < 0 < level.high[0]


def test_a_load_that_never_varied_or_is_not_known_says_nothing() -> None:
    windows = LoadWindows(np.ones(5), np.ones(5), np.zeros(5, int), np.arange(5), np.full(5, 7.1))
    assert without_load(windows, windows, 1) is None
    unknown = replace(windows, load=np.full(5, np.nan))
    assert without_load(unknown, unknown, 1) is None


def test_a_load_that_differs_but_never_varied_is_allowed_for() -> None:
    windows = LoadWindows(np.ones(5), np.ones(5), np.zeros(5, int), np.arange(5), np.full(5, 7.1))
    level = without_load(windows, replace(windows, load=np.full(5, 40.0)), 1)
    assert level is not None
    assert level.low[0] < -0.09
    assert level.high[0] > 0.09


@pytest.mark.parametrize(("dearer", "verdict"), [(0.0, "cannot tell"), (0.9, "regression")])
def test_steady_but_different_loads_of_many_hosts(dearer: float, verdict: str) -> None:
    steady = replace(BUSY, hosts=8, load_spread=0.0, per_point=0.002)
    assert found(40, dearer, 1, steady).endpoints[0].verdict == verdict
    assert found(0, 0.04, 1, steady).endpoints[0].verdict == "regression"
