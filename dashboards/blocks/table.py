"""A plain table: its text can be selected, searched and read aloud."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

__all__ = ["number", "table"]


def table(
    head: Sequence[str], rows: Sequence[Component], rows_max: int, *, numbers: Sequence[str] = ()
) -> Component:
    """At most `rows_max` of `rows`; how many are left out is said beneath.

    `numbers`: those of `head` whose cells are numbers.
    """
    left_out = len(rows) - rows_max
    cells = [
        html.Th(word, scope="col", className="dy-number" if word in numbers else "")
        for word in head
    ]
    body = html.Tbody(list(rows[:rows_max]))
    more = f"{left_out} more rows are not shown" if left_out > 0 else None
    return html.Div(
        [
            html.Table([html.Thead(html.Tr(cells)), body], className="dy-table"),
            html.Div(more, className="dy-dim") if more else None,
        ],
        className="dy-scroll",
    )


def number(text: str) -> Component:
    return html.Td(text, className="dy-number")
