"""A function's lines beside what they cost on one side or two."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboards import humanise
from dashboards.blocks.card import aria
from dashboards.blocks.text import side_word
from profiler.source import SourceLine, SourceSide, SourceView
from profiler.source_text import Touch

__all__ = ["source_facts", "source_notes", "source_table"]

COMMIT_CHARACTERS = 10


def source_facts(view: SourceView) -> Component:
    """What the function costs with all that it calls, and which text the lines are of."""
    sides = _sides(view)
    facts = {
        "CPU per request, with callees": _pair([humanise.duration_ns(s.cost_ns) for s in sides]),
        "samples with it": _pair([humanise.count(side.samples) for side in sides]),
        "of on-CPU samples": _pair([humanise.count(side.side_samples) for side in sides]),
        "share of CPU": _pair([_share(side) for side in sides]),
    }
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.items()],
        className="dy-facts",
    )


def source_notes(view: SourceView) -> Component | None:
    """Where source is not at hand and why, and what does not fit; None where all is well."""
    told = [
        f"source of {side_word(side.label)} is not at hand: {side.reason}"
        for side in _sides(view)
        if side.reason
    ]
    if not (told or view.notes):
        return None
    note: Component = dmc.Alert(
        html.Ul([html.Li(one) for one in (*told, *view.notes)], className="dy-plain"),
        color="yellow",
        variant="light",
    )
    return note


def source_table(view: SourceView) -> Component:
    """Lines in order; lines of one side only are marked - and +, hot ones say who touched them."""
    names = [side_word(side.label) for side in _sides(view)]
    dearest = max((max(line.cost_ns_a, line.cost_ns_b) for line in view.lines), default=0.0)
    has_commits = any(line.touched for line in view.lines)
    head = [
        *(html.Th(f"{name} line", scope="col", className="dy-number") for name in names),
        *(html.Th(f"{name} samples", scope="col", className="dy-number") for name in names),
        *(html.Th(f"{name} CPU", scope="col", className="dy-number") for name in names),
        html.Th(html.Span("Share", className="dy-unseen"), scope="col"),
        html.Th("Source", scope="col"),
        html.Th("Last touched by", scope="col") if has_commits else None,
    ]
    indent = _indent(view.lines)
    rows: list[Component] = []
    for before, line in zip([None, *view.lines], view.lines, strict=False):
        if before is not None and _skips(before, line):
            rows.append(html.Tr(html.Td("⋯", colSpan=len(head), className="dy-dim")))
        shown = replace(line, text=line.text[indent:])
        rows.append(_row(shown, dearest, two=len(names) == 2, has_commits=has_commits))
    return html.Div(
        html.Table(
            [html.Thead(html.Tr([cell for cell in head if cell is not None])), html.Tbody(rows)],
            className="dy-table dy-source",
        ),
        className="dy-scroll",
        tabIndex="0",
        role="region",
        **aria(label="Lines of the function"),
    )


def _row(line: SourceLine, dearest: float, *, two: bool, has_commits: bool) -> Component:
    sides = [
        (line.line_a, line.samples_a, line.self_samples_a, line.cost_ns_a),
        (line.line_b, line.samples_b, line.self_samples_b, line.cost_ns_b),
    ][: 2 if two else 1]
    mark = " " if not two or (line.line_a and line.line_b) else "+" if line.line_b else "−"
    kind = {"+": "dy-line-new", "−": "dy-line-gone"}.get(mark, "")
    cells = [
        *(html.Td(str(number or ""), className="dy-number dy-dim") for number, *_ in sides),
        *(
            html.Td(
                humanise.count(samples) if samples else "",
                className="dy-number",
                title=f"in {humanise.count(own)} of them it called nothing" if samples else "",
            )
            for _, samples, own, _ in sides
        ),
        *(
            html.Td(humanise.duration_ns(cost) if samples else "", className="dy-number")
            for _, samples, _, cost in sides
        ),
        html.Td(_bars([cost for *_, cost in sides], dearest), className="dy-line-share"),
        html.Td(html.Code(f"{mark} {line.text}"), className="dy-code"),
        html.Td(_touch(line.touched) if line.touched else None) if has_commits else None,
    ]
    return html.Tr([cell for cell in cells if cell is not None], className=kind)


def _bars(costs: Sequence[float], dearest: float) -> Component | None:
    """A thin bar a side, as a share of the dearest line."""
    if not dearest > 0 or not any(cost > 0 for cost in costs):
        return None
    widths = [f"{cost / dearest * 100 if cost > 0 else 0:.1f}%" for cost in costs]
    kinds = ["dy-line-before", "dy-line-after"] if len(costs) == 2 else ["dy-line-after"]
    bars = [
        html.Div(className=kind, style={"width": width})
        for kind, width in zip(kinds, widths, strict=True)
    ]
    return html.Div(bars, className="dy-line-bars")


def _touch(touch: Touch) -> Component:
    day = f"{datetime.fromtimestamp(touch.ts_ms / 1000, UTC):%Y-%m-%d}" if touch.ts_ms else ""
    return html.Div(
        [
            html.Span(touch.commit[:COMMIT_CHARACTERS], className="dy-mono dy-strong"),
            html.Span(touch.summary),
            html.Span(f" {touch.author}, {day}", className="dy-dim"),
        ],
        className="dy-touch",
        title=touch.commit,
    )


def _indent(lines: Sequence[SourceLine]) -> int:
    """Blanks that all lines begin with."""
    texts = [line.text for line in lines if line.text.strip()]
    return min((len(text) - len(text.lstrip(" ")) for text in texts), default=0)


def _skips(before: SourceLine, line: SourceLine) -> bool:
    """Whether lines between two rows are left out."""
    return bool(
        (before.line_b and line.line_b > before.line_b + 1)
        or (before.line_a and line.line_a > before.line_a + 1)
    )


def _sides(view: SourceView) -> list[SourceSide]:
    return [view.a] if view.b is None else [view.a, view.b]


def _share(side: SourceSide) -> str:
    return humanise.percent(side.samples / side.side_samples if side.side_samples else 0.0)


def _pair(texts: Sequence[str]) -> str:
    return " → ".join(texts)
