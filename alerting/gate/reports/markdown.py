"""The comparison as a pull-request comment."""

from alerting.gate.reports.words import (
    budget_words,
    cost_words,
    headline,
    measured_words,
    shown_verdict,
)
from profiler.gate.records import Changed, Comparison, EndpointVerdict

__all__ = ["markdown_report"]

MARKS = {"pass": "\u2705", "regression": "\u274c", "unanswered": "\u2753"}
#: The comment of the run before is found by this and replaced.
MARKER = "<!-- dynoscope gate -->"


def markdown_report(comparison: Comparison) -> str:
    """GitHub's Markdown; names are escaped."""
    lines = [
        MARKER,
        f"### {MARKS[comparison.verdict]} {_plain(headline(comparison))}",
        "",
        "| endpoint | verdict | before | after | change | interval 99% | budget |",
        "| --- | --- | ---: | ---: | ---: | --- | ---: |",
        *(_row(one) for one in comparison.endpoints),
        "",
    ]
    for one in comparison.endpoints:
        lines += _functions(one)
    lines += [
        f"- {_plain(one.endpoint)}: {_plain(one.note)}" for one in comparison.endpoints if one.note
    ]
    lines += [f"- possible cause beside the code: {_plain(cause)}" for cause in comparison.causes]
    lines += ["", f"<sub>{_plain(measured_words(comparison))}</sub>", ""]
    return "\n".join(lines)


def _row(one: EndpointVerdict) -> str:
    cells = [_code(one.endpoint), shown_verdict(one)]
    if one.layouts:
        cells += [
            cost_words(one.before),
            cost_words(one.after),
            f"{one.rise:+.2%}",
            f"{one.low:+.2%} to {one.high:+.2%}",
        ]
    else:
        cells += ["-", "-", "-", "-"]
    return "| " + " | ".join([*cells, budget_words(one)]) + " |"


def _functions(one: EndpointVerdict) -> list[str]:
    if not one.functions:
        return []
    return [
        f"**{_code(one.endpoint)}**: the functions that rose",
        "",
        "| function | share of the rise | calls a request | with callees | callers |",
        "| --- | ---: | ---: | ---: | --- |",
        *(_function_row(function) for function in one.functions),
        "",
    ]


def _function_row(function: Changed) -> str:
    symbol = f" (in C: {_code(function.symbol)})" if function.symbol else ""
    callers = ", ".join(_code(caller) for caller in function.callers) or "-"
    before, after = cost_words(function.inclusive_before), cost_words(function.inclusive_after)
    return (
        f"| {_code(function.name)}{symbol} | {function.share:.0%} "
        f"| {function.calls_before:g} \u2192 {function.calls_after:g} "
        f"| {before} \u2192 {after} | {callers} |"
    )


def _code(text: str) -> str:
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(
            mark, "\\" + mark if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark]
        )
    return text.replace("\n", " ")
