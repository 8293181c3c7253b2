"""One endpoint over time, a line a release: cost, latency, traffic and errors, dependencies."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan

import plotly.graph_objects as go

from collector.answers.records import Change, SeriesPoint
from dashboards.figures.chart import chart, line_mode, main_unit, mark_deploys, moments, plain
from dashboards.theme import PALETTE

__all__ = ["cost_history", "dependency_history", "latency_history", "traffic_history"]

HEIGHT = 250
NS_PER_MS = 1e6
#: Cost unit -> (what the axis says, how many of the unit are one of the axis).
_COST_AXES = {
    "cpu_ns": ("ms CPU per request", 1e6),
    "instructions": ("M instructions per request", 1e6),
}

Value = Callable[[SeriesPoint], float]


def cost_history(
    points: Sequence[SeriesPoint],
    colours: Mapping[str, str],
    changes: Sequence[Change],
    scheme: str,
) -> go.Figure:
    """Cost per request in the unit of most requests, a line a release."""
    unit = main_unit(points)
    axis, size = _COST_AXES.get(unit, (unit, 1.0))
    figure = chart(scheme, height=HEIGHT, unit=axis, stays="cost")
    same = [point for point in points if point.cost_unit == unit]
    _lines(figure, same, colours, lambda point: point.cost / size, "%{y:.4g}")
    mark_deploys(figure, changes, [point.ts_ms for point in same])
    return figure


def latency_history(
    points: Sequence[SeriesPoint],
    colours: Mapping[str, str],
    changes: Sequence[Change],
    scheme: str,
) -> go.Figure:
    """P99 drawn through, P50 dotted; ms."""
    figure = chart(scheme, height=HEIGHT, unit="ms", stays="latency")
    ms = "%{y:.4g} ms"
    _lines(figure, points, colours, lambda p: p.latency_ms_p99, ms, suffix=" P99")
    _lines(figure, points, colours, lambda p: p.latency_ms_p50, ms, suffix=" P50", dash="dot")
    mark_deploys(figure, changes, [point.ts_ms for point in points])
    return figure


def traffic_history(
    points: Sequence[SeriesPoint],
    colours: Mapping[str, str],
    changes: Sequence[Change],
    scheme: str,
) -> go.Figure:
    """Requests per second stacked by release; errors per second as a red line on them."""
    figure = chart(scheme, height=HEIGHT, unit="requests/s", stays="traffic")
    times = sorted({point.ts_ms for point in points})
    for release, own in _by_release(points).items():
        rates = _at(own, lambda point: point.per_s)
        figure.add_scatter(
            x=moments(times),
            y=[rates.get(at, 0.0) for at in times],
            name=plain(release),
            stackgroup="traffic",
            mode=line_mode(len(times), 2),
            line={"width": 0.5, "color": colours.get(release, PALETTE[-1])},
            hovertemplate="%{y:.3g}/s",
        )
    errors = _at(points, lambda point: point.per_s * point.error_rate)
    figure.add_scatter(
        x=moments(times),
        y=[errors[at] for at in times],
        name="errors",
        mode=line_mode(len(times), 2),
        line={"width": 2, "color": "#e03131"},
        hovertemplate="%{y:.3g}/s",
    )
    mark_deploys(figure, changes, times)
    return figure


def dependency_history(
    points: Sequence[SeriesPoint], changes: Sequence[Change], scheme: str
) -> go.Figure:
    """Time of one request in CPU, database and cache, ms; means over releases by requests."""
    figure = chart(scheme, height=HEIGHT, unit="ms per request", stays="dependencies")
    parts: tuple[tuple[str, str, Value], ...] = (
        ("CPU", PALETTE[0], lambda point: point.task_clock_ns / NS_PER_MS),
        ("database", PALETTE[1], lambda point: point.db_ms),
        ("cache", PALETTE[2], lambda point: point.cache_ms),
    )
    served = _at(points, lambda point: point.requests)
    times = sorted(at for at, requests in served.items() if requests)
    for name, colour, value in parts:
        sums = _at(points, value, weighted=True)
        figure.add_scatter(
            x=moments(times),
            y=[sums[at] / served[at] for at in times],
            name=name,
            mode=line_mode(len(times), 2),
            line={"width": 2, "color": colour},
            hovertemplate="%{y:.4g} ms",
        )
    mark_deploys(figure, changes, times)
    return figure


def _lines(
    figure: go.Figure,
    points: Sequence[SeriesPoint],
    colours: Mapping[str, str],
    value: Value,
    hover: str,
    *,
    suffix: str = "",
    dash: str = "solid",
) -> None:
    for release, own in _by_release(points).items():
        figure.add_scatter(
            x=moments(point.ts_ms for point in own),
            y=[value(point) for point in own],
            name=plain(f"{release}{suffix}"),
            mode=line_mode(len(own)),
            marker={"size": 4},
            line={"width": 2, "dash": dash, "color": colours.get(release, PALETTE[-1])},
            hovertemplate=hover,
        )


def _by_release(points: Sequence[SeriesPoint]) -> dict[str, list[SeriesPoint]]:
    by: dict[str, list[SeriesPoint]] = {}
    for point in sorted(points, key=lambda point: point.ts_ms):
        by.setdefault(point.release, []).append(point)
    return by


def _at(points: Sequence[SeriesPoint], value: Value, *, weighted: bool = False) -> dict[int, float]:
    """Sums by time over releases and units, `weighted` by requests; nan counts as nothing."""
    sums: dict[int, float] = {}
    for point in points:
        number = value(point) * (point.requests if weighted else 1)
        sums[point.ts_ms] = sums.get(point.ts_ms, 0.0) + (0.0 if isnan(number) else number)
    return sums
