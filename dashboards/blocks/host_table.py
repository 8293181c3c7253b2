"""Hosts as a plain table."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from collector.answers.records import HostRow
from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import badge

__all__ = ["host_table"]

ROWS_MAX = 500
#: An agent sends every few seconds; one that is silent for a minute is late.
LATE_S = 60


def host_table(hosts: Sequence[HostRow], now_ms: int) -> Component:
    if not hosts:
        return empty("No host sent data in this time range.", "Is its agent running?")
    head = (
        "Host", "Region", "Newest data", "Releases", "Workers", "Requests", "Samples", "Cost unit",
        "Lost or late", "Newest metrics",
    )  # fmt: skip
    return table(
        head,
        [_row(host, now_ms) for host in hosts],
        ROWS_MAX,
        numbers=("Workers", "Requests", "Samples"),
    )


def _row(host: HostRow, now_ms: int) -> Component:
    late = now_ms - host.last_ms > LATE_S * 1000
    lost = [html.Div(f"{row.what}: {humanise.count(row.count)}") for row in host.limits]
    metrics = [html.Li(f"{name} {humanise.number(v)}") for name, v in sorted(host.metrics.items())]
    return html.Tr(
        [
            html.Th(host.host, scope="row"),
            html.Td(host.region),
            html.Td(
                [humanise.ago(host.last_ms, now_ms), " ", badge("late", "red") if late else None]
            ),
            html.Td(", ".join(host.releases)),
            number(humanise.count(host.workers)),
            number(humanise.count(host.requests)),
            number(humanise.count(host.samples)),
            html.Td([host.cost_unit, *(html.Div(why) for why in host.cost_unit_reasons)]),
            html.Td(lost or "nothing"),
            html.Td(
                html.Details([html.Summary(f"{len(metrics)} metrics"), html.Ul(metrics)])
                if metrics
                else humanise.DASH
            ),
        ]
    )
