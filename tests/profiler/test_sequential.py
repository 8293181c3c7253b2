"""Several looks at many things, and how often that is wrong where nothing is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from profiler.sequential import holm, spending

LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_the_looks_spend_all_of_it_the_last_ones_most() -> None:
    levels = spending(LOOKS, 0.05)
    assert sum(levels) == pytest.approx(0.05)
    assert levels == sorted(levels)
    assert levels[0] == pytest.approx(0.05 * 0.2**2)


def plain_holm(p_values: list[float], level: float) -> set[int]:
    """The textbook's: the smallest against level / m, the next against level / (m - 1), ..."""
    known = sorted((p, at) for at, p in enumerate(p_values) if p == p)
    found: set[int] = set()
    for rank, (p, at) in enumerate(known):
        if p > level / (len(known) - rank):
            return found
        found.add(at)
    return found


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=12), st.floats(0.001, 0.2))
def test_holm_is_the_textbooks(p_values: list[float], level: float) -> None:
    found = holm(p_values, level)
    assert {at for at, one in enumerate(found) if one} == plain_holm(p_values, level)


def alarms(rounds: int, seed: int, levels: list[float], kept: float) -> float:
    """Share of rounds with an alarm, where nothing is to be found: 8 measures, each a mean over
    time of which the share `kept` stays for good, as the differences of hosts do."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(rounds):
        stays = rng.normal(size=8) * np.sqrt(kept)
        moves = rng.normal(size=(8, len(LOOKS))) * np.sqrt(1 - kept)
        means = stays[:, None] + moves.cumsum(axis=1) / np.arange(1, 6)
        spread = np.sqrt(kept + (1 - kept) / np.arange(1, 6))
        p_values = stats.norm.sf(means / spread)
        found += any(any(holm(p_values[:, at].tolist(), level)) for at, level in enumerate(levels))
    return found / rounds


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.95])
def test_all_looks_together_are_wrong_seldom_enough(kept: float) -> None:
    assert alarms(2_000, 1, spending(LOOKS, 0.05), kept) <= 0.055


def test_looks_that_each_spend_all_of_it_are_not() -> None:
    assert alarms(2_000, 1, [0.05] * 5, 0.0) > 0.1
