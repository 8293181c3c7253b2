"""Alerts as a plain table."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from collector.answers.records import AlertState
from dashboards import humanise
from dashboards.blocks.findings import alert_link
from dashboards.blocks.states import empty
from dashboards.blocks.table import table
from dashboards.blocks.text import badge, link, moment
from dashboards.urls import Query

__all__ = ["alert_table"]

ROWS_MAX = 200


def alert_table(alerts: Sequence[AlertState], query: Query, now_ms: int) -> Component:
    if not alerts:
        return empty("No alert fired in this time range.")
    head = ("State", "Severity", "What", "Rule", "Began (UTC)", "Ended", "Delivered", "")
    return table(head, [_row(alert, query, now_ms) for alert in alerts], ROWS_MAX)


def _row(alert: AlertState, query: Query, now_ms: int) -> Component:
    ended = [moment(alert.ended_ms)] if alert.ended_ms else "still firing"
    delay = humanise.span_s((alert.delivered_ms - alert.started_ms) / 1000)
    return html.Tr(
        [
            html.Td(badge(alert.state, "red" if alert.state == "firing" else "teal")),
            html.Td(alert.severity),
            html.Td(alert.summary, className="dy-sentence"),
            html.Td(alert.rule, className="dy-mono"),
            html.Td([moment(alert.started_ms), f", {humanise.ago(alert.started_ms, now_ms)}"]),
            html.Td(ended),
            html.Td(f"after {delay}" if alert.delivered_ms else "not yet"),
            html.Td(link("look", alert_link(alert, query))),
        ]
    )
