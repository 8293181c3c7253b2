"""A fleet change as a waterfall: from a by traffic, mix and cost per request to b."""

import plotly.graph_objects as go

from dashboards import humanise
from dashboards.figures.chart import chart, plain
from profiler.records import FleetChange

__all__ = ["waterfall"]

RISE, FALL, TOTAL = "#d55e00", "#009e73", "#8f8f8f"


def waterfall(change: FleetChange, a: str, b: str, scheme: str) -> go.Figure:
    """CPU of the fleet: cores for cpu_ns, `unit` per second otherwise."""
    cores = change.unit == "cpu_ns"
    size = 1e9 if cores else 1.0
    figure = chart(scheme, height=280, unit="CPU cores" if cores else f"{change.unit}/s", stays="w")
    parts = {"traffic": change.traffic, "mix": change.mix}
    if change.within:
        parts["mix within endpoints"] = change.mix_within
    parts["cost per request"] = change.cost
    steps = tuple(parts.values())
    figure.add_waterfall(
        x=[plain(a), *parts, f"{plain(b)} "],
        measure=["absolute", *["relative"] * len(parts), "total"],
        y=[change.per_s_a / size, *(step / size for step in steps), 0],
        text=[
            humanise.per_second(change.per_s_a, change.unit),
            *(_step(step, change.unit) for step in steps),
            humanise.per_second(change.per_s_b, change.unit),
        ],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="text+x",
        increasing={"marker": {"color": RISE}},
        decreasing={"marker": {"color": FALL}},
        totals={"marker": {"color": TOTAL}},
        connector={"line": {"width": 1, "color": TOTAL}},
    )
    figure.update_layout(showlegend=False, hovermode="closest", margin={"t": 24})
    return figure


def _step(value: float, unit: str) -> str:
    return humanise.signed(value, humanise.per_second(abs(value), unit))
