"""What was changed: deploys, flags, configuration?"""

from collector.answers.records import Answer, Change, Window
from collector.store import answer_reads
from collector.store.store import Store, truncated

__all__ = ["changes"]


def changes(store: Store, window: Window, service: str = "") -> Answer[tuple[Change, ...]]:
    """Changes in the window, oldest first; an empty service means all."""
    table = answer_reads.changes(store, window, service)
    rows = tuple(
        Change(
            ts_ms=row["ts_ms"],
            service=row["service"],
            kind=row["kind"],
            release=row["release"],
            previous=row["previous"],
            commits=tuple(row["commits"]),
            changed_functions=tuple(row["changed_functions"]),
            note=row["note"],
        )
        for row in table.to_pylist()
    )
    return Answer(data=rows, truncated=truncated(table), as_of_ms=rows[-1].ts_ms if rows else 0)
