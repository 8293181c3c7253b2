"""What was measured, sent as StatsD or scraped: the list of metrics, and one over time."""

from typing import Any

import plotly.graph_objects as go
from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.metrics import metric, metrics
from dashboards.blocks import frame
from dashboards.blocks.metric_table import metric_table
from dashboards.blocks.states import empty
from dashboards.figures.metric_lines import SHOWN_MAX, metric_lines
from dashboards.source import Source, ask
from dashboards.urls import parse_query

#: /metrics is what Prometheus reads.
PATH = "/series"
TITLE = "Metrics"
START = "-1h"
NOTE = "metrics-note"
CHART = "metrics-chart"
MORE = "metrics-more"
TABLE = "metrics-table"


def layout(**query: str) -> Component:
    asked = parse_query(query)
    panels = [frame.panel("All metrics", frame.slot(TABLE, 400), note="choose one to see it")]
    if asked.metric:
        drawn = frame.filled(NOTE, frame.chart(CHART), 360)
        more = html.Div(id=MORE, className="dy-dim")
        panels.insert(0, frame.panel(asked.metric, drawn, more, note="a line a host and labels"))
    body = html.Div(panels, className="dy-grid")
    return frame.page(PATH, TITLE, asked, START, (), (body,))


def register(app: Dash, source: Source) -> None:
    @app.callback(
        Output(TABLE, "children"), Input(frame.QUERY, "data"), Input(frame.TICK, "n_intervals")
    )
    def show_metrics(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        answer = metrics(source.store, question.window, question.service.service)
        return metric_table(answer.data, question.query, question.now_ms)

    @app.callback(
        Output(NOTE, "children"),
        Output(CHART, "figure"),
        Output(MORE, "children"),
        Input(frame.QUERY, "data"),
        Input(frame.TICK, "n_intervals"),
        Input(frame.SCHEME, "data"),
    )
    def show_metric(data: dict[str, Any], _: int, scheme: str) -> tuple[Any, go.Figure, str]:
        question = ask(source, data, START)
        name, service = question.query.metric, question.service.service
        answer = metric(source.store, question.window, service, metric=name)
        figure = metric_lines(answer.data, name, scheme)
        if not answer.data:
            return empty("No value of it arrived in this time range."), figure, ""
        more = answer.truncated or len(answer.data) > SHOWN_MAX
        return None, figure, f"The {SHOWN_MAX} highest lines are shown." if more else ""
