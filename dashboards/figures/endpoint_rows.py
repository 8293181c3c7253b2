"""Endpoints as rows and columns of a grid."""

from collections.abc import Sequence
from typing import Any

from collector.answers.records import EndpointRow
from dashboards import humanise
from dashboards.figures.columns import bar, linked, number
from dashboards.urls import Query, href

__all__ = ["ENDPOINT_COLUMNS", "endpoint_rows"]

ENDPOINT_COLUMNS: tuple[dict[str, Any], ...] = (
    linked("endpoint", "Endpoint", flex=3, min_width=280),
    bar("cost_share", "Share of cost"),
    number("per_s", "Requests/s", min_width=125),
    number("cost", "Cost per request", min_width=140),
    number("cpu_cores", "CPU cores"),
    number("latency_ms_p50", "P50"),
    number("latency_ms_p99", "P99"),
    number("error_rate", "Errors"),
    number("db_ms", "Database", min_width=115),
    number("cache_ms", "Cache"),
)

NS_PER_MS = 1e6


def endpoint_rows(rows: Sequence[EndpointRow], query: Query) -> list[dict[str, Any]]:
    """A grid row for each endpoint, kind and unit: numbers to sort by, `<name>_text` to read."""
    return [_row(row, query) for row in rows]


def _row(row: EndpointRow, query: Query) -> dict[str, Any]:
    values = {
        "per_s": row.per_s,
        "cost": row.cost,
        "cost_share": row.cost_share,
        "cpu_cores": row.cpu_cores,
        "latency_ms_p50": row.latency_ms_p50,
        "latency_ms_p99": row.latency_ms_p99,
        "error_rate": row.error_rate,
        "db_ms": row.db_ms,
        "cache_ms": row.cache_ms,
    }
    texts = {
        "per_s": humanise.rate(row.per_s),
        "cost": humanise.cost(row.cost, row.cost_unit),
        "cost_share": humanise.percent(row.cost_share),
        "cpu_cores": humanise.number(row.cpu_cores),
        "error_rate": humanise.percent(row.error_rate),
    } | {
        name: humanise.duration_ns(values[name] * NS_PER_MS)
        for name in ("latency_ms_p50", "latency_ms_p99", "db_ms", "cache_ms")
    }
    return {
        "id": f"{row.endpoint} {row.kind} {row.cost_unit}",
        "endpoint": row.endpoint,
        "href": href("/endpoint", query, endpoint=row.endpoint),
        **{name: value if value == value else None for name, value in values.items()},
        **{f"{name}_text": text for name, text in texts.items()},
    }
