import pyarrow as pa

from collector.answers.hours import same_hours
from collector.answers.sides import Side

WIDTH_S = 600
EMPTY = pa.table({"win": pa.array([], pa.uint64())})


def tables(*hours: int):
    wins = pa.table({"win": pa.array([h * 6 + part for h in hours for part in range(6)])})
    return (wins, wins, EMPTY, EMPTY)


def side(is_window: bool = True) -> Side:
    return Side("x", "", "", "", 0, 1, is_window=is_window)


def test_only_hours_that_both_windows_cover_are_compared():
    found, notes = same_hours((side(), side()), [tables(8, 9, 10), tables(33, 34, 35)], WIDTH_S)
    assert [len(one[0]) for one in found] == [12, 12]
    assert [len(one[1]) for one in found] == [12, 12]
    assert notes == ("only the hours of the day that both windows cover: 9-10 UTC",)


def test_alike_windows_stay_whole():
    given = [tables(8, 9), tables(32, 33)]
    assert same_hours((side(), side()), given, WIDTH_S) == (given, ())


def test_windows_without_a_common_hour_are_compared_with_a_word():
    given = [tables(3, 4), tables(22, 23, 24)]
    found, (note,) = same_hours((side(), side()), given, WIDTH_S)
    assert found == given
    assert "UTC 3-4 and 0, 22-23" in note


def test_releases_share_no_hours():
    given = [tables(3), tables(9)]
    assert same_hours((side(False), side()), given, WIDTH_S) == (given, ())
