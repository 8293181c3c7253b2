"""Which services send data, from which hosts and regions, on which releases?"""

from collector.answers.records import Answer, ServiceRow
from collector.store import answer_reads, reads
from collector.store.store import Store

__all__ = ["services"]


def services(store: Store) -> Answer[tuple[ServiceRow, ...]]:
    """Every service by name; its releases in order of their first request."""
    rows = tuple(
        ServiceRow(
            service=row["service"],
            hosts=tuple(row["hosts"]),
            regions=tuple(row["regions"]),
            releases=tuple(reads.release_order(store, row["service"])["release"].to_pylist()),
            last_ms=row["last_seen_ms"],
        )
        for row in answer_reads.services(store).to_pylist()
    )
    return Answer(data=rows, as_of_ms=max((row.last_ms for row in rows), default=0))
