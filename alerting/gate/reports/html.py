"""The comparison as one file that needs nothing else."""

from html import escape

from alerting.gate.reports.words import (
    budget_words,
    cost_words,
    headline,
    measured_words,
    shown_verdict,
)
from profiler.gate.records import Changed, Comparison, EndpointVerdict

__all__ = ["html_report"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;
color:#1c2330;background:#fff}
h1{font-size:1.4rem}table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d9dee7}th{font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}code{font:13px ui-monospace,monospace}
.regression{color:#b3261e;font-weight:600}.unstable{color:#8a5a00}.pass,.improved{color:#1b6e3c}
.bar{background:#e4e8ef;height:.6rem;min-width:6rem}
.bar i{display:block;height:100%;background:#b3261e}
small{color:#5a6475}
@media(prefers-color-scheme:dark){body{color:#e2e6ee;background:#14181f}th,td{border-color:#333b48}
.bar{background:#333b48}.regression{color:#ff8a80}.pass,.improved{color:#7fd19b}.unstable{color:#f2c063}small{color:#9aa4b5}}
"""


def html_report(comparison: Comparison) -> str:
    """A page with its style inside, no script, nothing from elsewhere."""
    notes = [f"{one.endpoint}: {one.note}" for one in comparison.endpoints if one.note]
    notes += [f"possible cause beside the code: {cause}" for cause in comparison.causes]
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>dynoscope gate: {escape(comparison.verdict)}</title>"
        f"<style>{STYLE}</style></head><body>"
        f"<h1>{escape(headline(comparison))}</h1>"
        "<table><tr><th>endpoint</th><th>verdict</th>"
        + "".join(
            f'<th class="n">{word}</th>'
            for word in ("before", "after", "change", "interval 99%", "budget")
        )
        + "</tr>"
        + "".join(map(_row, comparison.endpoints))
        + "</table>"
        + "".join(map(_functions, comparison.endpoints))
        + (f"<ul>{listed}</ul>" if listed else "")
        + f"<p><small>{escape(measured_words(comparison))}</small></p></body></html>\n"
    )


def _row(one: EndpointVerdict) -> str:
    numbers = ["-"] * 4
    if one.layouts:
        numbers = [
            cost_words(one.before),
            cost_words(one.after),
            f"{one.rise:+.2%}",
            f"{one.low:+.2%} to {one.high:+.2%}",
        ]
    cells = "".join(f'<td class="n">{number}</td>' for number in [*numbers, budget_words(one)])
    return (
        f"<tr><td><code>{escape(one.endpoint)}</code></td>"
        f'<td class="{one.verdict}">{escape(shown_verdict(one))}</td>{cells}</tr>'
    )


def _functions(one: EndpointVerdict) -> str:
    if not one.functions:
        return ""
    return (
        f"<h2><code>{escape(one.endpoint)}</code>: the functions that rose</h2>"
        '<table><tr><th>function</th><th>share of the rise</th><th class="n">calls a request</th>'
        '<th class="n">with callees, before</th><th class="n">after</th><th>callers</th></tr>'
        + "".join(map(_function, one.functions))
        + "</table>"
    )


def _function(function: Changed) -> str:
    symbol = (
        f"<br><small>in C: <code>{escape(function.symbol)}</code></small>"
        if function.symbol
        else ""
    )
    width = max(0, min(100, round(function.share * 100)))
    callers = "<br>".join(f"<code>{escape(caller)}</code>" for caller in function.callers) or "-"
    return (
        f"<tr><td><code>{escape(function.name)}</code>{symbol}</td>"
        f'<td>{function.share:.0%}<div class="bar"><i style="width:{width}%"></i></div></td>'
        f'<td class="n">{function.calls_before:g} &rarr; {function.calls_after:g}</td>'
        f'<td class="n">{cost_words(function.inclusive_before)}</td>'
        f'<td class="n">{cost_words(function.inclusive_after)}</td><td>{callers}</td></tr>'
    )
