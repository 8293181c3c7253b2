"""Every host as its agent sees it: freshness, workers, samples, what was lost."""

from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.hosts import hosts
from dashboards.blocks import frame
from dashboards.blocks.host_table import host_table
from dashboards.blocks.worker_table import worker_table
from dashboards.source import Source, ask
from dashboards.urls import parse_query

PATH = "/hosts"
TITLE = "Hosts"
START = "-15m"
TABLE = "hosts-table"
WORKERS = "hosts-workers"


def layout(**query: str) -> Component:
    panels = [
        frame.panel("Hosts", frame.slot(TABLE, 300)),
        frame.panel("Workers", frame.slot(WORKERS, 300)),
    ]
    body = html.Div(panels, className="dy-grid")
    return frame.page(PATH, TITLE, parse_query(query), START, (), (body,), refreshes=False)


def register(app: Dash, source: Source) -> None:
    @app.callback(
        Output(TABLE, "children"),
        Output(WORKERS, "children"),
        Input(frame.QUERY, "data"),
        Input(frame.REFRESH, "n_clicks"),
    )
    def show_hosts(data: dict[str, Any], _: int) -> tuple[Component, Component]:
        question = ask(source, data, START)
        answer = hosts(source.store, question.window, question.service.service)
        now_ms = question.now_ms
        return host_table(answer.data, now_ms), worker_table(answer.data, now_ms)
