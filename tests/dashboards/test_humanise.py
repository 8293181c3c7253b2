from math import inf, nan

import pytest

from dashboards import humanise
from profiler.records import Interval


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, "0 ns"),
        (850, "850 ns"),
        (12_340, "12.3 µs"),
        (2_370_000, "2.37 ms"),
        (1_500_000_000, "1.5 s"),
        (-2_500_000, "−2.5 ms"),
        (0.4, "0.4 ns"),
        (nan, "–"),
        (inf, "–"),
    ],
)
def test_duration(ns, shown):
    assert humanise.duration_ns(ns) == shown


def test_cost_carries_its_unit():
    assert humanise.cost(6_830_000, "cpu_ns") == "6.83 ms CPU"
    assert humanise.cost(61_200_000, "instructions") == "61.2 M instr."
    assert humanise.cost(nan, "cpu_ns") == "–"
    assert humanise.cost(5, "none") == "not measurable"


def test_fleet_cost_is_cores_or_a_rate():
    assert humanise.per_second(1.25e9, "cpu_ns") == "1.25 cores"
    assert humanise.per_second(3.1e9, "instructions") == "3.1 G instr./s"
    assert humanise.per_second(nan, "cpu_ns") == "–"


def test_changes_have_signs():
    assert humanise.per_request(2_310_000, "cpu_ns") == "+2.31 ms"
    assert humanise.per_request(-2_310_000, "cpu_ns") == "−2.31 ms"
    assert humanise.change(0.251) == "+25.1%"
    assert humanise.change(-0.251) == "−25.1%"
    assert humanise.change(0.0) == "0%"
    assert humanise.change(nan) == "–"


def test_intervals():
    known = Interval(2_310_000, 1_900_000, 2_720_000)
    assert humanise.interval(known, "cpu_ns") == "+2.31 ms [+1.9, +2.72]"
    mixed = Interval(279_000, -8_000, 1_510_000)
    assert humanise.interval(mixed, "cpu_ns") == "+0.279 ms [−0.008, +1.51]"
    assert humanise.interval(Interval(0.0, 0.0, 0.0), "cpu_ns") == "0 ns [0, 0]"
    assert humanise.interval(Interval(2_310_000, nan, nan), "cpu_ns") == "+2.31 ms [unknown]"
    assert humanise.interval(Interval(nan, nan, nan), "cpu_ns") == "–"
    assert humanise.relative_interval(Interval(0.25, 0.2, 0.3)) == "+25% [+20%, +30%]"
    assert humanise.relative_interval(Interval(0.25, nan, nan)) == "+25%"
    assert humanise.relative_interval(Interval(-0.33, -1.95, 1.06)) == "−33% [−100%, +106%]"


def test_a_unit_on_both_sides_is_written_once():
    assert humanise.moved("6.07 ms CPU", "7.59 ms CPU") == "6.07 → 7.59 ms CPU"
    assert humanise.moved("911 µs", "1.02 ms") == "911 µs → 1.02 ms"
    assert humanise.moved("15", "16") == "15 → 16"


def test_shares_rates_counts():
    assert humanise.percent(0.99987, 5) == "99.987%"
    assert humanise.percent(nan) == "–"
    assert humanise.rate(12.34) == "12.3/s"
    assert humanise.rate(nan) == "–"
    assert humanise.count(39_767) == "39,767"
    assert humanise.count(nan) == "–"
    assert humanise.times(14.4) == "14.4×"
    assert humanise.number(0.0843) == "0.0843"
    assert humanise.p_value(0.0004) == "< 0.001"
    assert humanise.p_value(0.0432) == "0.043"
    assert humanise.p_value(nan) == "–"


def test_spans_of_time():
    assert [humanise.span_s(s) for s in (45, 720, 12_600, 2_592_000, nan)] == [
        "45 s",
        "12 min",
        "3.5 h",
        "30 d",
        "–",
    ]
    assert humanise.ago(1_000_000, 1_005_000) == "just now"
    assert humanise.ago(1_000_000, 1_120_000) == "2 min ago"
    assert humanise.ago(1_000_000, 1_179_999) == "2 min ago"
    assert humanise.ago(0, 13_000_000) == "3 h ago"
    assert humanise.ago(1_000_000, 1_044_500) == "44 s ago"
    assert humanise.ago(1_120_000, 1_000_000) == "just now"
