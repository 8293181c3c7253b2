"""What costs more since a release, which function did it, and how sure is that?"""

from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from collector.answers.compare import compare
from collector.answers.records import Answer
from collector.answers.sides import parse_side
from dashboards.blocks import frame
from dashboards.blocks.comparison import endpoint_table, evidence, finding, function_table
from dashboards.blocks.fleet_facts import fleet_facts
from dashboards.blocks.limits import limit_note
from dashboards.blocks.sides import side_pickers, sides_of
from dashboards.blocks.states import empty
from dashboards.blocks.text import as_of, link, side_word
from dashboards.figures.waterfall import waterfall
from dashboards.source import Question, Source, ask
from dashboards.urls import Query, href, parse_query
from profiler.records import Comparison

PATH = "/compare"
TITLE = "Compare"
START = "-24h"

PICK_SIDES = "compare-sides"
RESULT = "compare-result"


def layout(**query: str) -> Component:
    pickers = (html.Div(id=frame.ENDPOINT), html.Div(id=PICK_SIDES))
    body = html.Div(frame.slot(RESULT, 600))
    return frame.page(PATH, TITLE, parse_query(query), START, pickers, (body,), refreshes=False)


def register(app: Dash, source: Source) -> None:
    @app.callback(Output(PICK_SIDES, "children"), Input(frame.QUERY, "data"))
    def show_sides(data: dict[str, Any]) -> Component:
        return side_pickers(ask(source, data, START))

    @app.callback(
        Output(RESULT, "children"),
        Input(frame.QUERY, "data"),
        Input(frame.REFRESH, "n_clicks"),
        Input(frame.SCHEME, "data"),
    )
    def show_result(data: dict[str, Any], _: int, scheme: str) -> Component:
        return _result(source, ask(source, data, START), scheme)


def _result(source: Source, question: Question, scheme: str) -> Component:
    a, b = sides_of(question)
    if not (a and b):
        return empty(
            f"{question.service.service} has sent data of one release only.",
            "Deploy another one and compare the two; or compare two times of this one, with "
            "?a=window:-2h..-1h&b=window:-1h..now in the address.",
        )
    answer = compare(
        source.store,
        parse_side(a, question.window),
        parse_side(b, question.window),
        service=question.service.service,
        endpoint=question.query.endpoint,
        warmup_requests=source.warmup_requests,
        warmup_s=source.warmup_s,
        server_cost_per_year=source.server_cost_per_year,
    )
    query = Query(question.service.service, a=a, b=b)
    return html.Div(_panels(answer, query, question.query.endpoint, scheme), className="dy-grid")


def _panels(
    answer: Answer[Comparison], query: Query, endpoint: str, scheme: str
) -> list[Component | None]:
    found = answer.data
    guilty = found.guilty
    flame = href("/flame", query, endpoint=guilty.endpoint if guilty else endpoint)
    only = [html.Span(f"Only {endpoint}: "), link("show all endpoints", href(PATH, query))]
    return [
        html.Div([html.Div(only) if endpoint else None, finding(found)], className="dy-full"),
        frame.panel(
            "Functions",
            function_table(found.functions, guilty, query),
            note="CPU time per request; the one to look at first is on top",
        ),
        frame.panel("Endpoints", endpoint_table(found.endpoints, query)),
        *[
            frame.panel(
                "What moved the fleet's CPU",
                dcc.Graph(
                    id=f"compare-fleet-{change.unit}",
                    figure=waterfall(change, side_word(found.a), side_word(found.b), scheme),
                    config={"displaylogo": False},
                ),
                fleet_facts(change),
                note="traffic + mix of endpoints + mix within them + cost per request",
                width="half",
            )
            for change in found.fleet
        ],
        frame.panel(
            "Evidence",
            evidence(found.evidence),
            html.P(
                [
                    link("Difference flame graph", flame),
                    *(_around(guilty.function, guilty.endpoint, query) if guilty else ()),
                ]
            ),
            html.Div(as_of(answer.as_of_ms), className="dy-dim"),
            limit_note(answer.limits, answer.truncated),
            width="half",
        ),
    ]


def _around(function: str, endpoint: str, query: Query) -> list[Component | str]:
    """Links to who calls a function, and what it calls."""
    found: list[Component | str] = []
    for view in ("callers", "callees"):
        to = href("/flame", query, endpoint=endpoint, function=function, view=view)
        found += [" · ", link(f"its {view}", to)]
    return found
