"""Is the platform itself well: what is stored, how fresh it is, which limits were hit?"""

from collections.abc import Mapping
from dataclasses import dataclass

from collector.answers.limits import limits_hit
from collector.answers.records import Answer, Window
from collector.store import answer_reads
from collector.store.retention import KEEP_DAYS, days_held
from collector.store.store import Store

__all__ = ["Health", "TableSize", "health"]


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table of the store; bytes on disk."""

    table: str
    rows: int
    bytes: int
    #: its oldest day, such as 2026-01-31; empty: it has no days
    oldest_day: str
    #: how many days it is kept beside today; 0: for good
    keep_days: int


@dataclass(frozen=True, slots=True)
class Health:
    """`lag_s`: age of the newest request at the end of the window; nan without any."""

    tables: tuple[TableSize, ...]
    bytes: int
    lag_s: float


def health(store: Store, window: Window, keep: Mapping[str, int] = KEEP_DAYS) -> Answer[Health]:
    """Sizes and ages of the store, freshness of its data, limits hit in the window."""
    oldest = {table: str(days[0]) for table, days in days_held(store).items()}
    sizes = tuple(
        TableSize(name, row["rows"], row["bytes"], oldest.get(name, ""), keep.get(name, 0))
        for row in answer_reads.table_sizes(store).to_pylist()
        for name in [row["name"]]
    )
    newest_ms = max(answer_reads.services(store)["last_seen_ms"].to_pylist(), default=0)
    lag_s = (window.to_ms - newest_ms) / 1000 if newest_ms else float("nan")
    return Answer(
        data=Health(sizes, sum(size.bytes for size in sizes), lag_s),
        as_of_ms=newest_ms,
        limits=limits_hit(store, window),
    )
