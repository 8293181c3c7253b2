"""One tile for each SLO."""

from collections.abc import Sequence
from math import isfinite

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from collector.answers.records import SloState
from dashboards import humanise
from dashboards.blocks.card import aria, card
from dashboards.blocks.states import empty
from dashboards.blocks.text import badge

__all__ = ["slo_tiles"]

STATES = {"ok": "teal", "burning": "red", "spent": "orange", "no data": "gray"}


def slo_tiles(states: Sequence[SloState]) -> Component:
    if not states:
        return empty(
            "No SLO has been evaluated yet.",
            "Rules are evaluated every few seconds while the serving process runs; yours are YAML "
            "files in the folder given with --rules.",
        )
    return html.Div([_tile(state) for state in states], className="dy-tiles")


def _tile(slo: SloState) -> Component:
    left = slo.budget_left
    sli = humanise.percent(slo.sli, 5) if slo.total else humanise.DASH
    return card(
        [
            html.Div(
                [html.Strong(slo.slo), badge(slo.state, STATES.get(slo.state, "gray"))],
                className="dy-heading",
            ),
            html.Div(slo.endpoint or "all endpoints", className="dy-dim dy-mono"),
            html.Div([html.Span(sli, className="dy-big"), html.Span(f" {slo.good}")]),
            html.Div(_objective(slo), className="dy-dim"),
            dmc.Progress(
                value=100 * min(1.0, max(0.0, left)) if isfinite(left) else 0,
                color=_budget_colour(left),
                size="sm",
                **aria(label="error budget left"),
            ),
            html.Div(
                [
                    html.Span(f"budget left {humanise.percent(left)}"),
                    html.Span(_burn(slo.burn_rate)),
                ],
                className="dy-between dy-dim",
            ),
            html.Div(
                f"{humanise.count(slo.bad)} bad of {humanise.count(slo.total)}", className="dy-dim"
            ),
        ],
        f"dy-tile dy-tile-{slo.state.replace(' ', '-')}",
    )


def _objective(slo: SloState) -> str:
    window = humanise.span_s(slo.window_s)
    return f"objective {humanise.percent(slo.objective, 5)} over {window}"


def _burn(rate: float) -> str:
    """1 spends the budget exactly by the end of the window."""
    return f"burns at {humanise.times(rate)}" if isfinite(rate) else "no requests now"


def _budget_colour(left: float) -> str:
    if not isfinite(left):
        return "gray"
    return "teal" if left > 0.5 else "yellow" if left > 0 else "red"
