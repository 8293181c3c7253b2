from collector.answers.records import LimitRow
from dashboards.blocks.limits import limit_note
from tests.dashboards.reading import text


def test_limits_that_were_hit_are_shown_with_their_count():
    shown = text(limit_note([LimitRow("agent", "requests dropped", 1234)], truncated=True))
    assert "agent: requests dropped, 1,234 times" in shown
    assert "rows were left out" in shown


def test_none_where_no_limit_was_hit():
    assert limit_note([]) is None
