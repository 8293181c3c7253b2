"""Stores each batch once, whatever the engine.

Where the engine drops repeats (deduplication tokens) a first sending is simply inserted. Else, and
for a sending that may be a repeat (it may come after the engine's window), the store asks whether
the batch is there. If it is, only its roll-ups can be wrong: the engine may have ended between a
table and a view of it. They are given what they lack: for each key of the batch's minutes the
view's sums over the raw rows less the sums already there, in one block, so that a crash leaves all
of it or none, and doing it again adds nothing.

In a cluster all of this happens within one server, a live replica of the batch's shard.
What another replica has and this one lacks would be taken for missing, so before rows are judged
missing this one must have fetched them, and before sums are mended no other replica may be in the
midst of an insert. Where that cannot be known, since one does not answer, the batch has to wait.

A repair shuts out the inserts of this process, whose rows would be raw already but not yet rolled
up. So a database has one collector, unless its engine has tokens.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from collector.store.engine import Engine
from collector.store.errors import StoreError
from collector.store.texts import query_text, view_select

__all__ = ["Inserts"]

MINUTE_MS = 60_000
#: Roll-ups of requests, each filled by the view that is named after it.
ROLL_UPS = ("endpoint_minutes", "host_minutes")
REPAIRED = ("requests", *ROLL_UPS, "service_days")
#: Weights are added in different orders.
ALL_BUT_ROUNDING = 1 - 1e-9


class Inserts:
    """Safe to use from many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._busy: set[str] = set()  # "table batch_id"
        self._repairing = False

    def insert(self, table: str, rows: pa.Table, batch_id: str, *, may_be_stored: bool) -> None:
        """Store `rows` (with day, batch_id) once; after a StoreError try again later."""
        with self._turn(f"{table} {batch_id}"):
            engine = self._engine.holder(batch_id)
            ask = may_be_stored or not engine.dialect.has_tokens
            if not (ask and _is_stored(engine, table, rows, batch_id, may_be_stored)):
                engine.insert(table, rows, batch_id)
                if engine.dialect.is_replicated:
                    _check(engine, table, rows, batch_id)
                return
        if table == "requests":
            with self._alone():
                _repair(engine, _extent(rows))

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """One sending of a batch at a time, none while roll-ups are repaired."""
        with self._changed:
            self._changed.wait_for(lambda: name not in self._busy and not self._repairing)
            self._busy.add(name)
        try:
            yield
        finally:
            with self._changed:
                self._busy.remove(name)
                self._changed.notify_all()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No insert of requests is under way meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._repairing)
            self._repairing = True
            self._changed.wait_for(
                lambda: not any(name.startswith("requests ") for name in self._busy)
            )
        try:
            yield
        finally:
            with self._changed:
                self._repairing = False
                self._changed.notify_all()


def _extent(rows: pa.Table) -> dict[str, Any]:
    """Where a batch's rows lie in every table: day, times, services; the index needs no more."""
    times, services = pc.min_max(rows["ts_ms"]).as_py(), pc.min_max(rows["service"]).as_py()
    return {
        "from_ms": times["min"],
        "to_ms": times["max"],
        "first_service": services["min"],
        "last_service": services["max"],
    }


def _is_stored(
    engine: Engine, table: str, rows: pa.Table, batch_id: str, may_be_stored: bool
) -> bool:
    # First whether it is under way: an insert outlives the collector that sent it.
    running = engine.select(query_text("insert_running"), {"id": f"{table} {batch_id}"})
    if running["n"].to_pylist() != [0]:
        raise StoreError(f"The batch {batch_id} is still being stored: send it again later.")
    if _is_here(engine, table, rows, batch_id):
        return True
    if not may_be_stored or not engine.dialect.is_replicated:
        return False
    engine.settle((table,))
    return _is_here(engine, table, rows, batch_id)


def _is_here(engine: Engine, table: str, rows: pa.Table, batch_id: str) -> bool:
    asked = {"table": table, "batch_id": batch_id, **_extent(rows)}
    return bool(engine.select(query_text("batch_stored"), asked).num_rows)


def _check(engine: Engine, table: str, rows: pa.Table, batch_id: str) -> None:
    """A block that was dropped as known, but is not here, is on a replica that went away."""
    if not _is_here(engine, table, rows, batch_id):
        raise StoreError(
            f"The batch {batch_id} is on a replica that has not handed it on: send it again later."
        )


def _repair(engine: Engine, extent: dict[str, Any]) -> None:
    minutes = extent | {
        "from_ms": extent["from_ms"] // MINUTE_MS * MINUTE_MS,
        "to_ms": (extent["to_ms"] // MINUTE_MS + 1) * MINUTE_MS,
    }
    engine.settle(REPAIRED)
    _mend(engine, "service_days", minutes)
    totals = engine.select(query_text("roll_up_totals"), minutes).to_pylist()[0]
    short = [name for name in ROLL_UPS if totals[name] < totals["raw"] * ALL_BUT_ROUNDING]
    if not short:
        return
    running = engine.select_each(query_text("insert_running"), {"id": "requests %"})
    if any(table["n"].to_pylist() != [0] for table in running):
        raise StoreError("Rows of these minutes are being stored: send the batch again later.")
    engine.settle(REPAIRED)
    for roll_up in short:
        _mend(engine, roll_up, minutes)


def _mend(engine: Engine, roll_up: str, minutes: dict[str, Any]) -> None:
    view = view_select(f"{roll_up}_view", query_text("repair_rows"))
    statement = query_text(f"repair_{roll_up}").replace("{view}", view)
    engine.execute(engine.dialect.filled(statement), minutes)
