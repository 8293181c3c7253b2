"""The table."""

import io

from rich.console import Console

from alerting.gate.reports.terminal import terminal_report
from tests.alerting.gate.comparisons import comparison


def test_the_table_says_verdicts_numbers_and_functions() -> None:
    out = io.StringIO()
    Console(file=out, width=160).print(terminal_report(comparison()))
    text = out.getvalue()
    lines = text.splitlines()
    assert "costs 10.0% more than before: look at app.rank:score first" in lines[0]
    assert any("regression" in line and "1,100,000" in line and "+10.00%" in line for line in lines)
    assert any("not measured" in line for line in lines)
    assert "in C: list_sort" in text
    assert "[" not in lines[0].replace("[id]", "")
