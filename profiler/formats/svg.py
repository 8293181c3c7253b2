"""A flame graph as one SVG: no script is needed to read it, and it opens anywhere."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from profiler.merging import NEW, VANISHED
from profiler.records import FlameGraph
from profiler.vocabulary import ORIGINS

__all__ = ["flame_svg"]

ROW, WIDTH = 18, 1180
NARROWEST = 0.7
LETTER = 6.6
COLOURS = {"own": "#f0a35e", "package": "#8fb8de", "stdlib": "#b5d19c", "native": "#d3b7d8"}
WORDS = {NEW: "new: ", VANISHED: "vanished: "}


def flame_svg(graph: FlameGraph, side: str = "a") -> str:
    """Widths are the shares of `side` (a or b); of two sides colours are the difference."""
    shares = graph.share_a if side == "a" else graph.share_b
    left, depth = _places(graph, shares)
    most = max((abs(b - a) for a, b in zip(graph.share_a, graph.share_b, strict=False)), default=0)
    boxes = [
        _box(graph, at, left[at], shares[at], depth[at], most)
        for at in range(len(shares))
        if shares[at] * WIDTH >= NARROWEST
    ]
    rows = 1 + max(
        (depth[at] for at in range(len(shares)) if shares[at] * WIDTH >= NARROWEST), default=0
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {rows * ROW}" '
        f'width="100%" font-family="monospace" font-size="11">{"".join(boxes)}</svg>'
    )


def _places(graph: FlameGraph, shares: Sequence[float]) -> tuple[list[float], list[int]]:
    """Left edge and depth of each node; larger children first."""
    children: list[list[int]] = [[] for _ in shares]
    for at, parent in enumerate(graph.parent):
        if parent >= 0:
            children[parent].append(at)
    left, depth = [0.0] * len(shares), [0] * len(shares)
    for at, inside in enumerate(children):
        edge = left[at]
        for child in sorted(inside, key=lambda one: -shares[one]):
            left[child], depth[child] = edge, depth[at] + 1
            edge += shares[child]
    return left, depth


def _box(graph: FlameGraph, at: int, left: float, share: float, depth: int, most: float) -> str:
    x, width, y = left * WIDTH, share * WIDTH, depth * ROW
    mark = WORDS.get(graph.mark[at], "") if graph.mark else ""
    name = f"{mark}{graph.name[at]}"
    said = f"{name} {graph.share_a[at]:.2%}"
    if graph.share_b:
        said += f" to {graph.share_b[at]:.2%}"
    short = name.partition(":")[2] if ":" in name and not mark else name
    room = int((width - 4) / LETTER)
    text = (
        f'<text x="{x + 2:.1f}" y="{y + 13}">{escape(_clean(short[:room]))}</text>'
        if room >= 3
        else ""
    )
    dashes = ' stroke="#222" stroke-dasharray="3 2"' if mark else ' stroke="#fff"'
    data = escape(_clean(graph.name[at]), QUOTES)
    return (
        f'<g data-name="{data}"><title>{escape(_clean(said))}</title>'
        f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.3, 0.4):.1f}" height="{ROW - 1}" '
        f'fill="{_colour(graph, at, most)}"{dashes}/>{text}</g>'
    )


QUOTES = {'"': "&quot;"}


def _clean(text: str) -> str:
    """Without control characters, which XML does not allow."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _colour(graph: FlameGraph, at: int, most: float) -> str:
    if at == 0:
        return "#d9d9d9"
    if not graph.share_b:
        return COLOURS[ORIGINS[graph.origin[at]]]
    change = graph.share_b[at] - graph.share_a[at]
    strength = (abs(change) / most) ** 0.5 if most else 0.0
    fade = round(255 - 150 * strength)
    return f"rgb(255,{fade},{fade - 20})" if change >= 0 else f"rgb({fade - 20},{fade},255)"
