"""What all charts have in common: times, escaped text, deploys as vertical lines, one unit."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

import plotly.graph_objects as go

from collector.answers.records import Change, SeriesPoint
from dashboards.theme import template

__all__ = ["chart", "line_mode", "main_unit", "mark_deploys", "moments", "plain", "show_times"]

DEPLOYS_MAX = 12
#: More points than this are a line only.
MARKERS_MAX = 30
#: On both sides of a single point; plotly would show a thousandth of a second.
LONE_MS = 1_800_000


def chart(scheme: str, *, height: int, unit: str, stays: str) -> go.Figure:
    """An empty figure; height in px, `unit` at its y axis; zoom stays while `stays` is the same."""
    figure = go.Figure(layout={"template": template(scheme), "height": height, "uirevision": stays})
    figure.update_yaxes(title={"text": unit, "standoff": 6})
    return figure


def plain(text: str) -> str:
    """Text that plotly shows as it is; it would read tags in it otherwise."""
    return escape(text, quote=False)


def moments(ts_ms: Iterable[int]) -> list[str]:
    """UTC times as plotly reads them."""
    return [
        f"{datetime.fromtimestamp(ts / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ts % 1000:03d}"
        for ts in ts_ms
    ]


def line_mode(points: int, markers_max: int = MARKERS_MAX) -> str:
    """How plotly draws a line; a single point needs a marker to be seen."""
    return "lines+markers" if points < max(markers_max, 2) else "lines"


def show_times(figure: go.Figure, shown_ms: Sequence[int]) -> None:
    """Around a single point an hour; otherwise plotly knows best."""
    if len({*shown_ms}) == 1:
        figure.update_xaxes(range=moments([shown_ms[0] - LONE_MS, shown_ms[0] + LONE_MS]))


def main_unit(points: Sequence[SeriesPoint]) -> str:
    """The cost unit of most requests: units are never mixed in one chart."""
    counts: Counter[str] = Counter()
    for point in points:
        counts[point.cost_unit] += point.requests
    return counts.most_common(1)[0][0] if counts else ""


def mark_deploys(figure: go.Figure, changes: Sequence[Change], shown_ms: Sequence[int]) -> None:
    """Last of all: a dotted line with the release's name at each of the newest deploys within
    `shown_ms`, and times around a single point."""
    if not shown_ms:
        return
    show_times(figure, shown_ms)
    deploys = [c for c in changes if min(shown_ms) <= c.ts_ms <= max(shown_ms)]
    for deploy in deploys[-DEPLOYS_MAX:]:
        (at,) = moments([deploy.ts_ms])
        line = {"width": 1.5, "dash": "dot", "color": "#d55e00"}
        figure.add_shape(type="line", x0=at, x1=at, yref="paper", y0=0, y1=1, line=line)
        figure.add_annotation(
            x=at,
            yref="paper",
            y=1,
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            text=f" {plain(deploy.kind)} {plain(deploy.release)}",
            font={"color": "#d55e00", "size": 11},
        )
