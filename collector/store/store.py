"""The store: idempotent inserts of batches, named queries. Safe to use from many threads."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from collector.store.address import parse_address
from collector.store.arrivals import Arrivals
from collector.store.cluster import open_cluster
from collector.store.embedded import Embedded
from collector.store.engine import Engine, Parameter, QueryLimits
from collector.store.errors import StoreError
from collector.store.extents import Batch
from collector.store.function_marks import FunctionMarks
from collector.store.hosts import Hosts
from collector.store.inserts import Inserts, Outcomes
from collector.store.locking import lock_folder
from collector.store.migrations import migrate
from collector.store.recovery import forget_lost_blocks
from collector.store.server import Server
from collector.store.texts import query_text
from profiler.vocabulary import DAY_MS, WIRE

__all__ = ["DAY_MS", "Store", "open_store", "opened_engine", "truncated"]

DEFAULT_LIMITS = QueryLimits()
HOURS_UNTIL = "{hours_until_ms:UInt64}"
BATCH_ID = re.compile(r"[0-9A-Za-z_.-]{1,128}")


def open_store(
    where: Path | str,
    *,
    limits: QueryLimits = DEFAULT_LIMITS,
    clock: Callable[[], float] = time.time,
) -> "Store":
    """Open (or make) the store: embedded in the folder `where`, or in the database of a server at
    clickhouse://user:password@host:port/database, or of a cluster, with ?cluster=NAME after it.
    Raises StoreError with one sentence.
    """
    engine, lock = _opened(where, limits)
    try:
        migrate(engine, clock)
        return Store(engine, lock, clock)
    except BaseException:
        _close(engine, lock)
        raise


@contextmanager
def opened_engine(where: Path | str, limits: QueryLimits = DEFAULT_LIMITS) -> Iterator[Engine]:
    """The engine beneath a store, as it is: nothing is migrated. `where`: as for `open_store`."""
    engine, lock = _opened(where, limits)
    try:
        yield engine
    finally:
        _close(engine, lock)


def _opened(where: Path | str, limits: QueryLimits) -> tuple[Engine, IO[str] | None]:
    if isinstance(where, str):
        address = parse_address(where)
        if address.cluster:
            return open_cluster(address, limits), None
        return Server(address, limits, query_text("engine_settings")), None
    lock = _locked(where)
    try:
        forget_lost_blocks(where / "chdb")
        return Embedded(where / "chdb", limits, query_text("engine_settings")), lock
    except BaseException:
        lock.close()
        raise


def _close(engine: Engine, lock: IO[str] | None) -> None:
    engine.close()
    if lock is not None:
        with suppress(OSError):
            lock.close()


def _locked(data_dir: Path) -> IO[str]:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return lock_folder(data_dir)


class Store:
    """One open data folder, or one database of a server or cluster; use `open_store`.

    `arrivals`: the agents' batches, as the collector of this process takes them. `functions`: which
    of their roll-ups count.
    """

    def __init__(self, engine: Engine, lock: IO[str] | None, clock: Callable[[], float]) -> None:
        self.arrivals = Arrivals()
        self.functions = FunctionMarks(engine, clock)
        self._engine = engine
        self._lock = lock
        self._hosts = Hosts(engine, clock)
        self._inserts = Inserts(engine, self._block)

    def insert(self, table: str, rows: pa.Table, batch_id: str, *, attempt: int = 1) -> None:
        """Store `rows` (columns of WIRE[table], one UTC day) once, however often it is called.

        `attempt`: 2 and more say that the batch may be stored already, perhaps long ago.
        Raises StoreError if the engine does not take them; nothing is stored then.
        """
        error = self.insert_group(table, [Batch(batch_id, rows, attempt > 1)])[batch_id]
        if error is not None:
            raise error

    def insert_group(self, table: str, batches: Sequence[Batch]) -> Outcomes:
        """Store each of these batches once, those of one `group_of` in one insert.

        Returns by id why a batch is not stored, None where it is.
        """
        outcomes: Outcomes = {}
        groups: dict[tuple[int, int, bool], dict[str, Batch]] = {}
        for one in batches:
            outcomes[one.id] = None
            try:
                _check_id(one.id)
                if one.rows.num_rows:
                    groups.setdefault(self.group_of(one), {})[one.id] = one
            except StoreError as error:
                outcomes[one.id] = error
        for group in groups.values():
            outcomes |= self._inserts.insert(table, list(group.values()))
            stored = [one for one in group.values() if outcomes[one.id] is None]
            try:
                self.functions.late(table, [one.rows for one in stored])
            except StoreError as error:
                outcomes |= {one.id: error for one in stored}
        return outcomes

    def group_of(self, batch: Batch) -> tuple[int, int, bool]:
        """Batches of a table with the same day, shard and care go together.

        Raises StoreError if the batch has more than one day.
        """
        engine = self._engine
        careful = batch.may_be_stored and engine.dialect.is_replicated
        return _day(batch.rows["ts_ms"]), engine.shard(batch.id), careful

    def _block(self, table: str, batches: Sequence[Batch]) -> pa.Table:
        """The rows of batches of one day, with the columns that the store adds."""
        names = [column.name for column in WIRE[table]]
        block = pa.concat_tables([one.rows.select(names) for one in batches])
        day = np.full(block.num_rows, _day(block["ts_ms"]), np.int32)
        block = block.append_column("day", pa.array(day).cast(pa.date32()))
        block = block.append_column("batch_id", _ids(batches))
        if table == "requests":
            block = block.append_column("cell", self._hosts.cells(block["host"]))
        return block

    def cells(self, hosts: Sequence[str]) -> list[int]:
        """The cells of hosts, as roll-ups have them."""
        cells: list[int] = self._hosts.cells(pa.chunked_array([list(hosts)])).to_pylist()
        return cells

    def query(self, name: str, **parameters: Parameter) -> pa.Table:
        """Rows of `queries/<name>.sql` with its `{name:Type}` parameters bound.

        The store itself gives `hours_until_ms`, to those that read hours and minutes.
        """
        text = self._engine.dialect.filled(query_text(name))
        if HOURS_UNTIL in text:
            parameters["hours_until_ms"] = self.hours_until_ms()
        return self._engine.select(text, parameters)

    def hours_until_ms(self) -> int:
        """Up to when requests are read by hours, as `retention.roll_up_day` has said last."""
        found = self._engine.anywhere().select(query_text("moved_until"), {})
        return int(found["end_ms"][0].as_py())

    def close(self) -> None:
        """Give the folder back. No other thread may use the store any more."""
        _close(self._engine, self._lock)


def truncated(table: pa.Table) -> bool:
    """Whether the result was cut at the row limit."""
    return bool((table.schema.metadata or {}).get(b"truncated"))


def _check_id(batch_id: str) -> None:
    if not BATCH_ID.fullmatch(batch_id):
        raise StoreError(f"The batch id {batch_id[:40]!r} is not 1 to 128 of 0-9 A-Z a-z _ . -")


def _day(ts_ms: pa.ChunkedArray) -> int:
    days = ts_ms.to_numpy() // DAY_MS
    if days.min() != days.max():
        raise StoreError("A batch must lie within one UTC day: cut it at midnight.")
    return int(days[0])


def _ids(batches: Sequence[Batch]) -> pa.Array:
    """The id of each row's batch."""
    numbers = np.repeat(np.arange(len(batches), dtype=np.int32), [b.rows.num_rows for b in batches])
    ids = pa.array([one.id for one in batches], pa.string())
    return pa.DictionaryArray.from_arrays(numbers, ids).cast(pa.string())
