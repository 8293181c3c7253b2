"""Every host as its agent sees it: freshness, workers, samples, what was lost."""

from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.hosts import hosts
from dashboards.blocks import frame
from dashboards.blocks.host_table import host_table
from dashboards.source import Source, ask
from dashboards.urls import parse_query

PATH = "/hosts"
TITLE = "Hosts"
START = "-15m"
TABLE = "hosts-table"


def layout(**query: str) -> Component:
    body = html.Div(frame.panel("Hosts", frame.slot(TABLE, 300)), className="dy-grid")
    return frame.page(PATH, TITLE, parse_query(query), START, (), (body,), refreshes=False)


def register(app: Dash, source: Source) -> None:
    @app.callback(
        Output(TABLE, "children"), Input(frame.QUERY, "data"), Input(frame.REFRESH, "n_clicks")
    )
    def show_hosts(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        answer = hosts(source.store, question.window, question.service.service)
        return host_table(answer.data, question.now_ms)
