"""Metrics as a plain table; each leads to its chart."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from collector.answers.metrics import MetricRow
from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import link
from dashboards.urls import Query, href

__all__ = ["metric_table"]

ROWS_MAX = 1_000


def metric_table(rows: Sequence[MetricRow], query: Query, now_ms: int) -> Component:
    if not rows:
        return empty(
            "No metric arrived in this time range.",
            "Agents measure hosts and workers, take StatsD, and scrape what they are told to.",
        )
    numbers = ("Hosts", "Lines", "Newest")
    head = ("Source", "Metric", "Kind", *numbers, "Unit", "Last seen")
    return table(head, [_row(row, query, now_ms) for row in rows], ROWS_MAX, numbers=numbers)


def _newest(row: MetricRow) -> str:
    low, high = humanise.number(row.lowest), humanise.number(row.highest)
    return low if low == high else f"{low} to {high}"


def _row(row: MetricRow, query: Query, now_ms: int) -> Component:
    to = href("/series", query, metric=row.metric)
    return html.Tr(
        [
            html.Td(row.source),
            html.Td(link(row.metric, to), className="dy-mono"),
            html.Td(row.kind),
            number(humanise.count(row.hosts)),
            number(humanise.count(row.sets)),
            number(_newest(row)),
            html.Td(row.unit),
            html.Td(humanise.ago(row.last_ms, now_ms)),
        ]
    )
