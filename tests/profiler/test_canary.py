"""A canary on simulated fleets: how often it alarms for nothing, what it finds, and how soon."""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest

from profiler.canary import LOOKS, look_at, watch
from profiler.canary_measures import CanaryData, Memory, Seen, Statuses
from profiler.canary_records import Canary, CanaryLimits
from profiler.endpoints import MACHINE_FLOOR
from tests.profiler.canary_fleet import ENDPOINTS, WINDOWS, Fleet, plan, simulated

#: Nothing is accepted: a canary that does the same lies exactly at the limit of each test.
NOTHING = CanaryLimits(0, 0, 0, 0, 0)
FLEETS = {
    "one canary host of 7": Fleet(),
    "3 of 8": Fleet(canary_hosts=3, hosts=8),
    "2 new hosts of 7": Fleet(canary_hosts=2, history=False),
    "one of 2": Fleet(hosts=2, unit="instructions"),
}


def rolled_out(
    fleet: Fleet, rounds: int, limits: CanaryLimits | None = None, seed: int = 1
) -> list[Canary]:
    rng = np.random.default_rng(seed)
    return [watch(simulated(fleet, rng), plan(limits=limits)) for _ in range(rounds)]


def alarms(found: list[Canary]) -> float:
    return sum(one.verdict == "regression" for one in found) / len(found)


@pytest.mark.parametrize("name", FLEETS)
def test_it_alarms_for_nothing_seldom_enough(name: str) -> None:
    """At 5%, 100 rounds have more than 11 alarms once in 200 such tests."""
    assert alarms(rolled_out(FLEETS[name], 100, NOTHING)) <= 0.11


@pytest.mark.long
@pytest.mark.parametrize("name", FLEETS)
def test_it_alarms_for_nothing_seldom_enough_in_2000_rounds(name: str) -> None:
    assert alarms(rolled_out(FLEETS[name], 2_000, NOTHING)) <= 0.06


def test_looks_without_the_plan_alarm_for_nothing() -> None:
    """The same tests at 5% each, at each look: what the plan is for."""
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(30):
        data = simulated(Fleet(canary_hosts=3, hosts=8), rng)
        looks = (look_at(data, plan(limits=NOTHING), look) for look in range(1, LOOKS + 1))
        found += any(one.p_value < 0.05 for look in looks for one in look)
    assert found / 30 > 0.3


def test_the_same_release_passes() -> None:
    found = Counter(one.verdict for one in rolled_out(FLEETS["3 of 8"], 24))
    assert found["regression"] == 0
    assert found["pass"] >= 21


RISES = {
    "cost": {"cost_rise": 0.25},
    "latency": {"slow_rise": 0.1},
    "errors": {"error_rise": 0.04},
    "404": {"gone_rise": 0.08},
    "memory": {"memory_rise": 0.4},
}


@pytest.mark.parametrize("measure", RISES)
@pytest.mark.parametrize("name", ["one canary host of 7", "3 of 8", "one of 2"])
def test_what_is_worse_is_found_early_and_named(name: str, measure: str) -> None:
    found = rolled_out(replace(FLEETS[name], **RISES[measure]), 10)
    assert alarms(found) >= 0.9
    assert np.mean([one.look for one in found]) < 4
    for one in found:
        named = {measure.measure for measure in one.measures if measure.verdict == "regression"}
        assert named <= {measure}
        assert (f"status {measure}" if measure.isdigit() else measure) in one.headline


def test_the_rise_is_as_large_as_it_is() -> None:
    limits = CanaryLimits(9, 0.9, 0.9, 0.9, 9)
    fleet = replace(FLEETS["3 of 8"], cost_rise=0.2, error_rise=0.05, gone_rise=0.1)
    fleet = replace(fleet, slow_rise=0.1, memory_rise=0.3)
    true = {"cost": 0.2, "errors": 0.05, "404": 0.1, "latency": 0.1, "memory": 0.3}
    found = rolled_out(fleet, 20, limits)
    for measure, rise in true.items():
        rises = [one.rise for each in found for one in each.measures if one.measure == measure]
        assert np.mean(rises) == pytest.approx(rise, rel=0.06), measure
        inside = [
            one.low <= rise <= one.high
            for each in found
            for one in each.measures
            if one.measure == measure
        ]
        assert np.mean(inside) > 0.85, measure


def test_a_regression_ends_it_at_the_look_that_found_it() -> None:
    data = simulated(Fleet(canary_hosts=3, hosts=8, cost_rise=0.5), np.random.default_rng(3))
    found = [watch(data, plan(look)) for look in range(LOOKS + 1)]
    first = next(one.look for one in found if one.verdict == "regression")
    assert first < LOOKS
    assert [one.verdict for one in found[:first]] == ["waiting"] * first
    for later in found[first:]:
        assert (later.look, later.measures) == (first, found[first].measures)


def test_data_after_a_look_does_not_change_what_it_said() -> None:
    data = simulated(Fleet(canary_hosts=3, hosts=8), np.random.default_rng(4))
    until = WINDOWS + 2 * WINDOWS // LOOKS
    early = replace(
        data,
        during=cut(data.during, data.during.window < until),
        statuses=cut(data.statuses, data.statuses.window < until),
        memory=cut(data.memory, data.memory.window < until),
    )
    assert look_at(early, plan(), 2) == look_at(data, plan(), 2)


def test_hosts_of_any_speed_are_told_apart_from_a_release_by_their_time_before() -> None:
    fleet = Fleet(canary_hosts=2, hosts=8, host_spread=0.3)
    assert alarms(rolled_out(fleet, 10)) == 0
    before = rolled_out(fleet, 10)
    without = rolled_out(replace(fleet, history=False), 10)
    assert width(before) < width(without) / 3


def width(found: list[Canary]) -> float:
    costs = [one for each in found for one in each.measures if one.measure == "cost"]
    return float(np.median([one.high - one.low for one in costs]))


def cut(rows, at):
    return type(rows)(*(getattr(rows, field.name)[at] for field in fields(rows)))


def nothing(kind):
    texts, whole = ("endpoint", "unit"), ("host", "window", "model", "status")
    kinds = dict.fromkeys(texts, "U") | dict.fromkeys(whole, "i8") | {"canary": "?", "warm": "?"}
    return kind(*(np.array([], dtype=kinds.get(one.name, "f8")) for one in fields(kind)))


NO_DATA = CanaryData(nothing(Seen), nothing(Seen), nothing(Statuses), *[nothing(Memory)] * 2)


def test_no_data_never_passes() -> None:
    found = [watch(NO_DATA, plan(look)) for look in range(LOOKS + 1)]
    assert [one.verdict for one in found] == ["waiting"] * LOOKS + ["cannot tell"]
    assert "r2 and r1 did not serve enough at the same minutes" in found[-1].headline


@pytest.mark.parametrize("side", [True, False])
def test_one_side_alone_never_passes(side: bool) -> None:
    data = simulated(Fleet(), np.random.default_rng(5))
    data = replace(data, during=cut(data.during, data.during.canary == side))
    assert watch(data, plan()).verdict == "cannot tell"


def test_never_at_the_same_minutes_never_passes() -> None:
    data = simulated(Fleet(), np.random.default_rng(6))
    half = data.during.window < WINDOWS * 3 / 2
    data = replace(data, during=cut(data.during, data.during.canary == half))
    assert watch(data, plan()).verdict == "cannot tell"


def test_a_canary_that_died_on_the_way_does_not_pass() -> None:
    data = simulated(FLEETS["3 of 8"], np.random.default_rng(7))
    alive = ~data.during.canary | (data.during.window < WINDOWS * 1.7)
    found = watch(replace(data, during=cut(data.during, alive)), plan())
    assert found.verdict == "cannot tell"
    assert "r2 did not serve in 1 of 5 parts of the time" in found.headline


@pytest.mark.parametrize("measure", ["cost", "latency"])
def test_a_canary_whose_workers_all_are_young_does_not_pass(measure: str) -> None:
    data = simulated(FLEETS["3 of 8"], np.random.default_rng(10))
    during = replace(data.during, warm=~data.during.canary)
    if measure == "cost":
        during = replace(data.during, unit=np.where(data.during.canary, "instructions", "cpu_ns"))
    found = watch(replace(data, during=during), plan())
    assert found.verdict == "cannot tell"
    assert f"GET /feed/ {measure}: too few requests" in found.headline


def test_few_requests_say_nothing() -> None:
    found = rolled_out(Fleet(requests=0.3), 3)
    assert [one.verdict for one in found] == ["cannot tell"] * 3


def test_two_hosts_without_a_time_before_cannot_be_told_in_cost() -> None:
    (found,) = rolled_out(replace(FLEETS["one of 2"], history=False), 1)
    cost = next(one for one in found.measures if one.measure == "cost")
    assert (found.verdict, cost.verdict) == ("cannot tell", "cannot tell")
    assert "let the control run before" in cost.reason


def test_a_small_rise_of_cpu_time_on_two_hosts_is_the_machines() -> None:
    limits = CanaryLimits(cost=0.001)
    for unit, limit in (("cpu_ns", MACHINE_FLOOR), ("instructions", 0.001)):
        (found,) = rolled_out(Fleet(hosts=2, unit=unit), 1, limits)
        assert {one.limit for one in found.measures if one.measure == "cost"} == {limit}


def test_warm_up_is_apart_in_cost_and_latency_only() -> None:
    data = simulated(FLEETS["3 of 8"], np.random.default_rng(8))
    young = data.during.canary & (data.during.window < WINDOWS * 1.2)
    during = replace(
        data.during,
        warm=~young,
        cost=np.where(young, data.during.cost * 3, data.during.cost),
        failed=np.where(data.during.canary, data.during.every * 0.2, data.during.failed),
    )
    data = replace(data, during=during)
    found = watch(data, plan())
    assert {one.measure for one in found.measures if one.verdict == "regression"} == {"errors"}
    assert found.warmup_requests == round(float(during.requests[young].sum()))


def test_processor_models_are_compared_with_their_like() -> None:
    data = simulated(Fleet(canary_hosts=2, hosts=8, host_spread=0), np.random.default_rng(9))
    slow = np.isin(data.during.host, [0, 3, 4])
    none = nothing(Seen)
    data = replace(data, during=of_model(data.during, slow), before=none)
    found = watch(data, plan())
    assert {one.verdict for one in found.measures if one.measure == "cost"} == {"pass"}


def of_model(rows: Seen, slow) -> Seen:
    cost = np.where(slow, rows.cost * 1.6, rows.cost)
    return replace(rows, model=slow.astype(np.int64), cost=cost)


def test_what_cannot_be_counted_is_no_cost() -> None:
    (found,) = rolled_out(replace(FLEETS["3 of 8"], unit="none"), 1)
    assert {one.measure for one in found.measures} == {"latency", "errors", "404", "memory"}
    assert {one.endpoint for one in found.measures} == {*ENDPOINTS, ""}
