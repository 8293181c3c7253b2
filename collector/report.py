"""A comparison as people read it in a terminal, from the JSON of `records.Comparison`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from profiler.records import FlameGraph
from profiler.vocabulary import ORIGINS

__all__ = ["COLOURS", "comparison_report", "cost_text", "flame_of"]

COLOURS = {"regression": "bold red", "improvement": "green", "no change": "", "cannot tell": "dim"}
ROWS_MAX = 10
SI = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def comparison_report(found: dict[str, Any]) -> RenderableType:
    """Headline, deploy, endpoints, functions, fleet, evidence: in the order in which people ask."""
    parts: list[RenderableType] = [
        Text(found["headline"], style=COLOURS.get(found["verdict"], "")),
        *_deploy(found["deploy"]),
        _endpoints(found["endpoints"]),
    ]
    if found["functions"]:
        parts.append(_functions(found["functions"], found["guilty"]))
    parts += [_fleet(change) for change in found["fleet"]]
    parts += [_warm_up(one) for one in found["warm_up"]]
    parts.append(Text(_evidence(found["evidence"]), style="dim"))
    parts += [Text(f"note: {note}", style="dim") for note in found["notes"]]
    return Group(*parts)


def cost_text(value: float | None, unit: str, *, sign: bool = False) -> str:
    """12.3 ms, 61.2 M instructions; `-` where nothing is known."""
    if value is None:
        return "-"
    plus = "+" if sign else ""
    if unit != "cpu_ns":
        size, name = next((pair for pair in SI if abs(value) >= pair[0]), SI[-1])
        return f"{value / size:{plus}.3g} {name} {unit}".replace("  ", " ")
    for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if abs(value) >= size:
            return f"{value / size:{plus}.3g} {name}"
    return f"{value:{plus}.0f} ns"


def _deploy(deploy: dict[str, Any] | None) -> Iterable[RenderableType]:
    if deploy is None:
        return
    when = datetime.fromtimestamp(deploy["ts_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    commits = ", ".join(deploy["commits"]) or "no commits recorded"
    line = f"deploy of {deploy['release']} at {when} ({commits}) {deploy['note']}"
    yield Text(line.rstrip())


def _endpoints(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Endpoints, CPU per request", title_justify="left", expand=False)
    table.add_column("endpoint", no_wrap=True)
    for name in ("old", "new", "change", "95% interval", "p", "requests"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    order = {"regression": 0, "improvement": 1, "cannot tell": 3}
    ranked = sorted(rows, key=lambda row: (order.get(row["verdict"], 2), -row["requests_b"]))
    for row in ranked[:ROWS_MAX]:
        relative, style = row["relative"], COLOURS.get(row["verdict"], "")
        table.add_row(
            escape(row["endpoint"]),
            cost_text(row["cost_a"], row["unit"]),
            cost_text(row["cost_b"], row["unit"]),
            _percent(relative["value"]),
            f"{_percent(relative['low'])} to {_percent(relative['high'])}",
            _p(row["p_corrected"]),
            f"{row['requests_a']} / {row['requests_b']}",
            f"[{style}]{row['verdict']}[/]" if style else row["verdict"],
        )
    return table


def _functions(rows: list[dict[str, Any]], guilty: dict[str, Any] | None) -> Table:
    table = Table(title="Functions, CPU per request", title_justify="left", expand=False)
    table.add_column("function", no_wrap=True)
    for name in ("old", "new", "change", "95% interval", "share of rise", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("code")
    for row in rows[:ROWS_MAX]:
        spread = row["difference"]
        style = "bold red" if row == guilty else ""
        table.add_row(
            escape(_function_name(row)),
            cost_text(row["inclusive_ns_a"], "cpu_ns"),
            cost_text(row["inclusive_ns_b"], "cpu_ns"),
            cost_text(spread["value"], "cpu_ns", sign=True),
            f"{cost_text(spread['low'], 'cpu_ns', sign=True)} to "
            f"{cost_text(spread['high'], 'cpu_ns', sign=True)}",
            "-" if row["rise_share"] is None else f"{row['rise_share']:.0%}",
            _p(row["p_corrected"]),
            ORIGINS[row["origin"]] if row["verdict"] != "moved" else "moved, not risen",
            style=style,
        )
    return table


def _function_name(row: dict[str, Any]) -> str:
    was = f" (was {row['was']})" if row["was"] else ""
    moved = f" (moved: {row['moved_with']})" if row["moved_with"] else ""
    return f"{row['function']}{was}{moved}"


def _fleet(change: dict[str, Any]) -> Text:
    unit = change["unit"]
    named = [("traffic", "traffic"), ("mix", "mix")]
    if change["within"]:
        named.append((f"mix within endpoints (by {change['within']})", "mix_within"))
    named.append(("cost per request", "cost"))
    parts = ", ".join(f"{name} {cost_text(change[key], unit, sign=True)}" for name, key in named)
    total = change["per_s_b"] - change["per_s_a"]
    lines = [f"fleet: {cost_text(total, unit, sign=True)} each second = {parts}"]
    if change["servers"] is not None:
        money = change["money_per_year"]
        worth = f", {money:+,.0f} a year" if money is not None else ""
        lines.append(
            f"in servers: {change['servers']:+.2f}, by cost per request "
            f"{change['servers_by_cost']:+.2f}{worth}"
        )
    if peak := change["peak"]:
        lines.append(
            f"cost per active user in the busiest minute: {cost_text(peak['per_user_a'], unit)} "
            f"({peak['users_a']} users) to {cost_text(peak['per_user_b'], unit)} "
            f"({peak['users_b']}), {_percent(peak['relative'])}"
        )
    return Text("\n".join(lines))


def _warm_up(found: dict[str, Any]) -> Text:
    spread, unit = found["difference"], found["unit"]
    low, value, high = (cost_text(spread[key], unit, sign=True) for key in ("low", "value", "high"))
    each = [cost_text(found[f"per_restart_{side}"], unit) for side in "ab"]
    return Text(
        f"warm-up, apart: {value} per young request ({low} to {high}); {found['restarts_a']} and "
        f"{found['restarts_b']} restarts at {each[0]} and {each[1]} more each",
        style="dim",
    )


def _evidence(seen: dict[str, Any]) -> str:
    return (
        f"rests on {seen['requests_a']} and {seen['requests_b']} requests, {seen['samples_a']} and "
        f"{seen['samples_b']} stack samples, {seen['hosts']} hosts, {seen['windows']} windows of "
        f"{seen['window_s']:g} s; unit of error: {seen['unit_of_error']}"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def flame_of(data: dict[str, Any]) -> FlameGraph:
    """The record, out of the API's JSON."""
    columns = ("name", "parent", "origin", "share_a", "share_b", "mark")
    return FlameGraph(**{**data, **{name: tuple(data[name]) for name in columns}})
