"""Stores each batch once, whatever the engine, alone or in one block with others.

Batches of one table, day and shard may go as one insert. Each keeps its id in a column of its rows,
and that is its identity: a block becomes one part, which is there whole or not at all, and so is
each batch in it. Therefore, with which others a batch goes, and whether a repeat goes with the same
ones, makes no difference: before each insert the engine is asked which of the batches are stored,
but for those that it cannot have (see `memory`), and only the others are in the block. Of those
that are stored only roll-ups can be wrong: see `repairs`. Deduplication tokens, and the blocks
that a replicated table drops, are a second line.

In a cluster all of this happens within one server, a live replica of the batch's shard. What
another replica has and this one lacks would be stored twice, and a block of other companions is not
dropped as known. So a batch that was sent before is inserted only when no other replica is in the
midst of it and this one has fetched all that they have. Where that cannot be known, since one does
not answer, the batch has to wait.

A repair shuts out the inserts of this process: so a database has one collector.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa

from collector.store.engine import Engine
from collector.store.errors import StoreAway, StoreError
from collector.store.extents import Batch, extents
from collector.store.known import name_of_group, stored_ids, waits
from collector.store.memory import Memory
from collector.store.repairs import repair

__all__ = ["Inserts", "Outcomes"]

#: After so many that failed alone, one after the other, it is not the batches.
GIVE_UP = 3
#: Batch id -> why it is not stored; None: it is.
Outcomes = dict[str, StoreError | None]


class Inserts:
    """Safe to use from many threads. `block`: makes the rows of batches of a table one block."""

    def __init__(self, engine: Engine, block: Callable[[str, Sequence[Batch]], pa.Table]) -> None:
        self._engine = engine
        self._block = block
        self._memory = Memory(engine)
        self._changed = threading.Condition()
        self._busy: set[str] = set()  # "table batch_id"
        self._inserting = 0  # blocks of requests that are under way
        self._repairing = False

    def insert(self, table: str, batches: Sequence[Batch]) -> Outcomes:
        """Store batches of one day and one shard, each once; those that fail: again later."""
        with self._turns({f"{table} {one.id}" for one in batches}):
            try:
                engine = self._engine.holder(batches[0].id)
                return self._insert(engine, table, batches)
            except StoreError as error:
                return {one.id: error for one in batches}

    def _insert(self, engine: Engine, table: str, batches: Sequence[Batch]) -> Outcomes:
        asked = self._memory.may_be_there(table, list(batches))
        # First what is under way: what ends between the two questions is seen by the second.
        late = waits(engine, table, [one.id for one in asked], everywhere=False)
        stored = stored_ids(engine, table, asked)
        again = [one for one in batches if one.may_be_stored and one.id not in stored]
        if again and engine.dialect.is_replicated:
            late |= waits(engine, table, [one.id for one in again], everywhere=True)
            engine.settle((table,))
            stored |= stored_ids(engine, table, again)
        outcomes: Outcomes = {one: _still_being_stored(one) for one in late}
        free = [one for one in batches if one.id not in late]
        outcomes |= self._insert_new(engine, table, [one for one in free if one.id not in stored])
        return outcomes | self._repair(engine, table, [one for one in free if one.id in stored])

    def _insert_new(self, engine: Engine, table: str, batches: Sequence[Batch]) -> Outcomes:
        if not batches:
            return {}
        try:
            self._insert_block(engine, table, batches)
            return {one.id: None for one in batches}
        except StoreError as error:
            if len(batches) == 1 or isinstance(error, StoreAway):
                return {one.id: error for one in batches}
        return self._insert_each(engine, table, batches)

    def _insert_each(self, engine: Engine, table: str, batches: Sequence[Batch]) -> Outcomes:
        """One after the other, so that what the engine does not take harms no other batch."""
        outcomes: Outcomes = {}
        failed: list[StoreError] = []
        for one in batches:
            if len(failed) == GIVE_UP:
                outcomes[one.id] = failed[-1]
                continue
            try:
                # The block may have been stored before it failed in a view.
                found = self._insert(engine, table, [replace(one, may_be_stored=True)])[one.id]
            except StoreError as error:
                found = error
            outcomes[one.id] = found
            failed = [*failed, found] if found else []
        return outcomes

    def _insert_block(self, engine: Engine, table: str, batches: Sequence[Batch]) -> None:
        block = self._block(table, batches)
        with self._beside_repairs(table):
            engine.insert(table, block, name_of_group([one.id for one in batches]))
        if engine.dialect.is_replicated:
            # A block that was dropped as known, but is not here, is on a replica that went away.
            missing = {one.id for one in batches} - stored_ids(engine, table, batches)
            if missing:
                raise StoreError(
                    f"The batch {min(missing)} is on a replica that has not handed it on: "
                    "send it again later."
                )

    def _repair(self, engine: Engine, table: str, batches: Sequence[Batch]) -> Outcomes:
        """Mend what the roll-ups lack of batches that are stored."""
        outcomes: Outcomes = {one.id: None for one in batches}
        if table == "requests" and batches:
            with self._alone():
                for extent in extents(batches):
                    try:
                        repair(engine, extent)
                    except StoreError as error:
                        outcomes |= dict.fromkeys(extent.ids, error)
        return outcomes

    @contextmanager
    def _turns(self, names: set[str]) -> Iterator[None]:
        """One sending of a batch at a time."""
        with self._changed:
            self._changed.wait_for(lambda: self._busy.isdisjoint(names))
            self._busy |= names
        try:
            yield
        finally:
            with self._changed:
                self._busy -= names
                self._changed.notify_all()

    @contextmanager
    def _beside_repairs(self, table: str) -> Iterator[None]:
        """No repair is under way meanwhile, if the table has roll-ups."""
        rolled_up = int(table == "requests")
        with self._changed:
            self._changed.wait_for(lambda: not (rolled_up and self._repairing))
            self._inserting += rolled_up
        try:
            yield
        finally:
            with self._changed:
                self._inserting -= rolled_up
                self._changed.notify_all()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No insert of requests and no other repair is under way meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._repairing)
            self._repairing = True
            self._changed.wait_for(lambda: not self._inserting)
        try:
            yield
        finally:
            with self._changed:
                self._repairing = False
                self._changed.notify_all()


def _still_being_stored(batch_id: str) -> StoreError:
    return StoreError(f"The batch {batch_id} is still being stored: send it again later.")
