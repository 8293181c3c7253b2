"""A canary's answer as people read it in a terminal, from the JSON of `canary_records.Canary`."""

from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from collector.report import cost_text

__all__ = ["canary_report"]

COLOURS = {"regression": "bold red", "pass": "green", "waiting": "", "cannot tell": "dim"}
ROWS_MAX = 30
ENDPOINTS_MAX = 10
RELATIVE = ("cost", "memory")


def canary_report(found: dict[str, Any]) -> RenderableType:
    """Headline, measures (worst first), endpoints, how sure."""
    parts: list[RenderableType] = [Text(found["headline"], style=COLOURS.get(found["verdict"], ""))]
    if found["measures"]:
        parts.append(_measures(found["measures"]))
    if found["endpoints"]:
        parts.append(_endpoints(found["endpoints"]))
    parts.append(Text(_evidence(found), style="dim"))
    parts += [Text(f"note: {note}", style="dim") for note in found["notes"]]
    return Group(*parts)


def _measures(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="At the same minutes", title_justify="left", expand=False)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("measure")
    for name in ("control", "canary", "rise", "interval", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    order = {"regression": 0, "cannot tell": 1}
    for row in sorted(rows, key=lambda row: order.get(row["verdict"], 2))[:ROWS_MAX]:
        style = COLOURS.get(row["verdict"], "")
        table.add_row(
            escape(row["endpoint"]),
            f"status {row['measure']}" if row["measure"].isdigit() else row["measure"],
            _value(row, "control"),
            _value(row, "canary"),
            _rise(row, "rise"),
            f"{_rise(row, 'low')} to {_rise(row, 'high')}",
            _rise(row, "limit"),
            f"[{style}]{row['verdict']}[/]" if style else row["verdict"],
        )
    return table


def _value(row: dict[str, Any], key: str) -> str:
    value = row[key]
    if value is None:
        return "-"
    if row["unit"] == "share":
        return f"{value:.2%}"
    return f"{value / 1e6:.1f} MB" if row["unit"] == "bytes" else cost_text(value, row["unit"])


def _rise(row: dict[str, Any], key: str) -> str:
    value = row[key]
    if value is None:
        return "-"
    return f"{value:+.1%}" if row["measure"] in RELATIVE else f"{value * 100:+.2f} points"


def _endpoints(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Control / canary", title_justify="left", expand=False)
    table.add_column("endpoint", no_wrap=True)
    for name in ("requests", "P50 ms", "P99 ms", "errors", "status codes"):
        table.add_column(name, justify="right")
    ranked = sorted(rows, key=lambda row: -row["requests_canary"])
    for row in ranked[:ENDPOINTS_MAX]:
        codes = (
            f"{status} {_percent(control)} / {_percent(canary)}"
            for status, canary, control in row["statuses"]
        )
        table.add_row(
            escape(row["endpoint"]),
            f"{row['requests_control']} / {row['requests_canary']}",
            _pair(row, "latency_ms_p50", "{:.1f}"),
            _pair(row, "latency_ms_p99", "{:.1f}"),
            _pair(row, "error_rate", "{:.2%}"),
            ", ".join(codes),
        )
    return table


def _pair(row: dict[str, Any], key: str, form: str) -> str:
    both = (row[f"{key}_control"], row[f"{key}_canary"])
    return " / ".join("-" if value is None else form.format(value) for value in both)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _evidence(found: dict[str, Any]) -> str:
    units = sorted({row["unit_of_error"] for row in found["measures"]} - {""})
    only = "; these hosts only" if "window" in units else ""
    return (
        f"look {found['look']} of {found['looks']}, {found['seen_s']:.0f} of {found['for_s']:.0f} s"
        f"; {found['hosts_canary']} canary and {found['hosts_control']} control hosts; unit of "
        f"error: {' and '.join(units) or 'none'}{only}; error rate {found['alpha']:.0%} over all "
        f"looks and measures, {found['level']:.1%} at this one; {found['warmup_requests']} warm-up "
        "requests set apart from cost and latency"
    )
