"""Checks and stores batches, small ones that wait together; each is taken or refused for itself."""

from collections.abc import Sequence

import pyarrow as pa

from collector.batches import check_values
from collector.errors import Refused
from collector.groups import Groups
from collector.meters import Meters
from collector.store.errors import StoreError
from collector.store.extents import Batch
from collector.store.store import Store

__all__ = ["Intake"]

#: table, day, shard, whether it may be stored already
Kind = tuple[str, int, int, bool]


class Intake:
    """Safe to use from many threads. `at_once`: how many inserts are under way at most."""

    def __init__(self, store: Store, meters: Meters, at_once: int) -> None:
        self._store = store
        self._meters = meters
        self._groups = Groups[Kind, Batch, Refused | StoreError | None](self._take, at_once)

    def take(self, table: str, batch: Batch) -> None:
        """Store a batch whose columns and times are checked.

        Raises Refused for its values, StoreError where it is to be sent again later.
        """
        kind = (table, *self._store.group_of(batch))
        error = self._groups.outcome(kind, batch.id, batch, batch.rows.num_rows)
        if isinstance(error, Refused):
            raise Refused(error.status, error.why, str(error))
        if error is not None:
            raise StoreError(str(error)) from error

    def _take(self, kind: Kind, batches: Sequence[Batch]) -> list[Refused | StoreError | None]:
        table = kind[0]
        refused = _refusals(table, batches)
        taken = [one for one in batches if one.id not in refused]
        stored = self._store.insert_group(table, taken)
        self._meters.inserts.labels(table).inc()
        return [refused[one.id] if one.id in refused else stored[one.id] for one in batches]


def _refusals(table: str, batches: Sequence[Batch]) -> dict[str, Refused]:
    """Why batches are not taken. One by one only where there is something in them."""
    whole = pa.concat_tables([one.rows for one in batches])
    if _refusal(table, whole) is None:
        return {}
    found = {one.id: _refusal(table, one.rows) for one in batches}
    return {name: refused for name, refused in found.items() if refused is not None}


def _refusal(table: str, rows: pa.Table) -> Refused | None:
    try:
        check_values(table, rows)
        return None
    except Refused as refused:
        return refused
