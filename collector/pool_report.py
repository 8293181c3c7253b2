"""Advice and capacity as people read them in a terminal, from the API's JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

__all__ = ["advice_report", "capacity_report"]

NOTHING = "no requests in the window: name another with --window, or a service with --service"
COLOURS = {"change": "bold", "keep": "green", "not measured": "dim"}


def advice_report(hosts: list[dict[str, Any]]) -> RenderableType:
    """A table a host: setting, what to write, why; the numbers beneath each."""
    if not hosts:
        return Text(NOTHING)
    return Group(*(part for host in hosts for part in _host(host)))


def _host(host: Mapping[str, Any]) -> Iterable[RenderableType]:
    title = f"{host['service']} on {host['host']}, from {host['requests']:,} requests"
    table = Table(title=escape(title), title_justify="left")
    table.add_column("setting", no_wrap=True)
    table.add_column("write", no_wrap=True)
    table.add_column("because")
    for one in host["advice"]:
        numbers = ", ".join(
            f"{name} {value:.4g}" for name, value in one["numbers"].items() if value is not None
        )
        style = COLOURS.get(one["state"], "")
        because = Text(one["reason"]) + Text(f"\n{numbers}" if numbers else "", style="dim")
        table.add_row(escape(one["setting"]), escape(one["line"] or one["state"]), because)
        table.rows[-1].style = style
    yield table


def capacity_report(hosts: list[dict[str, Any]]) -> RenderableType:
    """A row a host, and the sentence beneath."""
    if not hosts:
        return Text(NOTHING)
    first = hosts[0]
    table = Table(
        title=f"requests/s until P{100 * first['share']:g} leaves {first['limit_ms']:g} ms",
        title_justify="left",
    )
    table.add_column("host", no_wrap=True)
    for name in ("about", "at most", "now", "busiest minute", "full"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("bottleneck")
    for host in hosts:
        names = ("per_s", "per_s_most", "per_s_now", "per_s_peak")
        full = "-" if host["utilization"] is None else f"{host['utilization']:.0%}"
        table.add_row(
            escape(host["host"]), *(_rate(host[name]) for name in names), full, host["bottleneck"]
        )
    return Group(table, *(Text(host["says"]) for host in hosts))


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3g}"
