"""Every worker of the hosts: what the agent can do with it, what it cannot, and why."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from collector.answers.records import HostRow, WorkerRow
from dashboards import humanise
from dashboards.blocks.states import empty
from dashboards.blocks.table import number, table
from dashboards.blocks.text import badge

__all__ = ["worker_table"]

ROWS_MAX = 500
MB = 1 << 20


def worker_table(hosts: Sequence[HostRow], now_ms: int) -> Component:
    rows = [_row(host, one, now_ms) for host in hosts for one in host.each_worker]
    if not rows:
        return empty("No agent told of a worker in this time range.", "Does the app run?")
    head = (
        "Host", "Service", "Worker", "PID", "Release", "Python", "Busy", "RSS MB", "Own MB",
        "Newest request", "Stacks", "In the way", "Numbers",
    )  # fmt: skip
    numbers = ("Worker", "PID", "Busy", "RSS MB", "Own MB")
    return table(head, rows, ROWS_MAX, numbers=numbers)


def _row(host: HostRow, one: WorkerRow, now_ms: int) -> Component:
    known = one.metrics
    busy = known.get("uwsgi_busy_share", known.get("worker_busy_share"))
    items = [html.Li(f"{name} {humanise.number(value)}") for name, value in known.items()]
    return html.Tr(
        [
            html.Th(host.host, scope="row"),
            html.Td(host.service),
            number(str(one.worker)),
            number(str(one.pid) if one.pid else "?"),
            html.Td(one.release),
            html.Td(one.runtime),
            number(humanise.percent(busy) if busy is not None else humanise.DASH),
            number(_mb(known.get("worker_rss_bytes"))),
            number(_mb(known.get("worker_uss_bytes"))),
            html.Td(f"{humanise.span_s(one.idle_s)} ago" if one.idle_s >= 0 else humanise.DASH),
            html.Td(_stacks(one, now_ms)),
            html.Td([html.Div(why) for why in one.reason.split("; ")] if one.reason else "nothing"),
            html.Td(
                html.Details([html.Summary(f"{len(items)} numbers"), html.Ul(items)])
                if items
                else humanise.DASH
            ),
        ]
    )


def _stacks(one: WorkerRow, now_ms: int) -> Component | str:
    """When stacks were taken last, or what stands against it."""
    if one.permission == "no":
        return badge("no permission", "red")
    if one.thread_ids == "wrong":
        return badge("wrong thread ids", "red")
    return humanise.ago(one.profiled_ms, now_ms) if one.profiled_ms else "not yet"


def _mb(value: float | None) -> str:
    return humanise.DASH if value is None else humanise.number(value / MB)
