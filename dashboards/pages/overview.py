"""Is the service well, what was found lately, where does its CPU go?"""

from typing import Any

from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from collector.answers.alerts import alerts
from collector.answers.changes import changes
from collector.answers.endpoints import endpoints
from collector.answers.series import series
from collector.answers.slos import slos
from dashboards import humanise
from dashboards.blocks import frame
from dashboards.blocks.findings import findings
from dashboards.blocks.grid import grid, grid_style
from dashboards.blocks.limits import limit_note
from dashboards.blocks.slo_tiles import slo_tiles
from dashboards.blocks.states import empty
from dashboards.blocks.text import as_of
from dashboards.figures.cpu import cpu_by_endpoint
from dashboards.figures.endpoint_rows import ENDPOINT_COLUMNS, endpoint_rows
from dashboards.source import Question, Source, ask
from dashboards.urls import parse_query

PATH = "/"
TITLE = "Overview"
START = "-1h"

SLOS = "overview-slos"
FINDINGS = "overview-findings"
CPU = "overview-cpu"
CPU_CHART = "overview-cpu-chart"
ENDPOINTS = "overview-endpoints"
ENDPOINT_GRID = "overview-endpoints-grid"
LIMITS = "overview-limits"

PARTS_MAX = 6
NOW = (Input(frame.QUERY, "data"), Input(frame.TICK, "n_intervals"))


def layout(**query: str) -> Component:
    body = html.Div(
        [
            frame.panel("Service level objectives", frame.slot(SLOS, 130)),
            frame.panel("Latest findings", frame.slot(FINDINGS, 260), width="half"),
            frame.panel(
                "CPU in use by endpoint",
                frame.filled(CPU, frame.chart(CPU_CHART), 260),
                width="half",
            ),
            frame.panel(
                "Endpoints by cost × traffic",
                frame.filled(ENDPOINTS, grid(ENDPOINT_GRID, ENDPOINT_COLUMNS), 300),
                note="dearest first; choose one to see its functions",
            ),
            html.Div(id=LIMITS, className="dy-full"),
        ],
        className="dy-grid",
    )
    return frame.page(PATH, TITLE, parse_query(query), START, (), (body,))


def register(app: Dash, source: Source) -> None:
    @app.callback(Output(SLOS, "children"), *NOW)
    def show_slos(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        return slo_tiles(slos(source.store, question.window).data)

    @app.callback(Output(FINDINGS, "children"), *NOW)
    def show_findings(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        found = alerts(source.store, question.window)
        made = changes(source.store, question.window, question.service.service)
        return findings(found.data, made.data, question.query, question.now_ms)

    @app.callback(
        Output(CPU, "children"),
        Output(CPU_CHART, "figure"),
        *NOW,
        Input(frame.SCHEME, "data"),
    )
    def show_cpu(data: dict[str, Any], _: int, scheme: str) -> tuple[Any, Any]:
        return _cpu(source, ask(source, data, START), scheme)

    @app.callback(
        Output(ENDPOINTS, "children"),
        Output(ENDPOINT_GRID, "rowData"),
        Output(ENDPOINT_GRID, "style"),
        *NOW,
    )
    def show_endpoints(data: dict[str, Any], _: int) -> tuple[Any, Any, Any]:
        return _endpoints(source, ask(source, data, START))

    @app.callback(Output(LIMITS, "children"), *NOW)
    def show_limits(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        answer = endpoints(source.store, question.window, question.service.service)
        note = limit_note(answer.limits, answer.truncated)
        return html.Div([html.Div(as_of(answer.as_of_ms), className="dy-dim"), note])


def _cpu(source: Source, question: Question, scheme: str) -> tuple[Any, Any]:
    """A message or None, and the chart."""
    store, window, service = source.store, question.window, question.service.service
    total = series(store, window, service)
    if not total.data:
        return _quiet(question), no_update
    by_use = sorted(endpoints(store, window, service).data, key=lambda row: -row.cpu_cores)
    dearest = list(dict.fromkeys(row.endpoint for row in by_use))[:PARTS_MAX]
    parts = {endpoint: series(store, window, service, endpoint).data for endpoint in dearest}
    made = changes(store, window, service)
    return None, cpu_by_endpoint(total.data, parts, made.data, scheme)


def _endpoints(source: Source, question: Question) -> tuple[Any, Any, Any]:
    """A message or None, the rows of the grid, and its height."""
    answer = endpoints(source.store, question.window, question.service.service)
    if not answer.data:
        return _quiet(question), no_update, no_update
    rows = endpoint_rows(answer.data, question.query)
    return None, rows, grid_style(len(rows))


def _quiet(question: Question) -> Component:
    ago = humanise.ago(question.service.last_ms, question.now_ms)
    return empty(
        f"{question.service.service} served no request in this time range.",
        f"Its newest request came {ago}: choose a longer time range, or send it some traffic.",
    )
