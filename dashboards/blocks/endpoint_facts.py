"""An endpoint's numbers in the window, where its time goes, and where to look next."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from collector.answers.records import EndpointRow
from dashboards import humanise
from dashboards.blocks.card import aria, card
from dashboards.blocks.text import badge, link
from dashboards.theme import PALETTE
from dashboards.urls import Query, href

__all__ = ["endpoint_facts", "time_parts"]

NS_PER_MS = 1e6


def endpoint_facts(
    rows: Sequence[EndpointRow], query: Query, previous: str, newest: str
) -> Component:
    """`rows`: one a cost unit, which are shown beside each other, never summed."""
    first = rows[0]
    here = Query(query.service, first.endpoint, start=query.start, end=query.end)
    sides = {"a": f"release:{previous}", "b": f"release:{newest}"}
    links = [link("Flame graph", href("/flame", here, release=newest))]
    if previous:
        whole = Query(query.service, first.endpoint)
        links += [
            link(f"Compare {newest} with {previous}", href("/compare", whole, **sides)),
            link("Difference flame graph", href("/flame", whole, **sides)),
        ]
    heading = [html.H2(first.endpoint, className="dy-headline"), badge(first.kind, "gray"), *links]
    facts = [_facts(row) for row in rows]
    return card([html.Div(heading, className="dy-heading"), *facts, _time_bar(first)])


def time_parts(row: EndpointRow) -> dict[str, float]:
    """Means per request, ms. Waiting is what no part explains; parts can overlap (CPU in a
    database driver is in both), so that they can sum to more than the wall time."""
    parts = {
        "CPU": row.task_clock_ns / NS_PER_MS,
        "database": row.db_ms,
        "cache": row.cache_ms,
        "other calls": row.rpc_ms,
    }
    return parts | {"waiting": max(0.0, row.wall_ms_mean - sum(parts.values()))}


def _facts(row: EndpointRow) -> Component:
    facts = {
        "cost per request": humanise.cost(row.cost, row.cost_unit),
        "traffic": humanise.rate(row.per_s),
        "CPU cores in use": humanise.number(row.cpu_cores),
        "of the service's cost": humanise.percent(row.cost_share),
        "P50": _ms(row.latency_ms_p50),
        "P95": _ms(row.latency_ms_p95),
        "P99": _ms(row.latency_ms_p99),
        "errors": f"{humanise.percent(row.error_rate)} ({humanise.count(row.errors)})",
        "killed": humanise.count(row.killed),
        "requests": humanise.count(row.requests),
    }
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.items()],
        className="dy-facts",
    )


def _time_bar(row: EndpointRow) -> Component:
    parts = time_parts(row)
    whole = sum(parts.values()) or 1.0
    colours = (*PALETTE[:4], PALETTE[-1])
    sections = [
        html.Div(
            className="dy-time-part",
            style={"width": f"{100 * value / whole:.2f}%", "background": colour},
            title=f"{name} {_ms(value)}",
        )
        for (name, value), colour in zip(parts.items(), colours, strict=True)
    ]
    words = [
        html.Span(
            [html.Span(className="dy-dot", style={"background": colour}), f"{name} {_ms(value)}"]
        )
        for (name, value), colour in zip(parts.items(), colours, strict=True)
    ]
    return html.Div(
        [
            html.Div(sections, className="dy-time", **aria(hidden="true")),
            html.Div(
                [f"A request takes {_ms(row.wall_ms_mean)} on average:", *words],
                className="dy-facts dy-dim",
            ),
        ]
    )


def _ms(value: float) -> str:
    return humanise.duration_ns(value * NS_PER_MS)
