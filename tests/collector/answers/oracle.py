"""The answers' numbers by plain loops over the rows that were sent."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

Row = dict[str, Any]


def rows_of(*tables: pa.Table, start_ms: int = 0, end_ms: int = 2**63) -> list[Row]:
    """Rows within [start_ms, end_ms)."""
    return [
        row for table in tables for row in table.to_pylist() if start_ms <= row["ts_ms"] < end_ms
    ]


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def alive(rows: Iterable[Row]) -> list[Row]:
    """Those with a cost: not killed."""
    return [row for row in rows if row["outcome"] != "killed"]


def failed(rows: Iterable[Row]) -> int:
    return sum(row["status"] >= 500 or row["outcome"] in ("error", "killed") for row in rows)


def mean(rows: list[Row], name: str) -> float:
    return float(sum(row[name] for row in rows) / len(rows))


def quantile_ms(rows: list[Row], share: float) -> float:
    """The exact quantile of wall time, ms."""
    ordered = sorted(row["wall_ns"] for row in rows)
    return float(ordered[max(math.ceil(share * len(ordered)), 1) - 1] / 1e6)
