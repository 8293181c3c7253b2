"""What was dropped, truncated or late: shown wherever it could change what people read."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from collector.answers.records import LimitRow
from dashboards import humanise

__all__ = ["limit_note"]


def limit_note(limits: Sequence[LimitRow], truncated: bool = False) -> Component | None:
    """None where no limit was hit."""
    lines = [f"{row.where}: {row.what}, {humanise.count(row.count)} times" for row in limits]
    if truncated:
        lines.append("this page: rows were left out, because there are too many to show")
    if not lines:
        return None
    note: Component = dmc.Alert(
        html.Ul([html.Li(line) for line in lines], className="dy-plain"),
        title="Limits were hit in this window, so some numbers are incomplete",
        color="yellow",
        variant="light",
    )
    return note
