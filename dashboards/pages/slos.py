"""Every SLO: what is promised, what was kept, how fast its budget burns."""

from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.slos import slos
from dashboards.blocks import frame
from dashboards.blocks.slo_table import slo_table
from dashboards.source import Source, ask
from dashboards.urls import parse_query

PATH = "/slos"
TITLE = "SLOs"
START = "-1h"
TABLE = "slos-table"


def layout(**query: str) -> Component:
    body = html.Div(
        frame.panel("Service level objectives", frame.slot(TABLE, 300)), className="dy-grid"
    )
    return frame.page(PATH, TITLE, parse_query(query), START, (), (body,))


def register(app: Dash, source: Source) -> None:
    @app.callback(
        Output(TABLE, "children"), Input(frame.QUERY, "data"), Input(frame.TICK, "n_intervals")
    )
    def show_slos(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        states = slos(source.store, question.window).data
        return slo_table(states, question.query, question.now_ms)
