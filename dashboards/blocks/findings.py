"""What was found lately: alerts and changes, newest first."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from dash import html
from dash.development.base_component import Component

from collector.answers.records import AlertState, Change
from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.text import badge, link
from dashboards.urls import Query, href

__all__ = ["alert_link", "findings"]

SHOWN_MAX = 12
#: The links of an alert, the most telling first.
LINKED = ("compare", "endpoint", "overview", "errors", "hosts", "flame")


def findings(
    alerts: Sequence[AlertState], changes: Sequence[Change], query: Query, now_ms: int
) -> Component:
    """Firing alerts come first; then what is newest."""
    dated = [(a.state != "firing", -_last_ms(a), _alert(a, query, now_ms)) for a in alerts]
    dated += [(True, -c.ts_ms, _change(c, query, now_ms)) for c in changes]
    if not dated:
        return empty(
            "Nothing was found, nothing was deployed.",
            "Deploys show here once they are recorded with POST /v1/changes.",
        )
    dated.sort(key=lambda item: item[:2])
    shown = [item for *_, item in dated[:SHOWN_MAX]]
    if len(dated) > SHOWN_MAX:
        more = link(f"{len(dated) - SHOWN_MAX} more", href("/alerts", _where(query)))
        shown.append(html.Li(more, className="dy-finding"))
    return html.Ul(shown, className="dy-findings")


def alert_link(alert: AlertState, query: Query) -> str:
    """The page that shows what the alert is about. Of a link in it only our own path is taken."""
    links = alert.payload.get("links", {})
    for page in LINKED:
        parts = urlsplit(str(links.get(page, "")))
        # `//host` and `/\\host` would lead to another site.
        if parts.path.startswith("/") and parts.path[1:2] not in ("/", "\\"):
            return f"{parts.path}?{parts.query}"
    where = Query(service=alert.labels.get("service", query.service))
    return href("/alerts", where)


def _alert(alert: AlertState, query: Query, now_ms: int) -> Component:
    colour = {"firing": "red"}.get(alert.state, "teal")
    return html.Li(
        [
            badge(alert.state, colour),
            html.Span(alert.summary, className="dy-sentence"),
            link("look", alert_link(alert, query)),
            html.Span(humanise.ago(_last_ms(alert), now_ms), className="dy-dim"),
        ],
        className="dy-finding",
    )


def _change(change: Change, query: Query, now_ms: int) -> Component:
    what = f"{change.release} replaced {change.previous}" if change.previous else change.release
    sides = {"a": f"release:{change.previous}", "b": f"release:{change.release}"}
    return html.Li(
        [
            badge(change.kind, "blue"),
            html.Span(f"{what}{': ' if change.note else ''}{change.note}", className="dy-sentence"),
            link("compare", href("/compare", Query(service=query.service), **sides))
            if change.kind == "deploy" and change.previous
            else None,
            html.Span(humanise.ago(change.ts_ms, now_ms), className="dy-dim"),
        ],
        className="dy-finding",
    )


def _last_ms(alert: AlertState) -> int:
    return alert.ended_ms or alert.started_ms


def _where(query: Query) -> Query:
    return Query(service=query.service, start=query.start, end=query.end)
