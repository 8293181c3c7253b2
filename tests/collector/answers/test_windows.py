"""Windows of time as people write them."""

import pytest

from collector.answers.records import Window
from collector.answers.windows import covered, parse_time, parse_window, rolled_up
from collector.errors import BadQuestion

NOW_MS = 1_790_337_600_000  # 2026-09-25T12:00:00Z
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        ("now", NOW_MS),
        ("-30s", NOW_MS - 30_000),
        ("-15m", NOW_MS - 900_000),
        (" -1h ", NOW_MS - HOUR_MS),
        ("-7d", NOW_MS - 7 * 24 * HOUR_MS),
        ("-999999999d", 0),
        ("2026-09-25T12:00:00Z", NOW_MS),
        ("2026-09-25T14:00:00+02:00", NOW_MS),
        ("2026-09-25T14:00:00 02:00", NOW_MS),
        ("2026-09-25T12:00:00.250", NOW_MS + 250),
        ("2026-09-25", NOW_MS - 12 * HOUR_MS),
    ],
)
def test_times(text, moment_ms):
    assert parse_time(text, NOW_MS) == moment_ms


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1h", "-1", "-1y", "--1h", "-1.5h", "2026-13-01", "1969-01-01", "\0"]
)
def test_other_texts_are_refused_with_what_to_write(text):
    with pytest.raises(BadQuestion, match="write now, -15m"):
        parse_time(text, NOW_MS)


def test_an_empty_or_endless_window_is_refused():
    assert parse_window("-1h", "now", NOW_MS) == Window(NOW_MS - HOUR_MS, NOW_MS)
    with pytest.raises(BadQuestion, match="from must be before to"):
        parse_window("now", "-1h", NOW_MS)
    with pytest.raises(BadQuestion, match="400 days"):
        parse_window("-401d", "now", NOW_MS)


def test_roll_ups_serve_minutes_and_long_windows():
    minute = NOW_MS + 60_000
    assert rolled_up(Window(NOW_MS, minute)) == Window(NOW_MS, minute)
    assert rolled_up(Window(NOW_MS + 1, minute)) is None
    assert rolled_up(Window(NOW_MS + 1, NOW_MS + 1 + HOUR_MS)) == Window(NOW_MS, minute + HOUR_MS)


def test_time_that_has_not_been_is_not_covered():
    window = Window(NOW_MS + 500, NOW_MS + HOUR_MS + 500)
    assert covered(window, 0) == Window(NOW_MS, NOW_MS + HOUR_MS + 500)
    later = NOW_MS + HOUR_MS + 30_000
    assert covered(window, later) == Window(NOW_MS, later + 1)
    short = Window(NOW_MS + 1, NOW_MS + 7_000)
    assert covered(short, NOW_MS + 5_000) == short
