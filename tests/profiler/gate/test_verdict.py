"""Verdicts on counts whose truth is known."""

import random
from dataclasses import replace

import pytest

from profiler.gate.callgrind import FRAMEWORK
from profiler.gate.records import Budget, Call, Counted, Expectation, Function, Graph, Side
from profiler.gate.verdict import compare_sides, interval, undecided

BUDGET = Budget(0.01)


def side(**costs: list[float]) -> Side:
    counted = tuple(Counted(name, tuple(layouts), ((200, 10),)) for name, layouts in costs.items())
    return Side("abc", "instructions_simulated", "CPython 3.11.7", {"django": "5.2"}, counted)


def one(base: list[float], head: list[float], budget: Budget = BUDGET):
    return compare_sides(side(feed=base), side(feed=head), {"feed": budget})


def test_equal_counts_pass_with_no_noise() -> None:
    comparison = one([1e6, 1.01e6, 1.02e6], [1e6, 1.01e6, 1.02e6])
    assert (comparison.verdict, comparison.floor) == ("pass", 0.0)
    (feed,) = comparison.endpoints
    assert (feed.verdict, feed.rise, feed.low, feed.high) == ("pass", 0.0, 0.0, 0.0)


def test_a_certain_rise_above_the_budget_is_a_regression() -> None:
    comparison = one([1e6, 1.01e6, 1.02e6], [1.02e6, 1.0302e6, 1.0404e6])
    assert comparison.verdict == "regression"
    assert comparison.endpoints[0].rise == pytest.approx(0.02)
    assert comparison.endpoints[0].low > 0.01


def test_a_certain_rise_below_the_budget_passes() -> None:
    assert one([1e6, 1e6, 1e6], [1.009e6, 1.009e6, 1.009e6]).verdict == "pass"


def test_the_absolute_budget_holds_too() -> None:
    budget = Budget(0.5, absolute=1000)
    assert one([1e6, 1e6], [1.002e6, 1.002e6], budget).verdict == "regression"
    assert one([1e6, 1e6], [1.0005e6, 1.0005e6], budget).verdict == "pass"


def test_a_rise_within_the_noise_is_no_regression_and_is_undecided() -> None:
    comparison = one([1e6, 1e6, 1e6, 1e6], [1.015e6, 1.008e6, 1.016e6, 1.011e6])
    assert comparison.verdict == "pass"
    assert "not for certain" in comparison.endpoints[0].note
    assert undecided(comparison) == ["feed"]


def test_counts_that_differ_wildly_are_no_answer() -> None:
    comparison = one([1e6, 1e6, 1e6], [1.5e6, 0.6e6, 1.1e6])
    assert (comparison.verdict, comparison.endpoints[0].verdict) == ("unanswered", "unstable")


def test_nothing_measured_never_passes() -> None:
    empty = side()
    assert compare_sides(empty, empty, {"feed": BUDGET}).verdict == "unanswered"
    assert compare_sides(empty, empty, {}).verdict == "unanswered"


def test_a_wrong_answer_is_no_answer_but_does_not_hide_a_regression() -> None:
    base, head = side(a=[1e6, 1e6], b=[1e6, 1e6]), side(a=[2e6, 2e6], b=[1e6, 1e6])
    budgets = dict.fromkeys("abc", BUDGET)
    comparison = compare_sides(base, head, budgets, wrong={"c": "GET /c answered 500, not 200"})
    assert comparison.verdict == "regression"
    assert [e.verdict for e in comparison.endpoints] == ["regression", "pass", "unstable"]
    assert comparison.endpoints[2].note == "GET /c answered 500, not 200"


def test_a_new_and_a_gone_endpoint_are_said() -> None:
    base = replace(side(a=[1e6, 1e6], b=[1e6, 1e6]), absent=("c",))
    head = replace(side(a=[1e6, 1e6], c=[1e6, 1e6]), absent=("b",))
    comparison = compare_sides(base, head, dict.fromkeys("abc", BUDGET))
    assert [e.verdict for e in comparison.endpoints] == ["pass", "gone", "new"]
    assert comparison.verdict == "pass"


def test_an_announced_rise_passes_up_to_what_was_announced() -> None:
    expectation = Expectation(0.05, "FEED", "we rank twice", "abc123")
    base = side(feed=[1e6, 1e6])
    accepted = compare_sides(base, side(feed=[1.04e6, 1.04e6]), {"feed": BUDGET}, [expectation])
    assert (accepted.verdict, accepted.endpoints[0].verdict) == ("pass", "expected")
    assert "abc123 expects +5.0% because we rank twice" in accepted.endpoints[0].note
    more = compare_sides(base, side(feed=[1.06e6, 1.06e6]), {"feed": BUDGET}, [expectation])
    assert more.verdict == "regression"
    other = replace(expectation, endpoint="search")
    assert compare_sides(base, side(feed=[1.04e6, 1.04e6]), {"feed": BUDGET}, [other]).verdict == (
        "regression"
    )


def test_units_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_sides(side(a=[1.0]), replace(side(a=[1.0]), unit="cpu_ns"), {"a": BUDGET})


def test_other_packages_are_possible_causes() -> None:
    head = replace(
        side(a=[1e6, 1e6]), packages={"django": "5.1", "six": "1"}, python="CPython 3.12"
    )
    causes = compare_sides(side(a=[1e6, 1e6]), head, {"a": BUDGET}).causes
    assert causes == (
        "interpreter: CPython 3.11.7 -> CPython 3.12",
        "package django: 5.2 -> 5.1",
        "package six: absent -> 1",
    )


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """99% of 4,000 simulated comparisons, memory layouts worth 0.2%."""
    rng = random.Random(7)
    held = 0
    for _ in range(4000):
        shared = [1e6 * (1 + rng.gauss(0, 0.002)) for _ in range(4)]
        head = [one * 1.003 + 1e6 * rng.gauss(0, 0.001) for one in shared]
        _, low, high = interval(shared, head)
        held += low <= 0.003 <= high
    assert 0.98 <= held / 4000 <= 0.999


def test_shares_are_of_the_rise_that_the_functions_were_counted_in() -> None:
    def counted(ns: float, own: float) -> Counted:
        functions = (Function(FRAMEWORK, 1e5), Function("shop:price", own))
        graph = Graph(functions, (Call(FRAMEWORK, "shop:price", 10, own),))
        return Counted("feed", (ns, ns, ns), ((200, 10),), graph)

    before, after = (
        Side("abc", "cpu_ns", "CPython 3.11.7", {}, (counted(ns, own),))
        for ns, own in ((1e5, 4e5), (1.5e5, 6e5))
    )
    (feed,) = compare_sides(before, after, {"feed": BUDGET}).endpoints
    assert feed.verdict == "regression"
    assert feed.rise == pytest.approx(0.5)
    (price,) = feed.functions
    assert price.name == "shop:price"
    assert price.share == pytest.approx(1.0)


def with_luck(costs: list[float], prices: list[float], calls: float = 100.0) -> Side:
    """The same work in each layout, beside calls whose price hangs on where objects lie."""
    luck = tuple((calls, calls * price) for price in prices)
    layouts = tuple(cost + more for cost, (_, more) in zip(costs, luck, strict=True))
    feed = Counted("feed", layouts, ((200, 10),), luck={"memory": luck})
    return replace(side(), counted=(feed,))


def test_what_the_memory_layout_brings_hides_no_rise_and_makes_none() -> None:
    prices = [90.0, 10.0, 40.0, 20.0], [10.0, 70.0, 30.0, 80.0]
    for rise, verdict in ((0.003, "regression"), (0.0, "pass")):
        head = with_luck([1e6 * (1 + rise)] * 4, prices[1])
        compared = compare_sides(with_luck([1e6] * 4, prices[0]), head, {"feed": Budget(0.002)})
        (feed,) = compared.endpoints
        assert feed.verdict == verdict
        assert feed.rise == pytest.approx(rise, rel=0.01)
        assert feed.high - feed.low == pytest.approx(0.0, abs=1e-12)
        assert feed.before == pytest.approx(1e6 + 100 * sum(prices[0] + prices[1]) / 8)
        assert feed.note == ""


def test_more_calls_are_a_cost_at_the_mean_price() -> None:
    base = with_luck([1e6] * 4, [90.0, 10.0, 40.0, 20.0])
    head = with_luck([1e6] * 4, [10.0, 70.0, 30.0, 80.0], calls=600.0)
    (feed,) = compare_sides(base, head, {"feed": BUDGET}).endpoints
    price = (100 * 160 + 600 * 190) / 2800
    assert feed.after - feed.before == pytest.approx(500 * price)
    assert feed.verdict == "regression"


def test_calls_that_are_certainly_dearer_are_a_cost_and_said() -> None:
    head = with_luck([1e6] * 4, [300.0, 310.0, 290.0, 300.0])
    base = with_luck([1e6] * 4, [10.0, 20.0, 10.0, 20.0])
    (feed,) = compare_sides(base, head, {"feed": BUDGET}).endpoints
    assert feed.verdict == "regression"
    assert feed.rise == pytest.approx(0.0285, rel=0.01)
    assert "allocate and free memory cost more each" in feed.note


def test_layouts_that_one_side_does_not_have_are_left_out() -> None:
    base, head = with_luck([1e6] * 4, [10.0] * 4), with_luck([1e6] * 2, [50.0, 10.0])
    (feed,) = compare_sides(base, head, {"feed": BUDGET}).endpoints
    assert (feed.layouts, feed.verdict) == (2, "pass")
    assert feed.rise == pytest.approx(0.0)


def test_nothing_is_corrected_where_one_side_does_not_know() -> None:
    base, head = with_luck([1e6] * 4, [10.0] * 4), side(feed=[1e6] * 4)
    (feed,) = compare_sides(base, head, {"feed": BUDGET}).endpoints
    assert (feed.before, feed.after) == (1e6 + 1e3, 1e6)
