"""Errors as a plain table. All their texts are of foreign origin; Dash escapes them."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from collector.answers.errors import ErrorRow
from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import badge, moment

__all__ = ["error_table"]

ROWS_MAX = 200
FRAMES_MAX = 4
NAMES_MAX = 3


def error_table(rows: Sequence[ErrorRow], now_ms: int) -> Component:
    if not rows:
        return empty("No unhandled exception in this time range.")
    head = ("Error", "Events", "First seen", "Last seen", "Releases", "Endpoints", "Sample")
    return table(head, [_row(row, now_ms) for row in rows], ROWS_MAX, numbers=("Events",))


def _row(row: ErrorRow, now_ms: int) -> Component:
    what: list[Component | str | None] = [
        html.Strong(row.type),
        " ",
        badge("new", "red") if row.is_new else None,
    ]
    frames = [html.Div(frame, className="dy-dim dy-mono") for frame in row.frames[:FRAMES_MAX]]
    trace = html.A("trace", href=f"/v1/traces/{row.trace_id}", className="dy-link")
    return html.Tr(
        [
            html.Td([html.Div(what), html.Div(row.message, className="dy-sentence"), *frames]),
            number(humanise.count(row.events)),
            html.Td([moment(row.first_ms), f", {humanise.ago(row.first_ms, now_ms)}"]),
            html.Td([moment(row.last_ms), f", {humanise.ago(row.last_ms, now_ms)}"]),
            html.Td(_some(row.releases), className="dy-mono"),
            html.Td(_some(row.endpoints), className="dy-mono"),
            html.Td(trace if row.trace_id else humanise.DASH),
        ]
    )


def _some(names: Sequence[str]) -> str:
    left_out = len(names) - NAMES_MAX
    return ", ".join(names[:NAMES_MAX]) + (f" and {left_out} more" if left_out > 0 else "")
