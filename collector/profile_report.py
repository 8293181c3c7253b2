"""A deep profile as people read it in a terminal, from the JSON of `records.Profile`."""

from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from collector.report import cost_text

__all__ = ["profile_report"]

ROWS_MAX = 30


def profile_report(found: dict[str, Any]) -> RenderableType:
    """Headline, then the dearest functions with the caller that they cost most for."""
    unit = found["unit"]
    headline = (
        f"{found['endpoint']}: {found['requests']} requests profiled, "
        f"{cost_text(found['cost'], unit)} each in {len(found['functions'])} functions"
    )
    parts: list[RenderableType] = [Text(headline), _functions(found)]
    if found["counted_cost"] is not None:
        counted = cost_text(found["counted_cost"], unit)
        parts.append(Text(f"requests without a profiler: {counted} each", style="dim"))
    left_out = len(found["functions"]) - ROWS_MAX
    if left_out > 0:
        parts.append(Text(f"{left_out} cheaper functions: --json shows them", style="dim"))
    return Group(*parts)


def _functions(found: dict[str, Any]) -> Table:
    unit = found["unit"]
    table = Table(title="Functions, per request", title_justify="left", expand=False)
    table.add_column("function", overflow="fold")
    for name in ("own", "share", "with callees", "calls"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("mostly called by", overflow="fold")
    for row in found["functions"][:ROWS_MAX]:
        table.add_row(
            escape(row["function"]),
            cost_text(row["cost_self"], unit),
            f"{row['self_share']:.1%}",
            cost_text(row["cost_inclusive"], unit),
            f"{row['calls']:,.6g}",
            escape(_main_caller(row["callers"])),
        )
    return table


def _main_caller(callers: list[dict[str, Any]]) -> str:
    if not callers or not callers[0]["caller"]:
        return ""
    more = len(callers) - 1
    first: str = callers[0]["caller"]
    return first + (f" and {more} more" if more else "")
