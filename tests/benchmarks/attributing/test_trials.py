"""The made-up services are what they say, and a few trials come out right."""

import numpy as np
import pytest

from benchmarks.attributing.fleet import ENDPOINT, Fleet, oracle_error_ns, power, side
from benchmarks.attributing.service import FUNCTIONS, KINDS, REQUEST_NS, make_service, plant
from benchmarks.attributing.trials import planted_trial
from benchmarks.attribution import SEED, summary


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_is_as_large_as_it_says(kind):
    rng = np.random.default_rng(3)
    service = make_service(rng)
    names = {frame for stack in service.stacks for frame in stack.frames}
    assert len(names) == FUNCTIONS
    assert len({stack.frames for stack in service.stacks}) == len(service.stacks)
    change = plant(service, kind, 0.05, rng)
    assert (change.after - change.before).sum() == pytest.approx(0.05 * REQUEST_NS)
    assert any(change.guilty in stack.frames for stack in change.stacks)
    assert change.before[: len(service.stacks)] == pytest.approx(service.cost_ns)


def test_the_fleet_measures_what_it_was_given():
    fleet = Fleet(speed=np.ones(6), windows=40)
    cost = np.array([4e6, 6e6])
    one = side("r1", fleet, cost, np.random.default_rng(1))
    mine = one.requests.endpoint == ENDPOINT
    mean = one.requests.cost[mine].sum() / one.requests.requests[mine].sum()
    assert mean == pytest.approx(cost.sum(), rel=0.03)
    taken = one.stacks.endpoint == ENDPOINT
    seen = np.bincount(one.stacks.stack[taken], one.stacks.samples[taken])
    assert seen / seen.sum() == pytest.approx(cost / cost.sum(), abs=0.02)


def test_the_oracle_knows_the_true_error():
    """Against the spread of the estimate over repeated fleets."""
    fleet = Fleet(speed=np.ones(4), windows=20, samples=100, requests=60)
    cost, members = np.array([1e6, 2e6, 3e6, 4e6]), np.array([True, False, False, False])
    rng = np.random.default_rng(2)
    rises = [estimate(fleet, cost, rng) - estimate(fleet, cost, rng) for _ in range(300)]
    assert oracle_error_ns(fleet, cost, members) == pytest.approx(np.std(rises), rel=0.2)


def estimate(fleet: Fleet, cost, rng) -> float:
    one = side("r", fleet, cost, rng)
    rows, taken = one.requests, one.stacks
    found = []
    for host in np.unique(rows.host):
        mine = (rows.endpoint == ENDPOINT) & (rows.host == host)
        clock = rows.cost[mine].sum() / rows.requests[mine].sum()
        here = (taken.endpoint == ENDPOINT) & (taken.host == host)
        first = here & (taken.stack == 0)
        found.append(clock * taken.samples[first].sum() / taken.samples[here].sum())
    return float(np.mean(found))


def test_power_of_the_oracle():
    assert power(0.0, 1.0, 0.05) == pytest.approx(0.025, abs=1e-6)
    assert power(10.0, 1.0, 0.05) == pytest.approx(1.0)


def test_a_few_trials_are_found_and_summed_up():
    trials = [planted_trial(number, SEED) for number in (0, 3, 4)]
    found = summary(trials, [False, True])
    assert [trial.rank for trial in trials] == [1, 1, 1]
    assert found["rank1"] == found["top3"] == 1
    assert found["aa_false"] == 0.5
    assert found["intervals"] > 500
    assert 0.85 < found["coverage"] <= 1
