import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.fleet import fleet_change

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
