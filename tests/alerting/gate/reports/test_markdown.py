"""The comment, as GitHub would read it."""

from markdown_it import MarkdownIt

from alerting.gate.reports.markdown import MARKER, markdown_report
from tests.alerting.gate.comparisons import comparison


def test_every_row_keeps_its_columns() -> None:
    tables = [line for line in markdown_report(comparison()).splitlines() if line.startswith("|")]
    assert len(tables) == 2 + 5 + 2 + 1
    page = MarkdownIt("gfm-like", {"linkify": False}).render(markdown_report(comparison()))
    assert page.count("<tr>") == 1 + 5 + 1 + 1
    assert page.count("<td") == 5 * 7 + 5


def test_it_says_the_function_and_the_unit() -> None:
    text = markdown_report(comparison())
    assert text.startswith(MARKER)
    assert "`app.rank:score` (in C: `list_sort`)" in text
    assert "40 \u2192 80" in text
    assert "instructions under callgrind per request" in text
    assert "noise floor \u00b10.04%" in text
    assert "<b>" not in text
