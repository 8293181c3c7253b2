"""The end of a story as people read it."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo_stack.checks import FEED, Check
from demo_stack.story import Outcome

__all__ = ["story_report"]

#: Below this, waiting for a core is not taken for work.
MACHINE_CPU_MAX = 0.7


def story_report(outcome: Outcome, address: str | None) -> RenderableType:
    """What was found, what was delivered, which checks held, and where to look if it stays up."""
    seen = outcome.seen
    parts = [
        _finding(seen.comparison),
        _alerts(seen.alerts, seen.deploy_ms),
        _checks(outcome.checks),
        Text(_machine(outcome.machine_cpu, seen.load)),
    ]
    if address is not None:
        parts.append(Text(f"Look around: {address}\nEnd it: dynoscope demo down"))
    return Group(*parts)


def _finding(comparison: dict[str, Any]) -> RenderableType:
    lines = Text(comparison["headline"], style="bold")
    deploy, guilty = comparison["deploy"], comparison["guilty"]
    feed = next((row for row in comparison["endpoints"] if row["endpoint"] == FEED), None)
    if feed is not None:
        relative = feed["relative"]
        lines.append(
            f"\nendpoint  {FEED}: {_cost(feed['cost_a'], feed['unit'])} -> "
            f"{_cost(feed['cost_b'], feed['unit'])} per request, {relative['value']:+.1%} "
            f"(95% interval {_percent(relative['low'])} to {_percent(relative['high'])})",
            style="not bold",
        )
    if guilty is not None:
        lines.append(
            f"\nfunction  {guilty['function']}: {guilty['rise_share']:.0%} of the rise",
            style="not bold",
        )
    if deploy is not None:
        lines.append(
            f"\ndeploy    {deploy['previous']} -> {deploy['release']}, {deploy['note']}",
            style="not bold",
        )
    title = f"{comparison['b']} against {comparison['a']}".replace(":", " ")
    return Panel(lines, title=title, title_align="left")


def _alerts(alerts: Iterable[dict[str, Any]], deploy_ms: int) -> RenderableType:
    table = Table(title="Alerts delivered to the receiver", title_justify="left", box=None)
    table.add_column("from deploy", justify="right")
    table.add_column("state")
    table.add_column("what", overflow="fold")
    for entry in alerts:
        alert = entry["alert"]
        table.add_row(
            f"{(entry['arrived_ms'] - deploy_ms) / 1000:+.0f} s",
            Text(str(alert.get("state"))),
            Text(f"{alert.get('rule')}: {_summary(alert)}"),
        )
    return table if table.row_count else Text("No alert was delivered.")


def _summary(alert: dict[str, Any]) -> str:
    """What it says; a resolved alert repeats what it said when it fired, which stands above."""
    text = str(alert.get("summary"))
    return text.partition(": ")[0] + "." if alert.get("state") == "resolved" else text


def _checks(checks: Iterable[Check]) -> RenderableType:
    table = Table(title="Checks", title_justify="left", box=None)
    for name in ("", "what", "seen"):
        table.add_column(name, overflow="fold")
    for check in checks:
        mark = Text("held", "green") if check.held else Text("FAILED", "bold red")
        table.add_row(mark, Text(check.what), Text(check.seen))
    return table


def _machine(share: float, load: dict[str, Any]) -> str:
    text = (
        f"{load['requests']:,} requests in {load['seconds']:.0f} s, {load['failures']} failed; "
        f"the machine was {share:.0%} busy"
    )
    if share > MACHINE_CPU_MAX:
        text += f", above {MACHINE_CPU_MAX:.0%}: other work on it may have blurred the figures"
    return text + "."


def _cost(value: float, unit: str) -> str:
    return f"{value / 1e6:.2f} ms of CPU" if unit == "cpu_ns" else f"{value:,.0f} {unit}"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.1%}"
