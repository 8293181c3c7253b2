"""What does each flag value cost, per request and for the fleet?"""

from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.flags import flags
from collector.answers.records import Answer
from dashboards.blocks import frame
from dashboards.blocks.flag_table import flag_table
from dashboards.blocks.limits import limit_note
from dashboards.source import Source, ask
from dashboards.urls import Query, parse_query
from profiler.records import FlagCost

PATH = "/flags"
TITLE = "Flags"
START = "-24h"

RESULT = "flags-result"


def layout(**query: str) -> Component:
    body = html.Div(frame.slot(RESULT, 400))
    return frame.page(PATH, TITLE, parse_query(query), START, (), (body,), refreshes=False)


def register(app: Dash, source: Source) -> None:
    @app.callback(
        Output(RESULT, "children"), Input(frame.QUERY, "data"), Input(frame.REFRESH, "n_clicks")
    )
    def show_flags(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        answer = flags(
            source.store,
            question.window,
            service=question.service.service,
            warmup_requests=source.warmup_requests,
            warmup_s=source.warmup_s,
        )
        asked = question.query
        sides = Query(asked.service, start=asked.start or START, end=asked.end)
        return _panel(answer, sides)


def _panel(answer: Answer[tuple[FlagCost, ...]], query: Query) -> Component:
    return html.Div(
        frame.panel(
            "Flags",
            flag_table(answer.data, query),
            limit_note(answer.limits, answer.truncated),
            note="each value against its flag's control, endpoints weighted alike",
        ),
        className="dy-grid",
    )
