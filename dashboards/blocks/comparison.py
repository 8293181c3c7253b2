"""A comparison in the order in which people ask: the finding, the fleet, who, how sure."""

from collections.abc import Sequence
from math import isfinite

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import VERDICT_COLOURS, badge, breakable, link, moment, verdict_badge
from dashboards.blocks.whisker import scale_of, whisker
from dashboards.figures.function_rows import origin_word
from dashboards.urls import Query, href
from profiler.records import (
    Comparison,
    Deploy,
    EndpointChange,
    Evidence,
    FunctionChange,
    Interval,
)
from profiler.vocabulary import ORIGINS

__all__ = ["endpoint_table", "evidence", "finding", "function_table"]

ROWS_MAX = 50
FUNCTIONS_SHOWN = 12
COMMIT_CHARACTERS = 12
OWN = ORIGINS.index("own")


def finding(comparison: Comparison) -> Component:
    """The headline with its verdict, and the deploy that brought it."""
    told: Component = dmc.Alert(
        [
            html.P(comparison.headline, className="dy-headline"),
            _worst(comparison),
            _deploy(comparison.deploy) if comparison.deploy else None,
            html.Ul([html.Li(note) for note in comparison.notes], className="dy-plain dy-dim")
            if comparison.notes
            else None,
        ],
        title=verdict_badge(comparison.verdict),
        color=VERDICT_COLOURS[comparison.verdict],
        variant="light",
    )
    return told


def endpoint_table(changes: Sequence[EndpointChange], query: Query) -> Component:
    if not changes:
        return empty("No endpoint was called on both sides.")
    scale = scale_of(change.relative for change in changes[:ROWS_MAX])
    numbers = (
        "Cost per request", "Change, 95% interval", "p, corrected", "Requests", "P99, errors",
    )  # fmt: skip
    head = ("Endpoint", "Verdict", *numbers[:2], "", *numbers[2:])
    rows = [_endpoint(change, scale, query) for change in changes]
    return table(head, rows, ROWS_MAX, numbers=numbers)


def function_table(
    changes: Sequence[FunctionChange], guilty: FunctionChange | None, query: Query
) -> Component:
    """The guilty function first, marked; the others as the comparison ranked them."""
    if not changes:
        return empty(
            "No function can be compared.",
            "Both sides need on-CPU samples: the agent takes them while workers serve requests.",
        )
    ordered = [*([guilty] if guilty else []), *(one for one in changes if one != guilty)]
    scale = scale_of(change.difference for change in ordered[:ROWS_MAX])
    rows = [_function(one, scale, one is guilty, query) for one in ordered]
    shown, more = rows[:FUNCTIONS_SHOWN], rows[FUNCTIONS_SHOWN:]
    folded = [html.Summary(f"{len(more)} more functions"), _functions(more)]
    return html.Div([_functions(shown), html.Details(folded) if more else None])


def _functions(rows: Sequence[Component]) -> Component:
    numbers = (
        "Self", "With callees", "Difference, 95% interval", "Share of the rise", "p, corrected",
    )  # fmt: skip
    head = ("Function", "Verdict", *numbers[:3], "", *numbers[3:])
    return table(head, rows, ROWS_MAX, numbers=numbers)


def evidence(on: Evidence) -> Component:
    facts = {
        "requests before": humanise.count(on.requests_a),
        "requests after": humanise.count(on.requests_b),
        "samples before": humanise.count(on.samples_a),
        "samples after": humanise.count(on.samples_b),
        "hosts": humanise.count(on.hosts),
        "windows": f"{humanise.count(on.windows)} of {humanise.span_s(on.window_s)}",
        "unit of error": on.unit_of_error,
        "warm-up requests set apart": humanise.count(on.warmup_requests),
        "windows with contended CPU": humanise.percent(on.contended_share),
        "drift of the machine": humanise.percent(on.drift),
    }
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.items()],
        className="dy-facts",
    )


def _worst(comparison: Comparison) -> Component | None:
    """Old and new cost of the endpoint that the headline speaks of."""
    rising = (one for one in comparison.endpoints if one.verdict == comparison.verdict)
    worst = max(rising, key=lambda one: abs(one.fleet_share), default=None)
    if worst is None or comparison.verdict not in ("regression", "improvement"):
        return None
    costs = (humanise.cost(cost, worst.unit) for cost in (worst.cost_a, worst.cost_b))
    relative = humanise.relative_interval(worst.relative)
    return html.P(f"{worst.endpoint}: {humanise.moved(*costs)} per request, {relative}")


def _deploy(deploy: Deploy) -> Component:
    commits = (
        f" (commits {', '.join(one[:COMMIT_CHARACTERS] for one in deploy.commits[:5])})"
        if deploy.commits
        else ""
    )
    instead = f" in place of {deploy.previous}" if deploy.previous else ""
    note = f": {deploy.note}" if deploy.note else ""
    return html.P(
        ["Brought by the deploy of ", html.Strong(deploy.release), f"{instead}{commits}{note}, at ",
         moment(deploy.ts_ms), " UTC."]
    )  # fmt: skip


def _endpoint(change: EndpointChange, scale: tuple[float, float], query: Query) -> Component:
    relative = humanise.relative_interval(change.relative)
    errors = (humanise.percent(rate) for rate in (change.error_rate_a, change.error_rate_b))
    return html.Tr(
        [
            html.Td(
                [
                    link(change.endpoint, href("/endpoint", Query(query.service, change.endpoint))),
                    _under(change.reason),
                ],
                className="dy-name dy-mono",
            ),
            html.Td(verdict_badge(change.verdict)),
            _moved(
                humanise.cost(change.cost_a, change.unit), humanise.cost(change.cost_b, change.unit)
            ),
            html.Td(
                [relative, _under(humanise.interval(change.difference, change.unit))],
                className="dy-number",
            ),
            html.Td(whisker(change.relative, scale, relative)),
            number(humanise.p_value(change.p_corrected)),
            _moved(humanise.count(change.requests_a), humanise.count(change.requests_b)),
            html.Td(
                [
                    humanise.moved(_ms(change.latency_ms_p99_a), _ms(change.latency_ms_p99_b)),
                    _under(f"{humanise.moved(*errors)} errors"),
                ],
                className="dy-number",
            ),
        ]
    )


def _function(
    change: FunctionChange, scale: tuple[float, float], is_guilty: bool, query: Query
) -> Component:
    rise = humanise.interval(change.difference, "cpu_ns")
    samples = humanise.moved(humanise.count(change.samples_a), humanise.count(change.samples_b))
    beneath = [f"{name} {humanise.per_request(more, 'cpu_ns')}" for name, more in change.beneath]
    what = [
        html.Span(_named(change, query), className="dy-mono dy-strong"),
        badge("look here first", "red") if is_guilty else None,
        _under(f"{origin_word(change.origin)} code in {change.endpoint}"),
        _under(f"{samples} samples"),
        _under(change.why) if change.why else None,
        _under(f"was {change.was}") if change.was else None,
        _under(f"its cost moved, with {change.moved_with}") if change.moved_with else None,
        # Of a function that did not change it is noise.
        _under(f"beneath it: {', '.join(beneath)}")
        if beneath and change.verdict != "no change"
        else None,
    ]
    return html.Tr(
        [
            html.Td([part for part in what if part is not None], className="dy-name"),
            html.Td(verdict_badge(change.verdict)),
            _cost(change.self_ns_a, change.self_ns_b, change.self_difference),
            _cost(change.inclusive_ns_a, change.inclusive_ns_b, change.inclusive_difference),
            number(rise),
            html.Td(whisker(change.difference, scale, rise)),
            number(humanise.percent(change.rise_share)),
            number(humanise.p_value(change.p_corrected)),
        ],
        className="dy-guilty" if is_guilty else "",
    )


def _named(change: FunctionChange, query: Query) -> Component:
    """The function's name; of own code it leads to its lines."""
    if change.origin != OWN:
        return html.Span(breakable(change.function))
    names = {"function": change.function, "was": change.was}
    return link(
        breakable(change.function), href("/function", query, endpoint=change.endpoint, **names)
    )


def _cost(before: float, after: float, rise: Interval) -> Component:
    """Old and new, with the interval of the difference beneath."""
    moved = humanise.moved(*map(humanise.duration_ns, (before, after)))
    return html.Td(
        [moved, _under(humanise.interval(rise, "cpu_ns")) if isfinite(rise.value) else None],
        className="dy-number",
    )


def _moved(before: str, after: str) -> Component:
    return number(humanise.moved(before, after))


def _under(text: str) -> Component:
    return html.Span(text, className="dy-dim dy-under")


def _ms(value: float) -> str:
    return humanise.duration_ns(value * 1e6)
