"""How alerting itself fares: nobody is paged by rules that are not evaluated."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from collector.answers.health import EvaluatorHealth
from dashboards import humanise

__all__ = ["evaluator_note"]

PROBLEMS_MAX = 20


def evaluator_note(evaluators: Sequence[EvaluatorHealth], now_ms: int) -> Component:
    if not evaluators:
        return _warning("No evaluator of rules has spoken in the last day", [])
    return html.Div([_one(evaluator, now_ms) for evaluator in evaluators])


def _one(one: EvaluatorHealth, now_ms: int) -> Component:
    told = f"{one.evaluator}: {one.rules} rules, as of {humanise.ago(one.told_ms, now_ms)}"
    waiting = f"{one.undelivered} notifications are not delivered" if one.undelivered else ""
    wrong = [*([waiting] if waiting else []), *one.problems[:PROBLEMS_MAX]]
    if one.is_late:
        return _warning(f"{told}: it has not spoken since", wrong)
    return _warning(told, wrong) if wrong else html.Div(told, className="dy-dim")


def _warning(title: str, lines: Sequence[str]) -> Component:
    told: Component = dmc.Alert(
        [html.Div(line) for line in lines], color="red", variant="light", title=title
    )
    return told
