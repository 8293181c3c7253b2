"""Where does the CPU go, call by call: one side, or two as a difference."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from collector.answers.flamegraph import flamegraph
from collector.answers.records import Answer
from collector.answers.sides import parse_side
from dashboards import humanise
from dashboards.blocks import frame
from dashboards.blocks.card import card
from dashboards.blocks.limits import limit_note
from dashboards.blocks.states import empty
from dashboards.blocks.text import link
from dashboards.figures.flame import flame_payload
from dashboards.source import Question, Source, ask
from dashboards.urls import Query, href, parse_query
from profiler.processors import FOLDS
from profiler.records import FlameGraph

PATH = "/flame"
TITLE = "Flame graph"
START = "-1h"
#: Releases follow one another within days, not within the hour.
START_TWO = "-24h"

ABOUT = "flame-about"
PICK_RELEASE = "flame-release"
GRAPH = "flame-graph"
DATA = "flame-data"


def layout(**query: str) -> Component:
    asked = parse_query(query)
    pickers = (
        html.Div(id=frame.ENDPOINT, className="dy-pick"),
        html.Div(id=PICK_RELEASE, className="dy-pick"),
    )
    body = card([frame.slot(ABOUT, 400), html.Div(id=GRAPH)])
    start = START_TWO if asked.a and asked.b else START
    return frame.page(PATH, TITLE, asked, start, pickers, (body,), refreshes=False)


def register(app: Dash, source: Source) -> None:
    @app.callback(Output(PICK_RELEASE, "children"), Input(frame.QUERY, "data"))
    def show_releases(data: dict[str, Any]) -> list[Component]:
        return _pickers(ask(source, data, START))

    @app.callback(
        Output(ABOUT, "children"), Input(frame.QUERY, "data"), Input(frame.REFRESH, "n_clicks")
    )
    def show_graph(data: dict[str, Any], _: int) -> Component:
        return _graph(source, ask(source, data, START_TWO if data.get("b") else START))

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("flame", "show"),
        Output(GRAPH, "title"),
        Input(DATA, "data", allow_optional=True),
        Input(GRAPH, "id"),
    )


def _pickers(question: Question) -> list[Component]:
    query, releases = question.query, question.service.releases
    if query.a and query.b:
        sides = [f"release:{release}" for release in releases]
        return [
            html.Div(
                [
                    frame.picker("a", "Before", query.a, sides, 170),
                    "→",
                    frame.picker("b", "After", query.b, sides, 170),
                    _folds(query.fold),
                    link("one side only", href(PATH, query, a="", b="")),
                ],
                className="dy-controls-part",
            )
        ]
    return [
        frame.picker("release", "Release", query.release, releases, 170, everything="all releases"),
        _folds(query.fold),
    ]


def _folds(chosen: str) -> Component:
    return frame.picker("fold", "Fold", chosen, list(FOLDS), 130, everything="nothing")


def _graph(source: Source, question: Question) -> Component:
    query, service = question.query, question.service.service
    two = bool(query.a and query.b)
    one = f"release:{query.release}" if query.release else f"window:{query.start or START}..now"
    a = parse_side(query.a if two else one, question.window)
    b = parse_side(query.b, question.window) if two else None
    answer = flamegraph(
        source.store,
        a,
        b,
        service=service,
        endpoint=query.endpoint,
        function=query.function,
        view=query.view,
        fold=query.fold,
    )
    graph = answer.data
    if not (graph.samples_a or graph.samples_b):
        return empty(
            "No on-CPU sample was taken of this in this time range.",
            "The agent samples a changing part of the workers: give it some minutes of traffic, or "
            "choose a longer time range.",
        )
    payload = flame_payload(graph, a.release or a.label, b.release or b.label if b else "")
    return html.Div(
        [
            _about(answer, query.endpoint or "all endpoints"),
            _turned(query) if query.function else None,
            dcc.Store(id=DATA, data=payload),
        ]
    )


def _turned(query: Query) -> Component:
    """Which way the tree is turned, and the other ways."""
    other = {"callers": "callees", "callees": "callers"}.get(query.view, "callers")
    return html.P(
        [
            f"{query.view} of ",
            html.Code(query.function),
            ": ",
            link(f"show its {other}", href(PATH, query, view=other)),
            ", ",
            link("show the whole tree", href(PATH, query, function="", view="")),
            ", ",
            link("show its lines", href("/function", query, view="", fold="", release="")),
        ],
        className="dy-dim",
    )


def _about(answer: Answer[FlameGraph], what: str) -> Component:
    graph = answer.data
    counts = humanise.count(graph.samples_a)
    if graph.share_b:
        counts += f" → {humanise.count(graph.samples_b)}"
    return html.Div(
        [
            html.H2(what, className="dy-h2"),
            html.Span(
                f"{counts} on-CPU samples; width is the share of CPU time", className="dy-dim"
            ),
            limit_note(answer.limits, answer.truncated),
        ],
        className="dy-heading",
    )
