"""Sides of a comparison."""

import pytest

from collector.answers.records import Window
from collector.answers.sides import Side, parse_side
from collector.errors import BadQuestion

WINDOW = Window(1_790_000_000_000, 1_790_007_200_000)


def test_keys_and_their_combination():
    start, end = WINDOW.from_ms, WINDOW.to_ms
    assert parse_side("release:r1", WINDOW) == Side("release:r1", "r1", "", "", start, end)
    assert parse_side("host:web-1, region:eu", WINDOW) == Side(
        "host:web-1, region:eu", "", "web-1", "eu", start, end
    )
    assert parse_side("release:v1:2", WINDOW).release == "v1:2"


def test_a_window_of_its_own_counts_from_the_end():
    side = parse_side("window:-2h..-1h,release:r1", WINDOW)
    assert (side.from_ms, side.to_ms) == (WINDOW.to_ms - 7_200_000, WINDOW.to_ms - 3_600_000)
    assert side.release == "r1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "write key:value"),
        ("r1", "write key:value"),
        ("release:", "write key:value"),
        ("planet:mars", "release, window, host, region, flag, runtime"),
        ("release:r1,release:r2", "names release twice"),
        ("window:-1h", "write FROM..TO"),
        ("window:-1h..-2h", "from must be before to"),
        ("window:x..y", "The time 'x' is not understood"),
    ],
)
def test_others_are_refused(text, sentence):
    with pytest.raises(BadQuestion, match=sentence):
        parse_side(text, WINDOW)
