"""Which limits were hit: every answer carries them."""

from collector.answers.records import LimitRow, Window
from collector.store import answer_reads
from collector.store.store import Store

__all__ = ["limits_hit"]


def limits_hit(store: Store, window: Window, service: str = "") -> tuple[LimitRow, ...]:
    """Limits hit by any part in the window, summed over hosts, most hits first."""
    hits: dict[tuple[str, str], int] = {}
    for row in answer_reads.limit_hits(store, window, service).to_pylist():
        key = (row["where"], row["what"])
        hits[key] = hits.get(key, 0) + row["hits"]
    ordered = sorted(hits.items(), key=lambda item: (-item[1], item[0]))
    return tuple(LimitRow(where, what, count) for (where, what), count in ordered)
