"""The comparison as a table for people."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from alerting.gate.reports.words import (
    budget_words,
    cost_words,
    function_words,
    headline,
    measured_words,
    shown_verdict,
)
from profiler.gate.records import Comparison, EndpointVerdict

__all__ = ["terminal_report"]

COLOURS = {
    "regression": "bold red", "unstable": "yellow", "expected": "cyan", "improved": "green",
    "new": "cyan", "gone": "cyan", "pass": "green",
}  # fmt: skip


def terminal_report(comparison: Comparison) -> Group:
    """For a rich console."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("endpoint")
    table.add_column("verdict")
    for heading in ("before", "after", "change", "interval 99%", "budget"):
        table.add_column(heading, justify="right")
    for one in comparison.endpoints:
        table.add_row(*_cells(one))
    parts: list[Text | Table] = [Text(headline(comparison), style="bold"), Text(), table]
    for one in comparison.endpoints:
        parts += [Text(line) for line in _lines(one)]
    parts += [Text(f"possible cause beside the code: {cause}") for cause in comparison.causes]
    parts.append(Text(measured_words(comparison), style="dim"))
    return Group(*parts)


def _cells(one: EndpointVerdict) -> list[Text | str]:
    cells: list[Text | str] = [Text(one.endpoint)]
    cells.append(Text(shown_verdict(one), style=COLOURS[one.verdict]))
    if not one.layouts:
        return [*cells, "-", "-", "-", "-", budget_words(one)]
    return [
        *cells,
        cost_words(one.before),
        cost_words(one.after),
        f"{one.rise:+.2%}",
        f"{one.low:+.2%} to {one.high:+.2%}",
        budget_words(one),
    ]


def _lines(one: EndpointVerdict) -> list[str]:
    notes = [one.note] if one.note else []
    notes += [function_words(function) for function in one.functions]
    return [f"{one.endpoint}: {note}" for note in notes]
