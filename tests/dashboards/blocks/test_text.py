import pytest

from dashboards.blocks.text import as_of, breakable, link, moment, side_word, verdict_badge
from tests.dashboards.reading import links, plain, text


def test_cannot_tell_is_said_plainly():
    assert text(verdict_badge("cannot tell")) == "cannot tell yet"
    assert text(verdict_badge("regression")) == "regression"


@pytest.mark.parametrize(
    ("label", "word"),
    [("release:r2", "r2"), ("window:-2h..-1h", "window:-2h..-1h"), ("release:a,host:b",) * 2],
)
def test_sides_are_read_by_their_release(label, word):
    assert side_word(label) == word


def test_times_are_utc():
    assert text(moment(1_790_341_200_000)) == "13:00:00"
    assert as_of(1_790_341_200_000) == "as of 2026-09-25 13:00:00 UTC"
    assert as_of(0) == ""


def test_links_lead_somewhere():
    assert links(link("compare", "/compare?a=b")) == ["/compare?a=b"]


def test_names_may_break_after_their_parts():
    pieces = plain(breakable("feed.ranking:_score.<locals>.f"))
    words = [one for one in pieces if isinstance(one, str)]
    assert words == ["feed.", "ranking:_", "score.", "<locals>.", "f"]
    assert "".join(words) == "feed.ranking:_score.<locals>.f"
    assert [one["type"] for one in pieces if not isinstance(one, str)] == ["Wbr"] * 4
    assert breakable("") == []
