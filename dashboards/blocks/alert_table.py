"""Alerts as a plain table."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from collector.answers.records import AlertState, Delivery
from dashboards import humanise
from dashboards.blocks.findings import alert_link
from dashboards.blocks.states import empty
from dashboards.blocks.table import table
from dashboards.blocks.text import badge, link, moment
from dashboards.urls import Query

__all__ = ["alert_table"]

ROWS_MAX = 200


def alert_table(alerts: Sequence[AlertState], query: Query, now_ms: int) -> Component:
    """What fires first, then the newest."""
    if not alerts:
        return empty("No alert fired in this time range.")
    head = ("State", "Severity", "What", "Rule", "Began (UTC)", "Ended", "Delivered", "")
    ordered = sorted(alerts, key=lambda one: (one.state != "firing", -one.started_ms))
    return table(head, [_row(alert, query, now_ms) for alert in ordered], ROWS_MAX)


def _row(alert: AlertState, query: Query, now_ms: int) -> Component:
    ended = [moment(alert.ended_ms)] if alert.ended_ms else "still firing"
    return html.Tr(
        [
            html.Td(badge(alert.state, "red" if alert.state == "firing" else "teal")),
            html.Td(alert.severity),
            html.Td([*_summary(alert), *_said(alert)], className="dy-sentence"),
            html.Td(alert.rule, className="dy-mono"),
            html.Td([moment(alert.started_ms), html.Div(humanise.ago(alert.started_ms, now_ms))]),
            html.Td(ended),
            html.Td(_delivered(alert)),
            html.Td(
                [
                    link("look", alert_link(alert, query)),
                    " ",
                    html.A("export", href=f"/v1/alerts/{alert.id}/export", className="dy-link"),
                ]
            ),
        ]
    )


def _summary(alert: AlertState) -> list[Component | str]:
    """The first sentence says what happened; the rest is to be read by whom it concerns."""
    first, stop, rest = alert.summary.partition(". ")
    return [html.Strong(first + stop), rest] if rest else [html.Strong(first)]


def _said(alert: AlertState) -> list[Component]:
    """What people said of it."""
    notes = (("silenced by", alert.silenced), ("acknowledged by", alert.acknowledged))
    return [html.Div(f"{word} {text}", className="dy-dim") for word, text in notes if text]


def _delivered(alert: AlertState) -> list[Component | str]:
    """After how long; and the receivers that do not take it."""
    delay = humanise.span_s((alert.delivered_ms - alert.started_ms) / 1000)
    away = [one for one in alert.deliveries if one.state != "delivered"]
    told = f"after {delay}" if alert.delivered_ms else "not yet"
    return [told, *[_failure(one) for one in away]]


def _failure(one: Delivery) -> Component:
    return html.Div(one.reason, className="dy-dim")
