import numpy as np
import pytest
from scipy import stats

from profiler.moderation import moderated
from profiler.statistics import Ratios, difference


def spread_of(rng, hosts: int, rise, spread, functions: int = 200):
    """Host means of `functions` functions whose true spread over hosts is `spread` (F,)."""
    cost = np.geomspace(1e4, 1e6, functions)
    means = [cost[:, None] + rng.normal(0, 1, (functions, hosts)) * spread[:, None] for _ in "ab"]
    means[1] = means[1] + rise[:, None]
    sides = [
        Ratios(
            mean,
            lambda at: np.zeros((functions, len(at), 0)),
            np.ones(hosts),
            np.ones(hosts, dtype=int),
        )
        for mean in means
    ]
    return difference(*sides)


@pytest.mark.parametrize("scatter", [0.0, 0.5])
def test_intervals_hold_the_truth_and_tests_gain_power(scatter):
    rng = np.random.default_rng(1)
    held, plain_found, found = [], 0, 0
    for _ in range(40):
        own = 2e3 * np.geomspace(1, 10, 200) * np.exp(rng.normal(0, scatter, 200))
        rise = np.where(np.arange(200) % 10 == 0, 6 * own, 0.0)
        plain = spread_of(rng, 5, rise, own)
        better = moderated(plain)
        held.append(((better.low <= rise) & (rise <= better.high)).mean())
        plain_found += (plain.p_value[::10] < 0.05 / 200).sum()
        found += (better.p_value[::10] < 0.05 / 200).sum()
        assert better.value == pytest.approx(plain.value)
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)
    assert found > 1.5 * plain_found


def test_false_alarms_stay_below_their_rate():
    """The cap makes it cautious where all functions truly follow the trend."""
    rng = np.random.default_rng(2)
    own = 2e3 * np.geomspace(1, 10, 200)
    p_values = [moderated(spread_of(rng, 4, np.zeros(200), own)).p_value for _ in range(50)]
    assert 0.001 < (np.concatenate(p_values) < 0.01).mean() <= 0.012


def test_few_functions_and_windows_stay_as_they_are():
    rng = np.random.default_rng(3)
    few = spread_of(rng, 5, np.zeros(10), np.full(10, 1e3), functions=10)
    assert moderated(few) is few
    alone = spread_of(rng, 2, np.zeros(50), np.full(50, 1e3), functions=50)
    assert alone.unit_of_error == "window"
    assert moderated(alone) is alone


def test_the_trend_never_counts_for_more_than_twice_the_data():
    rng = np.random.default_rng(4)
    plain = spread_of(rng, 5, np.zeros(200), np.full(200, 1e3))
    assert moderated(plain).freedom.max() <= 3 * 4 + 1e-9
    assert stats.t.ppf(0.975, 12) < stats.t.ppf(0.975, 4)
