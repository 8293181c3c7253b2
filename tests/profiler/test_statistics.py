import math

import numpy as np
import pytest

from profiler.statistics import benjamini_hochberg, difference, host_ratios


def simulate(
    rng, hosts: int, windows: int, mean: float, speeds, correlation: float, shared: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sums per window of correlated costs: numerator (1, W), denominator, host, window.

    `shared`: the hosts are slow at the same moments, as on one machine.
    """
    cost, count, host, window = [], [], [], []
    loads = [load_over_time(rng, windows, correlation) for _ in range(1 if shared else hosts)]
    for number in range(hosts):
        for at, load in enumerate(loads[0 if shared else number]):
            requests = rng.poisson(40) + 1
            count.append(requests)
            cost.append(requests * mean * speeds[number] * (1 + load))
            host.append(number)
            window.append(at)
    return np.array([cost]), np.array(count, float), np.array(host), np.array(window)


def load_over_time(rng, windows: int, correlation: float) -> list[float]:
    load, loads = rng.normal(0, 0.05) / np.sqrt(1 - correlation**2), []
    for _ in range(windows):
        load = correlation * load + rng.normal(0, 0.05)
        loads.append(load)
    return loads


def coverage(
    hosts: int, windows: int, correlation: float, rounds: int, shared: bool = False
) -> float:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(rounds):
        speeds = rng.normal(1, 0.1, hosts)
        sides = [
            host_ratios(*simulate(rng, hosts, windows, mean, speeds, correlation, shared), hosts)
            for mean in (10.0, 11.0)
        ]
        found = difference(*sides)
        truth = float(np.average(speeds, weights=sides[0].weight))
        covered += bool(found.low[0] <= truth <= found.high[0])
    return covered / rounds


ROUNDS = [800, pytest.param(20_000, marks=pytest.mark.long)]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_intervals_of_many_hosts_cover_the_truth(rounds: int) -> None:
    assert 0.92 <= coverage(hosts=6, windows=12, correlation=0.3, rounds=rounds) <= 0.985


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("windows", "correlation"), [(18, 0.0), (18, 0.3), (60, 0.5)])
def test_intervals_of_two_hosts_cover_the_truth_by_their_windows(
    windows: int, correlation: float, shared: bool, rounds: int
) -> None:
    assert 0.92 <= coverage(2, windows, correlation, rounds, shared) <= 0.985


def test_the_waves_of_an_error_equal_plain_loops() -> None:
    rng = np.random.default_rng(3)
    cost, count, host, window = simulate(rng, 1, 30, 10.0, [1.0], 0.6)
    found = host_ratios(cost, count, host, window + 100, 1)
    mean = cost.sum() / count.sum()
    waves = []
    for number in (1, 2, 3, 4):  # 0.4 x 30^(2/3) = 3.9
        terms = [
            (cost[0][at] - mean * count[at]) * math.cos(math.pi * number * (at + 0.5) / 30)
            for at in range(30)
        ]
        waves.append(math.sqrt(2) * sum(terms) / count.sum())
    assert found.mean[0, 0] == pytest.approx(mean)
    assert found.waves[0, 0].tolist() == pytest.approx(waves)


def test_hosts_are_paired_so_that_their_speeds_do_not_widen_the_interval() -> None:
    rng = np.random.default_rng(5)
    speeds = [0.5, 1.0, 2.0, 4.0]
    a = host_ratios(*simulate(rng, 4, 10, 10.0, speeds, 0.0), 4)
    b = host_ratios(*simulate(rng, 4, 10, 10.0, speeds, 0.0), 4)
    found = difference(a, b)
    assert found.unit_of_error == "host"
    assert found.high[0] - found.low[0] < 5
    assert found.low[0] < 0 < found.high[0]


def test_different_hosts_are_compared_unpaired() -> None:
    rng = np.random.default_rng(6)
    cost, count, host, window = simulate(rng, 3, 10, 10.0, [1.0] * 3, 0.0)
    a = host_ratios(cost, count, host, window, 6)
    cost, count, host, window = simulate(rng, 3, 10, 20.0, [1.0] * 3, 0.0)
    b = host_ratios(cost, count, host + 3, window, 6)
    found = difference(a, b)
    assert found.unit_of_error == "host"
    assert found.low[0] < 10 < found.high[0]
    assert found.p_value[0] < 0.01


def test_two_windows_say_nothing() -> None:
    few = host_ratios(
        np.array([[10.0, 11.0]]), np.array([1.0, 1.0]), np.array([0, 0]), np.array([0, 1]), 1
    )
    found = difference(few, few)
    assert not np.isfinite(found.low[0])
    assert found.p_value[0] == 1


def test_an_empty_side_is_no_answer() -> None:
    full = host_ratios(np.ones((1, 4)), np.ones(4), np.zeros(4, int), np.arange(4), 1)
    nothing = host_ratios(np.ones((1, 0)), np.ones(0), np.zeros(0, int), np.zeros(0, int), 1)
    found = difference(full, nothing)
    assert np.isnan(found.value[0])
    assert np.isnan(found.p_value[0])


def test_correction_leaves_unknown_values_out() -> None:
    corrected = benjamini_hochberg([0.01, float("nan"), 0.04])
    assert corrected[0] == pytest.approx(0.02)
    assert np.isnan(corrected[1])
    assert corrected[2] == pytest.approx(0.04)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("rounds", [600, pytest.param(20_000, marks=pytest.mark.long)])
def test_groups_of_hosts_are_as_honest_as_hosts(rounds: int, apart: bool) -> None:
    """200 hosts in 64 groups by chance: intervals cover as often, and are hardly wider."""
    rng = np.random.default_rng(5)
    hosts, groups = 200, 64
    zero, covered, reach = np.zeros(hosts, int), np.zeros(2), np.zeros(2)
    numbers = (np.arange(hosts), rng.integers(0, groups, hosts))
    for _ in range(rounds):
        speeds, traffic = rng.normal(1, 0.1, hosts), rng.gamma(2, 20, hosts)
        sides = []
        for mean in (10.0, 11.0):
            count = rng.poisson(traffic) + 1.0
            cost = count * mean * speeds * rng.normal(1, 0.05, hosts)
            sides.append((cost[None], count))
            speeds = rng.normal(1, 0.1, hosts) if apart else speeds
        for at, number in enumerate(numbers):
            whole = 2 * hosts if apart else hosts
            found = difference(
                *(
                    host_ratios(*side, number + (hosts * later if apart else 0), zero, whole)
                    for later, side in enumerate(sides)
                )
            )
            covered[at] += bool(found.low[0] <= 1.0 <= found.high[0])
            reach[at] += found.reach[0] / rounds
    share = covered / rounds
    assert ((share >= 0.92) & (share <= 0.985)).all()
    assert reach[1] <= 1.1 * reach[0]
