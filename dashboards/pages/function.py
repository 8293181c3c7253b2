"""Which lines of a function cost what, before and after, and who touched them last?"""

from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from collector.answers.functions import functions
from collector.answers.records import Answer
from collector.answers.sides import Side, parse_side
from collector.answers.source import source as source_lines
from dashboards import humanise
from dashboards.blocks import frame
from dashboards.blocks.limits import limit_note
from dashboards.blocks.sides import side_pickers, sides_of
from dashboards.blocks.source_table import source_facts, source_notes, source_table
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import as_of, link
from dashboards.source import NoData, Question, Source, ask
from dashboards.urls import Query, href, parse_query
from profiler.records import FunctionCost
from profiler.source import SourceView
from profiler.vocabulary import ORIGINS

PATH = "/function"
TITLE = "Function"
START = "-24h"

PICK_SIDES = "function-sides"
LINES = "function-lines"
OTHERS = "function-others"

OWN = ORIGINS.index("own")
OTHERS_MAX = 20


def layout(**query: str) -> Component:
    pickers = (html.Div(id=frame.ENDPOINT), html.Div(id=PICK_SIDES))
    body = html.Div(
        [
            html.Div(frame.slot(LINES, 500), className="dy-full"),
            html.Div(frame.slot(OTHERS, 300), className="dy-full"),
        ],
        className="dy-grid",
    )
    return frame.page(PATH, TITLE, parse_query(query), START, pickers, (body,), refreshes=False)


def register(app: Dash, source: Source) -> None:
    @app.callback(Output(PICK_SIDES, "children"), Input(frame.QUERY, "data"))
    def show_sides(data: dict[str, Any]) -> Component:
        return side_pickers(ask(source, data, START))

    now = (Input(frame.QUERY, "data"), Input(frame.REFRESH, "n_clicks"))

    @app.callback(Output(LINES, "children"), *now)
    def show_lines(data: dict[str, Any], _: int) -> Component:
        return _lines(source, ask(source, data, START))

    @app.callback(Output(OTHERS, "children"), *now)
    def show_others(data: dict[str, Any], _: int) -> Component:
        question = ask(source, data, START)
        return _others(_dearest(source, question), question)


def _lines(source: Source, question: Question) -> Component:
    query = question.query
    function = query.function
    if not function:
        own = _dearest(source, question)
        if not own:
            raise NoData("No on-CPU sample of own code was taken in this time range.")
        function = own[0].function
    a, b = _sides(question)
    answer = source_lines(
        source.store,
        a,
        b,
        service=question.service.service,
        function=function,
        endpoint=query.endpoint,
        was=query.was,
        places=source.places,
    )
    return _panel(answer, replace(query, function=function))


def _sides(question: Question) -> tuple[Side, Side | None]:
    """Before and after; of a service with one release that alone."""
    a, b = (parse_side(side, question.window) if side else None for side in sides_of(question))
    if a is None and b is None:
        window = question.window
        return Side("all", "", "", "", window.from_ms, window.to_ms), None
    return (a, b) if a is not None else (b, None)  # type: ignore[return-value]


def _panel(answer: Answer[SourceView], query: Query) -> Component:
    view = answer.data
    files = list(dict.fromkeys(one.file for one in (view.a, view.b) if one and one.file))
    where = " → ".join(files) + (f" at {view.b.commit[:10]}" if view.b and view.b.commit else "")
    graph = Query(query.service, endpoint=query.endpoint, start=query.start, end=query.end)
    turned = [
        link(f"its {word}", href("/flame", graph, function=view.function, view=word))
        for word in ("callers", "callees")
    ]
    sides = Query(query.service, endpoint=query.endpoint, a=query.a, b=query.b)
    if not view.lines:
        return frame.panel(
            view.function,
            empty(
                "No line of it was sampled in this time range.",
                "Agents send lines of own code with their samples; those of library and C code "
                "are not kept. Choose a longer time range or another endpoint.",
            ),
        )
    return frame.panel(
        view.function,
        source_facts(view),
        html.P(
            [*turned, link("compare the sides", href("/compare", sides))],
            className="dy-links-apart",
        ),
        source_notes(view),
        source_table(view),
        html.Div(
            "CPU per request of a line, with what it calls = its share of on-CPU samples × thread "
            "CPU of a request. Lines that differ are marked − and +.",
            className="dy-dim",
        ),
        html.Div(as_of(answer.as_of_ms), className="dy-dim"),
        limit_note(answer.limits, answer.truncated),
        note=f"in {view.endpoint or 'all endpoints'}, {where}",
    )


def _dearest(source: Source, question: Question) -> list[FunctionCost]:
    """Own code by self cost on the newest side, dearest first."""
    side = _sides(question)[-1] or _sides(question)[0]
    answer = functions(
        source.store,
        question.window,
        service=question.service.service,
        endpoint=question.query.endpoint,
        release=side.release,
    )
    return [cost for cost in answer.data if cost.origin == OWN][:OTHERS_MAX]


def _others(costs: list[FunctionCost], question: Question) -> Component:
    numbers = ("Self, per request", "With callees", "Samples")
    rows = [
        html.Tr(
            [
                html.Td(
                    link(
                        cost.function,
                        href(PATH, question.query, function=cost.function, was=""),
                    ),
                    className="dy-name dy-mono",
                ),
                number(humanise.duration_ns(cost.self_ns)),
                number(humanise.duration_ns(cost.inclusive_ns)),
                number(humanise.count(cost.samples)),
            ]
        )
        for cost in costs
    ]
    shown = table(("Function", *numbers), rows, OTHERS_MAX, numbers=numbers)
    return frame.panel("Dearest functions of own code", shown if rows else empty("None yet."))
