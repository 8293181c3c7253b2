"""Which batches are stored, and which are in the midst of it.

A batch is stored if, and only if, the raw table has rows with its id. There is no other record of
it that could be wrong. Who asks has to wait for statements that hold the batch, since an insert
outlives the collector that sent it; so the id of every insert says which batches it holds.
"""

import hashlib
from collections.abc import Iterable, Sequence

from collector.store.engine import Engine
from collector.store.extents import Batch, extents
from collector.store.texts import query_text

__all__ = ["name_of_group", "stored_ids", "waits"]

GROUP = "group"
HASH_DIGITS = 8


def name_of_group(ids: Sequence[str]) -> str:
    """What an insert of these batches is called: a lone one by its id."""
    return ids[0] if len(ids) == 1 else ".".join((GROUP, *map(_short, ids)))


def stored_ids(engine: Engine, table: str, batches: Sequence[Batch]) -> set[str]:
    """The batches that this server has now."""
    found: set[str] = set()
    for extent in extents(batches):
        asked = {"table": table, "batch_ids": list(extent.ids), **extent.bounds()}
        rows = engine.select(query_text("batches_stored"), asked)
        found.update(rows["batch_id"].to_pylist())
    return found


def waits(engine: Engine, table: str, ids: Iterable[str], *, everywhere: bool) -> set[str]:
    """The batches that a statement that runs now may hold.

    everywhere: on another replica, too; raises StoreError if one may be alive and does not answer.
    """
    if engine.in_process:
        return set()
    question, asked = query_text("inserts_running"), {"id": f"{table} %"}
    if everywhere:
        answers = engine.select_each(question, asked)
    else:
        answers = (engine.select(question, asked),)
    names = (name for found in answers for name in found["query_id"].to_pylist())
    running = {name.removeprefix(f"{table} ") for name in names}
    hashes = {part for name in running if name.startswith(f"{GROUP}.") for part in name.split(".")}
    return {one for one in ids if one in running or _short(one) in hashes}


def _short(batch_id: str) -> str:
    """Two of the same only make a batch wait that need not."""
    return hashlib.sha256(batch_id.encode()).hexdigest()[:HASH_DIGITS]
