"""What a part of a page shows when it has nothing to show."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

__all__ = ["empty", "failed", "loading", "no_data"]

START = "dynoscope agent run --url http://127.0.0.1:8600"
RUN = "dynoscope run -- uwsgi app.ini"


def no_data(sentence: str) -> Component:
    """Nothing was received: how to send something."""
    return empty(
        sentence,
        "Start an agent where workers carry the probe, or start your app under dynoscope:",
        START,
        RUN,
    )


def empty(title: str, hint: str = "", *commands: str) -> Component:
    """What is missing, and what to do next."""
    return html.Div(
        [
            html.Div(title, className="dy-empty-title"),
            html.Div(hint, className="dy-dim") if hint else None,
            *[html.Pre(command, className="dy-command") for command in commands],
        ],
        className="dy-empty",
        role="status",
    )


def failed(sentence: str) -> Component:
    title = "This could not be answered"
    told: Component = dmc.Alert(sentence, color="red", variant="light", title=title)
    return told


def loading(height: int) -> Component:
    """Grey while the answer is on its way. Height in px."""
    return html.Div(
        [dmc.Skeleton(height=height), html.Span("Loading", className="dy-unseen")],
        className="dy-loading",
    )
