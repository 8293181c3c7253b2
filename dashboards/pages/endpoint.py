"""What does one endpoint cost, since when, and in which functions?"""

from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from collector.answers.changes import changes
from collector.answers.endpoints import endpoints
from collector.answers.functions import functions
from collector.answers.records import EndpointRow
from collector.answers.series import series
from dashboards.blocks import frame
from dashboards.blocks.endpoint_facts import endpoint_facts
from dashboards.blocks.grid import grid, grid_style
from dashboards.blocks.limits import limit_note
from dashboards.blocks.states import empty
from dashboards.figures.function_rows import FUNCTION_COLUMNS, function_rows
from dashboards.figures.history import (
    cost_history,
    dependency_history,
    latency_history,
    traffic_history,
)
from dashboards.source import NoData, Question, Source, ask
from dashboards.theme import release_colours
from dashboards.urls import parse_query

PATH = "/endpoint"
TITLE = "Endpoint"
START = "-1h"

FACTS = "endpoint-facts"
HISTORY = "endpoint-history"
FUNCTIONS = "endpoint-functions"
FUNCTION_GRID = "endpoint-functions-grid"
ABOUT_FUNCTIONS = "endpoint-functions-about"
CHARTS = {
    "endpoint-cost": "Cost per request",
    "endpoint-latency": "Latency",
    "endpoint-traffic": "Traffic and errors",
    "endpoint-dependencies": "Where a request spends its time",
}

NOW = (Input(frame.QUERY, "data"), Input(frame.TICK, "n_intervals"))


def layout(**query: str) -> Component:
    body = html.Div(
        [
            html.Div(frame.slot(FACTS, 110), className="dy-full"),
            html.Div(frame.filled(HISTORY, _charts(), 620), className="dy-full"),
            html.Div(
                frame.panel(
                    "Functions",
                    frame.filled(FUNCTIONS, grid(FUNCTION_GRID, FUNCTION_COLUMNS), 300),
                    html.Div(id=ABOUT_FUNCTIONS),
                ),
                className="dy-full",
            ),
        ],
        className="dy-grid",
    )
    pickers = (html.Div(id=frame.ENDPOINT, className="dy-pick"),)
    return frame.page(PATH, TITLE, parse_query(query), START, pickers, (body,))


def register(app: Dash, source: Source) -> None:
    @app.callback(Output(FACTS, "children"), *NOW)
    def show_facts(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        rows, previous, newest = _chosen(source, question)
        return endpoint_facts(rows, question.query, previous, newest)

    @app.callback(
        Output(HISTORY, "children"),
        *(Output(chart, "figure") for chart in CHARTS),
        *NOW,
        Input(frame.SCHEME, "data"),
    )
    def show_history(data: dict[str, Any], _: int, scheme: str) -> tuple[Any, ...]:
        return None, *_history(source, ask(source, data, START), scheme)

    @app.callback(
        Output(FUNCTIONS, "children"),
        Output(FUNCTION_GRID, "rowData"),
        Output(FUNCTION_GRID, "style"),
        Output(ABOUT_FUNCTIONS, "children"),
        *NOW,
    )
    def show_functions(data: dict[str, Any], _: int) -> tuple[Any, ...]:
        return _functions(source, ask(source, data, START))


def _charts() -> Component:
    panels = [
        frame.panel(title, frame.chart(chart), width="half") for chart, title in CHARTS.items()
    ]
    return html.Div(panels, className="dy-grid")


def _chosen(source: Source, question: Question) -> tuple[list[EndpointRow], str, str]:
    """The rows of the endpoint asked for, else the dearest: one a unit; its last two releases."""
    answer = endpoints(source.store, question.window, question.service.service)
    wanted = question.query.endpoint or (answer.data[0].endpoint if answer.data else "")
    rows = [row for row in answer.data if row.endpoint == wanted]
    if not rows:
        raise NoData(f"{wanted or question.service.service} served no request in this time range.")
    seen = {release for row in rows for release in row.releases}
    ordered = ["", *(one for one in question.service.releases if one in seen)]
    asked = question.query.release
    newest = asked if asked in ordered[1:] else ordered[-1]
    return rows, ordered[max(0, ordered.index(newest) - 1)], newest


def _history(source: Source, question: Question, scheme: str) -> tuple[Any, ...]:
    """The figures of CHARTS."""
    service = question.service.service
    rows, *_ = _chosen(source, question)
    points = series(source.store, question.window, service, rows[0].endpoint).data
    made = changes(source.store, question.window, service).data
    colours = release_colours(question.service.releases)
    return (
        cost_history(points, colours, made, scheme),
        latency_history(points, colours, made, scheme),
        traffic_history(points, colours, made, scheme),
        dependency_history(points, made, scheme),
    )


def _functions(source: Source, question: Question) -> tuple[Any, ...]:
    """A message or None, the rows of the grid, its height, and what they are."""
    rows, _, newest = _chosen(source, question)
    answer = functions(
        source.store,
        question.window,
        service=question.service.service,
        endpoint=rows[0].endpoint,
        release=newest,
    )
    if not answer.data:
        nothing = empty(
            "No on-CPU sample of it was taken in this time range.",
            "The agent samples a changing part of the workers: give it some minutes of traffic.",
        )
        return nothing, no_update, no_update, None
    cost = "CPU time per request = share of on-CPU samples × thread CPU of a request"
    about = html.Div(f"{f'In {newest}: ' if newest else ''}{cost}", className="dy-dim")
    shown = function_rows(
        answer.data, replace(question.query, endpoint=rows[0].endpoint, release="")
    )
    note = limit_note(answer.limits, answer.truncated)
    return None, shown, grid_style(len(shown)), html.Div([about, note])
