"""One metric over time, a line for each host and set of labels."""

from collections.abc import Sequence

import plotly.graph_objects as go

from collector.answers.metrics import MetricLine
from dashboards.figures.chart import chart, line_mode, moments, plain, show_times
from dashboards.theme import PALETTE

__all__ = ["SHOWN_MAX", "metric_lines"]

#: More lines than this cannot be told apart: the highest are shown.
SHOWN_MAX = 24
HEIGHT = 360


def metric_lines(lines: Sequence[MetricLine], metric: str, scheme: str) -> go.Figure:
    """The highest `SHOWN_MAX` lines, in the unit of the first."""
    shown = sorted(lines, key=lambda line: -line.points[-1].value)[:SHOWN_MAX]
    unit = shown[0].unit if shown else ""
    figure = chart(scheme, height=HEIGHT, unit=unit, stays=metric)
    for at, line in enumerate(shown):
        figure.add_scatter(
            x=moments(point.ts_ms for point in line.points),
            y=[point.value for point in line.points],
            name=plain(" ".join((line.host, *line.labels))),
            mode=line_mode(len(line.points)),
            marker={"size": 4},
            line={"width": 2, "color": PALETTE[at % len(PALETTE)]},
            hovertemplate="%{y:.4g}",
        )
    show_times(figure, [point.ts_ms for line in shown for point in line.points])
    return figure
