"""Small pieces of text that several pages show alike."""

import re
from datetime import UTC, datetime

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from profiler.records import FunctionVerdict

__all__ = [
    "VERDICT_COLOURS",
    "as_of",
    "badge",
    "breakable",
    "link",
    "moment",
    "side_word",
    "verdict_badge",
]

VERDICT_COLOURS: dict[FunctionVerdict, str] = {
    "regression": "red",
    "improvement": "teal",
    "no change": "gray",
    "cannot tell": "yellow",
    "moved": "gray",
}


def badge(word: str, colour: str) -> Component:
    marked: Component = dmc.Badge(
        word, color=colour, variant="light", size="sm", radius="sm", tt="none"
    )
    return marked


def verdict_badge(verdict: FunctionVerdict) -> Component:
    word = "cannot tell yet" if verdict == "cannot tell" else verdict
    return badge(word, VERDICT_COLOURS[verdict])


def breakable(name: str) -> list[Component | str]:
    """A dotted name that breaks after its dots, colons and underscores, where it must break."""
    parts: list[Component | str] = []
    for piece in re.findall(r"[^.:_]*[.:_]*", name):
        if piece:
            parts += [html.Wbr(), piece] if parts else [piece]
    return parts


def link(text: str | list[Component | str], to: str) -> Component:
    return dcc.Link(text, href=to, className="dy-link")


def moment(ts_ms: int) -> Component:
    """A time, UTC; the whole of it on hover."""
    at = datetime.fromtimestamp(ts_ms / 1000, UTC)
    return html.Time(
        at.strftime("%H:%M:%S"), dateTime=at.isoformat(), title=at.isoformat(" ", "seconds")
    )


def side_word(label: str) -> str:
    """`release:r2` is read as r2; other sides as they are written."""
    return label.removeprefix("release:") if "," not in label else label


def as_of(ts_ms: int) -> str:
    return (
        f"as of {datetime.fromtimestamp(ts_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC" if ts_ms else ""
    )
