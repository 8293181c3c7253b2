"""Flag values by what they cost."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import link, verdict_badge
from dashboards.blocks.whisker import scale_of, whisker
from dashboards.urls import Query, href
from profiler.records import FlagCost

__all__ = ["flag_table"]

ROWS_MAX = 100
#: CPU of the fleet per second that is as good as nothing.
LEAST_TOLD_NS = 1e6


def flag_table(costs: Sequence[FlagCost], query: Query) -> Component:
    if not costs:
        return empty(
            "No flag was seen with two values in this time range.",
            "Name flags where they are read: dynoscope_probe.flag('name', value), or by the "
            "OpenFeature hook.",
        )
    scale = scale_of(cost.relative for cost in costs[:ROWS_MAX])
    numbers = (
        "Cost per request", "Change, 95% interval", "p, corrected", "Fleet now",
        "If all had it", "Requests, users",
    )  # fmt: skip
    head = ("Flag", "Verdict", *numbers[:2], "", *numbers[2:])
    return table(head, [_row(cost, scale, query) for cost in costs], ROWS_MAX, numbers=numbers)


def _row(cost: FlagCost, scale: tuple[float, float], query: Query) -> Component:
    sides = {
        "a": f"flag:{cost.flag}={cost.control}",
        "b": f"flag:{cost.flag}={cost.value}",
    }
    relative = humanise.relative_interval(cost.relative)
    users = f", {humanise.count(cost.users)}" if cost.users else ""
    most = ", ".join(name for name, _ in cost.endpoints)
    return html.Tr(
        [
            html.Td(
                [
                    html.Span(f"{cost.flag}={cost.value}", className="dy-mono dy-strong"),
                    link("compare", href("/compare", query, **sides)),
                    _under(f"against {cost.control}"),
                    _under(f"mostly {most}") if most else None,
                ],
                className="dy-name",
            ),
            html.Td(verdict_badge(cost.verdict)),
            number(
                humanise.moved(
                    humanise.cost(cost.control_cost, cost.unit), humanise.cost(cost.cost, cost.unit)
                )
            ),
            number(relative),
            html.Td(whisker(cost.relative, scale, relative)),
            number(humanise.p_value(cost.p_corrected)),
            number(_per_s(cost.fleet_per_s, cost.unit)),
            number(_per_s(cost.rollout_per_s, cost.unit)),
            number(humanise.count(cost.requests) + users),
        ]
    )


def _per_s(value: float, unit: str) -> str:
    if unit == "cpu_ns" and 0 < abs(value) < LEAST_TOLD_NS:
        return "under 0.001 cores"
    return humanise.signed(value, humanise.per_second(abs(value), unit))


def _under(text: str) -> Component:
    return html.Span(text, className="dy-dim dy-under")
