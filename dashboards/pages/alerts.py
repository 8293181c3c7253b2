"""Every alert that fired in the time range, with its sentence; how alerting itself fares."""

from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.alerts import alerts
from collector.answers.health import evaluators
from dashboards.blocks import frame
from dashboards.blocks.alert_table import alert_table
from dashboards.blocks.evaluator_note import evaluator_note
from dashboards.source import Source, ask
from dashboards.urls import parse_query

PATH = "/alerts"
TITLE = "Alerts"
START = "-24h"
TABLE = "alerts-table"
EVALUATORS = "alerts-evaluators"
NOW = (Input(frame.QUERY, "data"), Input(frame.TICK, "n_intervals"))


def layout(**query: str) -> Component:
    body = html.Div(
        [
            frame.panel("Alerts", frame.slot(TABLE, 300)),
            frame.panel("How alerting fares", frame.slot(EVALUATORS, 40)),
        ],
        className="dy-grid",
    )
    return frame.page(PATH, TITLE, parse_query(query), START, (), (body,))


def register(app: Dash, source: Source) -> None:
    @app.callback(Output(TABLE, "children"), *NOW)
    def show_alerts(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        answer = alerts(source.store, question.window)
        return alert_table(answer.data, question.query, question.now_ms)

    @app.callback(Output(EVALUATORS, "children"), *NOW)
    def show_evaluators(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        return evaluator_note(evaluators(source.store, question.window), question.now_ms)
