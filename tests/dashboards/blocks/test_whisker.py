from math import nan

from dashboards.blocks.whisker import scale_of, whisker
from profiler.records import Interval
from tests.dashboards.reading import plain


def test_the_scale_holds_all_intervals_and_zero():
    low, high = scale_of([Interval(5, 4, 6), Interval(-1, -2, nan)])
    assert low < -2 < 6 < high
    assert scale_of([]) == (-1.0, 1.0)
    assert scale_of([Interval(nan, nan, nan)]) == (-1.0, 1.0)


def test_one_interval_that_says_little_does_not_hide_the_others():
    near = [Interval(0.02, -0.1, 0.14), Interval(-0.01, -0.12, 0.1), Interval(0.05, 0.01, 0.09)]
    low, high = scale_of([*near, Interval(-0.3, -2.0, 1.1)])
    assert -0.6 < low < -0.14 and 0.14 < high < 0.6
    low, high = scale_of([*near, Interval(2.0, 1.0, 3.0)])
    assert high > 3.0, "what is sure is shown whole"


def test_dot_and_line_are_where_the_numbers_are():
    props = plain(whisker(Interval(5, 0, 10), (-10.0, 10.0), "+5 [0, +10]"))["props"]
    zero, line, dot = (part["props"]["style"] for part in props["children"])
    assert zero["left"] == "50.00%"
    assert (line["left"], line["width"]) == ("50.00%", "50.00%")
    assert dot["left"] == "75.00%"
    assert props["aria-label"] == "+5 [0, +10]"


def test_only_a_whole_interval_is_coloured():
    scale = (-10.0, 10.0)
    words = [
        plain(whisker(one, scale, ""))["props"]["className"].split()[1]
        for one in (Interval(5, 1, 9), Interval(-5, -9, -1), Interval(1, -1, 3))
    ]
    assert words == ["dy-up", "dy-down", "dy-dim"]


def test_what_is_unknown_is_not_drawn():
    parts = plain(whisker(Interval(nan, nan, nan), (-1.0, 1.0), "–"))["props"]["children"]
    assert len(parts) == 1
