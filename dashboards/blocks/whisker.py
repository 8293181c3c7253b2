"""A dot with its 95% interval on a line, zero marked: many of them share one scale."""

from collections.abc import Iterable
from math import isfinite
from statistics import median

from dash import html
from dash.development.base_component import Component

from dashboards.blocks.card import aria
from profiler.records import Interval

__all__ = ["scale_of", "whisker"]

MARGIN = 1.08
#: How many times as far as the middle one an interval may reach and be shown whole.
WIDER_MAX = 4


def scale_of(intervals: Iterable[Interval]) -> tuple[float, float]:
    """Low and high end of a scale that shows them, and zero.

    Of intervals that say little, much wider than most, only a part: they would hide the others.
    """
    told = [_ends(one) for one in intervals]
    told = [ends for ends in told if ends]
    reaches = [max(map(abs, ends)) for ends in told]
    sure = [reach for ends, reach in zip(told, reaches, strict=True) if min(ends) * max(ends) > 0]
    most = max([WIDER_MAX * median(reaches), *sure]) if reaches else 0.0
    shown = [0.0, *(min(max(end, -most), most) for ends in told for end in ends)]
    low, high = min(shown), max(shown)
    return (low * MARGIN, high * MARGIN) if high > low else (-1.0, 1.0)


def _ends(one: Interval) -> list[float]:
    return [end for end in (one.value, one.low, one.high) if isfinite(end)]


def whisker(of: Interval, scale: tuple[float, float], text: str) -> Component:
    """Red where the whole interval is a rise, green where it is a fall; `text` says it in words."""

    def at(value: float) -> float:
        return 100 * (min(max(value, scale[0]), scale[1]) - scale[0]) / (scale[1] - scale[0])

    parts = [html.Div(className="dy-whisker-zero", style={"left": f"{at(0):.2f}%"})]
    if isfinite(of.low) and isfinite(of.high):
        line = {"left": f"{at(of.low):.2f}%", "width": f"{at(of.high) - at(of.low):.2f}%"}
        parts.append(html.Div(className="dy-whisker-line", style=line))
    if isfinite(of.value):
        dot = {"left": f"{at(of.value):.2f}%"}
        parts.append(html.Div(className="dy-whisker-dot", style=dot))
    colour = "dy-up" if of.low > 0 else "dy-down" if of.high < 0 else "dy-dim"
    return html.Div(
        parts, className=f"dy-whisker {colour}", title=text, role="img", **aria(label=text)
    )
