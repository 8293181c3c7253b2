import numpy as np
import pytest
from scipy import stats

from profiler.compare import compare_sides
from profiler.power import POWER, TOLD, minutes_more
from tests.profiler.simulated import STACKS, Truth, side


def test_after_that_time_the_change_is_told_with_the_promised_power():
    chance, seconds = 0.2, [600.0, 600.0]
    more_s = minutes_more(chance, seconds, [True, True]) * 60
    error = chance / stats.norm.ppf(0.975) * np.sqrt(600 / (600 + more_s))
    rng = np.random.default_rng(1)
    seen = rng.normal(TOLD, error, 20_000)
    told = np.abs(seen) > stats.norm.ppf(0.975) * error
    assert told.mean() == pytest.approx(POWER, abs=0.01)


def test_only_the_side_that_goes_on_gets_better():
    both = minutes_more(0.06, [6_000.0, 600.0], [True, True])
    one = minutes_more(0.06, [6_000.0, 600.0], [False, True])
    assert 0 < both < one < float("inf")
    assert minutes_more(0.06, [600.0, 6_000.0], [False, True]) == float("inf")
    assert minutes_more(0.01, [600.0, 600.0], [False, False]) == 0


def test_the_reason_says_how_long():
    truth = Truth(windows=12, requests=10, window_spread=0.2, samples=0)
    rng = np.random.default_rng(3)
    a, b = side("r1", truth, rng), side("r2", truth, rng)
    found = compare_sides("photos", a, b, STACKS, window_s=10.0)
    (change,) = found.endpoints
    assert change.verdict == "cannot tell"
    assert 1 < change.minutes_more < 1_000
    assert f"about {np.ceil(change.minutes_more):.0f} more minutes at this rate" in found.headline


def test_a_side_that_is_over_is_said():
    truth = Truth(windows=12, requests=10, window_spread=0.2, samples=0)
    rng = np.random.default_rng(3)
    a, b = side("r1", truth, rng), side("r2", truth, rng)
    b.requests.window[:] += 100
    (change,) = compare_sides("photos", a, b, STACKS, window_s=10.0).endpoints
    assert change.minutes_more == float("inf")
    assert "side a is over" in change.reason


def test_what_is_told_needs_no_more():
    truth = Truth(hosts=5, windows=60)
    rng = np.random.default_rng(3)
    a, b = side("r1", truth, rng), side("r2", truth, rng)
    (change,) = compare_sides("photos", a, b, STACKS, window_s=10.0).endpoints
    assert change.verdict == "no change"
    assert np.isnan(change.minutes_more)
