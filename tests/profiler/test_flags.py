from collections.abc import Mapping

import numpy as np
import pytest

from profiler.flags import FlagSums, flag_costs

GROUPS = 16


def sums(
    seed: int, arms: Mapping[str, Mapping[str, tuple[int, float]]], unit: str = "cpu_ns"
) -> FlagSums:
    """flag=value -> endpoint -> (requests, mean cost); users differ, and keep to their group."""
    rng = np.random.default_rng(seed)
    rows = []
    for flag, endpoints in arms.items():
        for endpoint, (requests, cost) in endpoints.items():
            for group in range(GROUPS):
                n = float(rng.poisson(requests / GROUPS))
                heavy = rng.normal(1, 0.02)
                total = rng.gamma(n * 4, cost * heavy / 4) if n else 0.0
                rows.append((flag, endpoint, unit, group, n, total, n / 5))
    columns = list(zip(*rows, strict=True))
    kinds = (np.str_, np.str_, np.str_, np.int64, float, float, float)
    return FlagSums(*(np.array(c, dtype=k) for c, k in zip(columns, kinds, strict=True)))


BOTH = {"feed": (4_000, 6e6), "like": (4_000, 1e6)}


def test_a_dear_value_is_found_with_what_it_costs_the_fleet():
    dear = {"feed": (4_000, 7.2e6), "like": (4_000, 1e6)}
    (cost,) = flag_costs(sums(1, {"ranker=off": BOTH, "ranker=new": dear}), 100.0)
    assert (cost.flag, cost.value, cost.control) == ("ranker", "new", "off")
    assert cost.verdict == "regression"
    assert cost.difference.low < 0.6e6 < cost.difference.high
    assert cost.fleet_per_s == pytest.approx(8_000 * 0.6e6 / 100, rel=0.15)
    assert cost.rollout_per_s == pytest.approx(2 * cost.fleet_per_s, rel=0.05)
    assert cost.endpoints[0][0] == "feed"


def test_an_arm_that_serves_dearer_endpoints_is_not_dearer():
    other = {"feed": (7_000, 6e6), "like": (1_000, 1e6)}
    (cost,) = flag_costs(sums(2, {"ranker=off": BOTH, "ranker=new": other}), 100.0)
    assert cost.difference.low < 0 < cost.difference.high
    assert cost.verdict == "no change"


def test_what_costs_the_fleet_most_comes_first():
    more, most = {"feed": (500, 9e6)}, {"feed": (8_000, 7e6)}
    base = {"feed": (8_000, 6e6)}
    found = flag_costs(sums(3, {"a=off": base, "a=on": more, "b=off": base, "b=on": most}), 100.0)
    assert [cost.flag for cost in found] == ["b", "a"]


def test_intervals_hold_the_truth_and_nothing_is_found_where_nothing_is():
    held, alarms, trials = 0, 0, 300
    arms = {"f=off": BOTH, "f=on": BOTH}
    for seed in range(trials):
        (cost,) = flag_costs(sums(seed, arms), 1.0)
        held += cost.difference.low <= 0 <= cost.difference.high
        alarms += cost.verdict in ("regression", "improvement")
    assert 0.91 <= held / trials <= 0.985
    assert alarms / trials <= 0.06


def test_few_requests_cannot_tell_and_one_value_is_not_compared():
    few = {"feed": (20, 60e6)}
    (cost,) = flag_costs(sums(4, {"f=off": BOTH, "f=on": few}), 1.0)
    assert cost.verdict == "cannot tell"
    assert flag_costs(sums(5, {"f=on": BOTH}), 1.0) == []
    assert flag_costs(sums(5, {"f=on": BOTH, "f=off": BOTH}, unit="none"), 1.0) == []


def test_without_a_named_control_the_most_frequent_value_is_it():
    arms = {
        "f=v1": {"feed": (900, 1e6)},
        "f=v2": {"feed": (5_000, 1e6)},
        "f=v3": {"feed": (300, 1e6)},
    }
    assert {cost.control for cost in flag_costs(sums(6, arms), 1.0)} == {"v2"}


def test_endpoints_of_one_arm_only_say_nothing():
    arms = {"f=off": {"feed": (900, 1e6)}, "f=on": {"like": (900, 9e6)}}
    (cost,) = flag_costs(sums(7, arms), 1.0)
    assert cost.verdict == "cannot tell"
