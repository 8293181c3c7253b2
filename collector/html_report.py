"""A comparison as one HTML file: nothing is loaded, no server is needed to read it."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from collector.report import cost_text, flame_of
from profiler.formats.svg import flame_svg
from profiler.vocabulary import ORIGINS

__all__ = ["comparison_html"]

ROWS_MAX = 50
STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 24px auto; max-width: 1200px; padding: 0 12px;
  color: #1b1b1b; background: #fff; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 28px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 4px 8px; border-bottom: 1px solid #ddd; vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; } code { overflow-wrap: anywhere; }
.regression { color: #b00020; font-weight: 600; } .improvement { color: #00695c; }
.dim { color: #666; } tr.guilty { background: #fdecea; } input { padding: 4px; width: 260px; }
svg g.off { opacity: 0.25; }
"""
SCRIPT = """
document.querySelectorAll("input[data-search]").forEach((input) => {
  input.addEventListener("input", () => {
    const word = input.value.trim().toLowerCase();
    document.querySelectorAll("svg g").forEach((g) => g.classList.toggle(
      "off", word !== "" && !g.dataset.name.toLowerCase().includes(word)));
  });
});
"""


def comparison_html(answer: Mapping[str, Any], flame: Mapping[str, Any] | None) -> str:
    """`answer`, `flame`: the JSON of /v1/compare and, of both sides, /v1/flamegraph."""
    found = answer["data"]
    title = f"{found['service']}: {found['a']} to {found['b']}"
    parts = [
        f"<h1>{_text(title)}</h1>",
        f'<p class="{_class(found["verdict"])}">{_text(found["verdict"])}</p>',
        f"<p>{_text(found['headline'])}</p>",
        _notes(found["notes"]),
        "<h2>The fleet</h2>",
        *(_fleet(change) for change in found["fleet"]),
        "<h2>Endpoints, CPU per request</h2>",
        _endpoints(found["endpoints"]),
        "<h2>Functions, CPU time per request</h2>",
        _functions(found["functions"], found["guilty"]),
        *_flames(flame, found),
        "<h2>Evidence</h2>",
        _evidence(found["evidence"], answer.get("as_of")),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>"
        f"{''.join(parts)}<script>{SCRIPT}</script></body></html>\n"
    )


def _text(value: object) -> str:
    return escape(str(value))


def _class(verdict: str) -> str:
    return verdict if verdict in ("regression", "improvement") else "dim"


def _notes(notes: Iterable[str]) -> str:
    return "".join(f'<p class="dim">{_text(note)}</p>' for note in notes)


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    cells = "".join(
        f'<th class="n">{_text(one[1:])}</th>' if one[0] == ">" else f"<th>{_text(one)}</th>"
        for one in head
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(cells: Iterable[tuple[str, bool]], css: str = "") -> str:
    inside = "".join(
        f'<td class="n">{_text(text)}</td>' if number else f"<td>{_text(text)}</td>"
        for text, number in cells
    )
    return f'<tr class="{css}">{inside}</tr>'


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _p(value: float | None) -> str:
    return "-" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _span(spread: Mapping[str, float | None], unit: str) -> str:
    value, low, high = (cost_text(spread[k], unit, sign=True) for k in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _fleet(change: Mapping[str, Any]) -> str:
    unit = change["unit"]
    parts = [("traffic", "traffic"), ("mix of endpoints", "mix")]
    if change["within"]:
        parts.append((f"mix within endpoints ({change['within']})", "mix_within"))
    parts.append(("cost per request", "cost"))
    total = change["per_s_b"] - change["per_s_a"]
    rows = [
        _row([(name, False), (cost_text(change[k], unit, sign=True), True)]) for name, k in parts
    ]
    rows.append(_row([("all, each second", False), (cost_text(total, unit, sign=True), True)]))
    if change["servers"] is not None:
        rows.append(_row([("servers, in all", False), (f"{change['servers']:+.2f}", True)]))
        by_cost = f"{change['servers_by_cost']:+.2f}"
        rows.append(_row([("servers, by cost per request", False), (by_cost, True)]))
    if change["money_per_year"] is not None:
        rows.append(_row([("money a year", False), (f"{change['money_per_year']:+,.0f}", True)]))
    if peak := change["peak"]:
        costs = [cost_text(peak[f"per_user_{side}"], unit) for side in "ab"]
        said = f"{costs[0]} to {costs[1]} ({_percent(peak['relative'])})"
        rows.append(_row([("per active user at the peak minute", False), (said, True)]))
    return _table((unit, ">change"), rows)


def _endpoints(rows: Iterable[Mapping[str, Any]]) -> str:
    head = ("endpoint", "verdict", ">old", ">new", ">change", ">95% interval", ">p", ">errors",
            ">P99, ms", ">requests")  # fmt: skip
    return _table(head, [_endpoint(row) for row in list(rows)[:ROWS_MAX]])


def _endpoint(row: Mapping[str, Any]) -> str:
    relative, unit = row["relative"], row["unit"]
    return _row(
        [
            (row["endpoint"], False),
            (f"{row['verdict']}: {row['reason']}", False),
            (cost_text(row["cost_a"], unit), True),
            (cost_text(row["cost_b"], unit), True),
            (_percent(relative["value"]), True),
            (f"{_percent(relative['low'])} to {_percent(relative['high'])}", True),
            (_p(row["p_corrected"]), True),
            (f"{row['error_rate_a'] or 0:.2%} / {row['error_rate_b'] or 0:.2%}", True),
            (f"{row['latency_ms_p99_a'] or 0:.0f} / {row['latency_ms_p99_b'] or 0:.0f}", True),
            (f"{row['requests_a']} / {row['requests_b']}", True),
        ],
        _class(row["verdict"]),
    )


def _functions(rows: Iterable[Mapping[str, Any]], guilty: Mapping[str, Any] | None) -> str:
    head = ("function", "verdict", ">rise, 95% interval", ">self", ">with callees", ">p", "code")
    shown = [_function(row, row == guilty) for row in list(rows)[:ROWS_MAX]]
    return _table(head, shown) if shown else '<p class="dim">No function can be compared.</p>'


def _function(row: Mapping[str, Any], is_guilty: bool) -> str:
    name = row["function"] + (f" (was {row['was']})" if row["was"] else "")
    verdict = row["verdict"] + (f", with {row['moved_with']}" if row["moved_with"] else "")
    if row["why"]:
        verdict = f"{verdict}: {row['why']}"
    return _row(
        [
            (name, False),
            (f"look here first; {verdict}" if is_guilty else verdict, False),
            (_span(row["difference"], "cpu_ns"), True),
            (_span(row["self_difference"], "cpu_ns"), True),
            (_span(row["inclusive_difference"], "cpu_ns"), True),
            (_p(row["p_corrected"]), True),
            (ORIGINS[row["origin"]], False),
        ],
        "guilty" if is_guilty else "",
    )


def _flames(flame: Mapping[str, Any] | None, found: Mapping[str, Any]) -> list[str]:
    if flame is None or not flame["data"]["samples_a"] or not flame["data"]["samples_b"]:
        return []
    graph = flame_of(flame["data"])
    said = (
        "Width is the share of CPU time; red: a larger share than before, blue: a smaller one; "
        "dashed: new, or vanished."
    )
    if graph.pruned_share > 0.0005:
        said += f" {graph.pruned_share:.1%} in small frames is left out."
    return [
        "<h2>Difference flame graph</h2>",
        f'<p class="dim">{said} <input data-search placeholder="Search functions"></p>',
        f"<h3>{_text(found['b'])}</h3>",
        flame_svg(graph, "b"),
        f"<h3>{_text(found['a'])}</h3>",
        flame_svg(graph, "a"),
    ]


def _evidence(seen: Mapping[str, Any], as_of: str | None) -> str:
    words = {name.replace("_", " "): value for name, value in seen.items() if value is not None}
    if as_of:
        words["as of"] = as_of
    rows = [
        _row([(name, False), (f"{value:.4g}" if isinstance(value, float) else str(value), True)])
        for name, value in words.items()
    ]
    return _table(("what", ">how much"), rows)
