"""Which limits were hit: every answer carries them."""

from collections.abc import Iterable
from typing import Any

from collector.answers.records import LimitRow, Window
from collector.store import answer_reads
from collector.store.store import Store

__all__ = ["limits_hit", "summed"]


def limits_hit(store: Store, window: Window, service: str = "") -> tuple[LimitRow, ...]:
    """Limits hit by any part in the window, summed over hosts, most hits first."""
    return summed(answer_reads.limit_hits(store, window, service).to_pylist())


def summed(rows: Iterable[dict[str, Any]]) -> tuple[LimitRow, ...]:
    """The same out of rows of hosts."""
    hits: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["where"], row["what"])
        hits[key] = hits.get(key, 0) + row["hits"]
    ordered = sorted(hits.items(), key=lambda item: (-item[1], item[0]))
    return tuple(LimitRow(where, what, count) for (where, what), count in ordered)
