"""Unhandled exceptions of a service by fingerprint: since when, how often, in which releases."""

from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.errors import errors
from dashboards.blocks import frame
from dashboards.blocks.error_table import error_table
from dashboards.blocks.limits import limit_note
from dashboards.source import Source, ask
from dashboards.urls import parse_query

PATH = "/errors"
TITLE = "Errors"
START = "-24h"
TABLE = "errors-table"


def layout(**query: str) -> Component:
    body = html.Div(
        frame.panel(
            "Errors",
            frame.slot(TABLE, 300),
            note="by type and own-code frames, most frequent first",
        ),
        className="dy-grid",
    )
    return frame.page(PATH, TITLE, parse_query(query), START, (), (body,))


def register(app: Dash, source: Source) -> None:
    @app.callback(
        Output(TABLE, "children"), Input(frame.QUERY, "data"), Input(frame.TICK, "n_intervals")
    )
    def show_errors(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        answer = errors(source.store, question.window, question.service.service)
        note = limit_note(answer.limits, answer.truncated)
        return html.Div([error_table(answer.data, question.now_ms), note])
