"""What all pages have around them: navigation, pickers, and the slots that answers fill."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.blocks.card import aria, card
from dashboards.blocks.states import loading
from dashboards.urls import RANGES, Query, href

__all__ = [
    "ENDPOINT",
    "GO",
    "NAV",
    "PAUSE",
    "QUERY",
    "REFRESH",
    "SCHEME",
    "SERVICE",
    "TICK",
    "chart",
    "filled",
    "page",
    "panel",
    "picker",
    "root",
    "slot",
]

QUERY = "frame-query"
TICK = "frame-tick"
SCHEME = "frame-scheme"
PAUSE = "frame-pause"
REFRESH = "frame-refresh"
SERVICE = "frame-service"
ENDPOINT = "frame-endpoint"
GO = "frame-go"

REFRESH_MS = 10_000

NAV = (
    ("/", "Overview"),
    ("/endpoint", "Endpoint"),
    ("/flame", "Flame graph"),
    ("/function", "Function"),
    ("/compare", "Compare"),
    ("/flags", "Flags"),
    ("/slos", "SLOs"),
    ("/alerts", "Alerts"),
    ("/errors", "Errors"),
    ("/hosts", "Hosts"),
    ("/series", "Metrics"),
)


def root(page_container: Component, theme: dict[str, Any]) -> Component:
    """The layout of the app: what outlives a change of page."""
    provider: Component = dmc.MantineProvider(
        [
            dcc.Location(id=GO, refresh="callback-nav"),
            dcc.Interval(id=TICK, interval=REFRESH_MS),
            dcc.Store(id=SCHEME),
            page_container,
        ],
        theme=theme,
        defaultColorScheme="auto",
    )
    return provider


def page(
    path: str,
    title: str,
    query: Query,
    start: str,
    pickers: Sequence[Component],
    body: Sequence[Component],
    *,
    refreshes: bool = True,
) -> Component:
    """One page. `start`: its own time range; `refreshes`: it follows the clock by itself."""
    return html.Div(
        [
            html.A("Skip to content", href="#main", className="dy-skip"),
            dcc.Store(id=QUERY, data=asdict(query) | {"path": path}),
            _header(path, query),
            html.Main(
                [
                    html.H1(title, className="dy-unseen"),
                    _controls(query, start, pickers, refreshes),
                    *body,
                ],
                id="main",
                className="dy-main",
                tabIndex="-1",
            ),
        ]
    )


def picker(
    name: str, label: str, value: str, options: Sequence[str], width: int, *, everything: str = ""
) -> Component:
    """A choice that is written into the address under `name`; `everything` is no choice."""
    known = [{"value": one, "label": one} for one in dict.fromkeys([*options, value]) if one]
    if everything:
        known.insert(0, {"value": "", "label": everything})
    choice: Component = dmc.Select(
        # `was` lets the writer of addresses tell a choice from the first rendering.
        id={"pick": name, "was": value},
        data=known,
        value=value if value or everything else None,
        placeholder="choose",
        searchable=True,
        allowDeselect=False,
        nothingFoundMessage="nothing of that name",
        limit=200,
        size="xs",
        w=width,
        **aria(label=label),
    )
    return choice


def panel(
    title: str, *children: Component | None, note: str = "", width: str = "full"
) -> Component:
    """A titled card. `width`: full, half, third."""
    heading: list[Component] = [html.H2(title, className="dy-h2")]
    if note:
        heading.append(html.Span(note, className="dy-dim"))
    return card([html.Div(heading, className="dy-heading"), *children], f"dy-panel dy-{width}")


def slot(slot_id: str, height: int) -> Component:
    """A place that a callback fills; grey until then. Height in px."""
    return html.Div(loading(height), id=slot_id, className="dy-slot")


def filled(slot_id: str, part: Component, height: int) -> Component:
    """A part that outlives a refresh, so that its zoom or order stays: callbacks write its
    properties. It shows while the slot before it is empty; a message there hides it."""
    return html.Div([slot(slot_id, height), html.Div(part, className="dy-filled")])


def chart(chart_id: str) -> Component:
    return dcc.Graph(id=chart_id, config={"displaylogo": False})


def _header(path: str, query: Query) -> Component:
    kept = Query(service=query.service, start=query.start, end=query.end)
    links = [
        dcc.Link(
            word,
            href=href(to, kept),
            className="dy-nav-here" if to == path else "dy-nav",
        )
        for to, word in NAV
    ]
    toggle = dmc.ColorSchemeToggle(
        lightIcon="☀",
        darkIcon="☾",
        variant="subtle",
        color="gray",
        **aria(label="light or dark"),
    )
    brand = dcc.Link("Dynoscope", href="/", className="dy-brand")
    return html.Header(
        [brand, html.Nav(links, className="dy-links", **aria(label="Pages")), toggle],
        className="dy-header",
    )


def _controls(query: Query, start: str, pickers: Sequence[Component], refreshes: bool) -> Component:
    chosen = query.start or start
    ranges = [{"value": value, "label": label} for value, label in RANGES.items()]
    if chosen not in RANGES or not query.is_live:
        chosen = f"{chosen} to {query.end}"
        ranges.append({"value": chosen, "label": chosen})
    range_control = dmc.SegmentedControl(
        id={"pick": "start", "was": chosen},
        data=ranges,
        value=chosen,
        size="xs",
        **aria(label="Time range"),
    )
    again = (
        dmc.Switch(id=PAUSE, label="pause", size="xs", persistence=True, checked=False)
        if refreshes
        else dmc.Button("Refresh", id=REFRESH, size="xs", variant="default", n_clicks=0)
    )
    service = html.Div(id=SERVICE, className="dy-pick")
    return html.Div(
        [service, *pickers, range_control, html.Div(again, className="dy-end")],
        className="dy-controls",
    )
