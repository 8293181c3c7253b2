"""SLOs as a plain table: what is promised, what was kept, what is left of the budget."""

from collections.abc import Sequence
from math import isfinite

from dash import html
from dash.development.base_component import Component

from collector.answers.records import SloState
from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import badge, link, moment
from dashboards.urls import Query, href

__all__ = ["slo_table"]

ROWS_MAX = 500
#: The first ones need somebody.
COLOURS = {"burning": "red", "spent": "orange", "no data": "gray", "ok": "teal"}


def slo_table(states: Sequence[SloState], query: Query, now_ms: int) -> Component:
    """The worst state first."""
    if not states:
        return empty(
            "No SLO was evaluated in this time range.",
            "Rules are evaluated while the serving process runs: Alerts says how that fares.",
        )
    numbers = ("Kept", "Bad", "Budget left", "Burns at", "Gone in")
    head = ("State", "SLO", "Good", "Objective", *numbers, "Evaluated (UTC)")
    grave = list(COLOURS)
    worst = sorted(states, key=lambda one: grave.index(one.state) if one.state in grave else 0)
    return table(head, [_row(one, query, now_ms) for one in worst], ROWS_MAX, numbers=numbers)


def _row(slo: SloState, query: Query, now_ms: int) -> Component:
    window = humanise.span_s(slo.window_s)
    rate = humanise.times(slo.burn_rate) if isfinite(slo.burn_rate) else humanise.DASH
    return html.Tr(
        [
            html.Td(badge(slo.state, COLOURS.get(slo.state, "gray"))),
            html.Td([html.Strong(slo.slo), html.Div(_where(slo, query))]),
            html.Td(slo.good),
            html.Td([humanise.percent(slo.objective, 5), html.Div(f"over {window}")]),
            number(humanise.percent(slo.sli, 5) if slo.total else humanise.DASH),
            number(f"{humanise.count(slo.bad)} of {humanise.count(slo.total)}"),
            number(humanise.percent(slo.budget_left) if slo.total else humanise.DASH),
            number(rate),
            number(_gone_in(slo)),
            html.Td([moment(slo.ts_ms), html.Div(humanise.ago(slo.ts_ms, now_ms))]),
        ]
    )


def _where(slo: SloState, query: Query) -> Component | str:
    """What it is about, and the page where its latency and cost are."""
    if not slo.endpoint:
        return "any endpoint"
    service = slo.service or query.service
    return link(slo.endpoint, href("/endpoint", query, service=service, endpoint=slo.endpoint))


def _gone_in(slo: SloState) -> str:
    """How long the budget lasts at this rate; 1 spends it in exactly one window."""
    if not isfinite(slo.burn_rate) or not isfinite(slo.budget_left) or slo.burn_rate <= 1:
        return humanise.DASH
    if slo.budget_left <= 0:
        return "gone"
    return humanise.span_s(slo.budget_left * slo.window_s / slo.burn_rate)
