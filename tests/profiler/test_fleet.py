import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.fleet import fleet_change, fleet_changes, mix_within
from profiler.measured import PeakMinute, RequestWindows, SideData, SortsOfRequests, StackWindows
from profiler.parts import parts_of
from profiler.records import FleetChange

SIDE = st.dictionaries(
    st.sampled_from(["feed", "like", "search", "profile"]),
    st.tuples(st.floats(0.01, 1e4), st.floats(1.0, 1e9)),
    min_size=1,
)


@given(SIDE, SIDE)
def test_parts_sum_to_the_measured_change_and_swap_sign(a, b) -> None:
    there, back = fleet_change("cpu_ns", a, b), fleet_change("cpu_ns", b, a)
    change = there.per_s_b - there.per_s_a
    scale = max(there.per_s_a, there.per_s_b)
    assert there.traffic + there.mix + there.cost == pytest.approx(change, abs=1e-9 * scale)
    for part in ("traffic", "mix", "cost"):
        assert getattr(there, part) == pytest.approx(-getattr(back, part), abs=1e-9 * scale)


def test_each_cause_alone_is_called_by_its_name() -> None:
    a = {"feed": (10.0, 5.0), "like": (10.0, 1.0)}
    more = fleet_change("cpu_ns", a, {"feed": (20.0, 5.0), "like": (20.0, 1.0)})
    assert (more.traffic, more.mix, more.cost) == pytest.approx((60, 0, 0))
    mix = fleet_change("cpu_ns", a, {"feed": (15.0, 5.0), "like": (5.0, 1.0)})
    assert (mix.traffic, mix.mix, mix.cost) == pytest.approx((0, 20, 0))
    dearer = fleet_change("cpu_ns", a, {"feed": (10.0, 6.0), "like": (10.0, 1.0)})
    assert (dearer.traffic, dearer.mix, dearer.cost) == pytest.approx((0, 0, 10))


def test_a_new_endpoint_is_not_a_rise_of_cost() -> None:
    change = fleet_change("cpu_ns", {"feed": (10.0, 5.0)}, {"feed": (10.0, 5.0), "x": (1.0, 9.0)})
    assert change.cost == 0
    assert change.traffic + change.mix == pytest.approx(9)


SORTS = st.dictionaries(
    st.sampled_from(["200 on", "200 off", "500 on", "304 off"]),
    st.tuples(st.floats(0.5, 1e4), st.floats(1.0, 1e9)),
    min_size=1,
)


@given(SORTS, SORTS)
def test_mix_within_and_the_cost_of_like_requests_sum_to_the_rise_per_request(a, b) -> None:
    """Against plain loops over Bennet's two sums."""
    every_a, every_b = (sum(n for n, _ in side.values()) for side in (a, b))
    mean_a, mean_b = (
        sum(cost for _, cost in side.values()) / every
        for side, every in ((a, every_a), (b, every_b))
    )
    like = 0.0
    for sort in a.keys() & b.keys():
        share = (a[sort][0] / every_a + b[sort][0] / every_b) / 2
        like += share * (b[sort][1] / b[sort][0] - a[sort][1] / a[sort][0])
    within = mix_within(a, b)
    scale = max(mean_a, mean_b)
    assert within + like == pytest.approx(mean_b - mean_a, abs=1e-9 * scale)
    assert mix_within(b, a) == pytest.approx(-within, abs=1e-9 * scale)


def counted_side(label: str, sorts: dict[str, tuple[float, float]], users: int = 10) -> SideData:
    """One endpoint on two hosts: sort -> (requests, cost each)."""
    names, sums = list(sorts), np.array([(n, n * cost) for n, cost in sorts.values()])
    n, cost = sums.sum(axis=0) / 2
    two, zero = np.zeros(2), np.zeros(0)
    rows = RequestWindows(
        host=np.array(["web-1", "web-2"]), window=np.array([7, 7]), endpoint=np.array(["feed"] * 2),
        kind=np.array(["http"] * 2), unit=np.array(["instructions"] * 2), requests=two + n,
        errors=two, cost=two + cost, task_clock_ns=two + cost, warm=two == 0, load=two + np.nan,
    )  # fmt: skip
    text, whole = np.array([], dtype=np.str_), np.array([], dtype=np.int64)
    stacks = StackWindows(text, whole, text, whole, zero, zero, zero > 0)
    return SideData(
        label,
        rows,
        stacks,
        {},
        SortsOfRequests(
            np.array(["feed"] * len(names)), np.array(["instructions"] * len(names)),
            np.array(names), sums[:, 0], sums[:, 1],
        ),
        "flags",
        {"instructions": PeakMinute(60_000, 1_000.0, users)},
    )  # fmt: skip


def changed(a: SideData, b: SideData) -> tuple[FleetChange, ...]:
    parts = [parts_of(side, ["web-1", "web-2"]) for side in (a, b)]
    return fleet_changes(a, b, parts, 10.0, server_cost_per_year=1000.0)


def test_more_of_the_dearer_sort_is_mix_within_and_no_cost() -> None:
    a = counted_side("a", {"off": (90, 10.0), "on": (10, 30.0)})
    b = counted_side("b", {"off": (10, 10.0), "on": (90, 30.0)}, users=5)
    (change,) = changed(a, b)
    assert change.mix_within == pytest.approx(change.per_s_b - change.per_s_a)
    assert (change.traffic, change.mix, change.cost) == pytest.approx((0, 0, 0), abs=1e-9)
    assert change.servers == pytest.approx(2 * (28 / 12 - 1))
    assert change.servers_by_cost == pytest.approx(0, abs=1e-9)
    assert change.money_per_year == pytest.approx(0, abs=1e-6)
    assert change.peak.relative == pytest.approx(1.0)


def test_a_dearer_sort_is_cost_in_servers_and_money() -> None:
    a = counted_side("a", {"off": (90, 10.0), "on": (10, 30.0)})
    b = counted_side("b", {"off": (90, 10.0), "on": (10, 42.0)})
    (change,) = changed(a, b)
    assert change.mix_within == pytest.approx(0)
    assert change.cost == pytest.approx(12.0)
    assert change.servers_by_cost == pytest.approx(0.2)
    assert change.money_per_year == pytest.approx(200)
