from dataclasses import replace

import numpy as np
import pytest

from profiler.parts import parts_of
from profiler.warmup import warm_ups
from tests.profiler.simulated import Truth, side

HOSTS = ["web-0", "web-1", "web-2", "web-3"]
TRUTH = Truth(hosts=4, windows=40, young_windows=10)


def warm_ups_of(a, b):
    return warm_ups(a, b, [parts_of(one, HOSTS) for one in (a, b)], len(HOSTS))


def started(label: str, factor: float, seed: int):
    """Young windows cost `factor` times as much."""
    one = side(label, TRUTH, np.random.default_rng(seed))
    rows = one.requests
    cost = np.where(rows.warm, rows.cost, rows.cost * factor)
    return replace(one, requests=replace(rows, cost=cost), restarts=8)


def test_a_dearer_warm_up_is_a_number_of_its_own():
    (found,) = warm_ups_of(started("r1", 1.5, 1), started("r2", 2.0, 2))
    mean = sum(TRUTH.stack_ns)
    assert found.difference.low <= 0.5 * mean <= found.difference.high
    assert found.difference.low > 0
    each = found.requests_a / found.restarts_a
    assert found.per_restart_a == pytest.approx(0.5 * mean * each, rel=0.15)
    assert found.per_restart_b == pytest.approx(2 * found.per_restart_a, rel=0.3)


def test_like_warm_ups_differ_by_chance_only():
    (found,) = warm_ups_of(started("r1", 1.5, 3), started("r2", 1.5, 4))
    assert found.difference.low <= 0 <= found.difference.high


def test_without_young_workers_there_is_none():
    warm = side("r1", replace(TRUTH, young_windows=0), np.random.default_rng(1))
    assert warm_ups_of(warm, warm) == ()
