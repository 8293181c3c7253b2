"""CPU in use over time, stacked by endpoint."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from collector.answers.records import Change, SeriesPoint
from dashboards.figures.chart import chart, line_mode, mark_deploys, moments, plain
from dashboards.theme import PALETTE

__all__ = ["OTHERS", "cores_at", "cpu_by_endpoint"]

OTHERS = "all others"
NS_PER_S = 1e9
#: A smaller rest is the edge of an unfinished step, not further endpoints.
LEAST_REST = 0.005


def cpu_by_endpoint(
    total: Sequence[SeriesPoint],
    parts: Mapping[str, Sequence[SeriesPoint]],
    changes: Sequence[Change],
    scheme: str,
) -> go.Figure:
    """Cores in use: `parts` by endpoint, dearest first, and what `total` has beyond them."""
    whole = cores_at(total)
    times = sorted(whole)
    figure = chart(scheme, height=260, unit="CPU cores", stays="cpu")
    layers = {endpoint: cores_at(points) for endpoint, points in parts.items()}
    rest = {at: whole[at] - sum(layer.get(at, 0.0) for layer in layers.values()) for at in times}
    if sum(rest.values()) > LEAST_REST * sum(whole.values()):
        layers[OTHERS] = {at: max(0.0, value) for at, value in rest.items()}
    for number, (name, layer) in enumerate(layers.items()):
        colour = PALETTE[-1] if name == OTHERS else PALETTE[number % (len(PALETTE) - 1)]
        figure.add_scatter(
            x=moments(times),
            y=[layer.get(at, 0.0) for at in times],
            name=plain(name),
            stackgroup="cpu",
            mode=line_mode(len(times), 2),
            line={"width": 0.5, "color": colour},
            hovertemplate="%{y:.3g} cores",
        )
    mark_deploys(figure, changes, times)
    return figure


def cores_at(points: Sequence[SeriesPoint]) -> dict[int, float]:
    """Cores in use at each time, over all releases and units: task clock is always ns."""
    cores: dict[int, float] = {}
    for point in points:
        used = point.per_s * point.task_clock_ns / NS_PER_S
        cores[point.ts_ms] = cores.get(point.ts_ms, 0.0) + used
    return cores
