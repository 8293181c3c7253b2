"""The bound holds however often one looks."""

import numpy as np
import pytest

from alerting.looks import ALPHA, believed_low, widening

Z = 1.959964


def test_it_is_wide_early_and_narrowest_later() -> None:
    early, tuned, late = widening(10, 1), widening(1_000, 1), widening(1e9, 1)
    assert early > 3 * tuned
    assert 1.5 < tuned < late < 3 * tuned
    assert widening(1_000, 10) > tuned
    assert widening(0, 1) == float("inf")


def test_the_interval_is_widened_about_its_middle() -> None:
    low = believed_low(0.20, 0.05, 1_000, 1_000, 1)
    assert 0.25 - low == pytest.approx(0.05 * widening(500, 1))
    assert np.isnan(believed_low(0.2, 0.05, 0, 1_000, 1))


def test_what_the_machine_adds_is_not_widened() -> None:
    plain = believed_low(0.20, 0.05, 1_000, 1_000, 1)
    assert believed_low(0.17, 0.05, 1_000, 1_000, 1) == pytest.approx(plain - 0.03)


def test_a_release_without_a_change_does_not_alert_however_often_it_is_looked_at() -> None:
    """2,000 releases, looked at 300 times each; a plain 95% interval would alert on many."""
    rng = np.random.default_rng(3)
    releases, looks, step, sigma = 2_000, 300, 20, 0.3
    n = np.arange(1, looks + 1) * step
    sums = rng.normal(0, sigma * np.sqrt(step), (releases, looks)).cumsum(axis=1)
    value, half = sums / n, Z * sigma / np.sqrt(n)
    wider = np.array([widening(float(size), 1) for size in n])
    ever = ((value - half * wider) > 0).any(axis=1).mean()
    naive = ((value - half) > 0).any(axis=1).mean()
    assert ever <= ALPHA / 2
    assert naive > 0.1


def test_a_rise_is_still_found_soon() -> None:
    """+25% with 30% spread and a 5% budget: found with fewer than 1,000 requests a side."""
    half = Z * 0.3 * np.sqrt(2 / 1_000)
    assert believed_low(0.25 - half, half, 1_000, 1_000, 8) > 0.05
