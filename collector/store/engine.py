"""What the store asks of an engine: `embedded` (chDB), `server` (native protocol) or `cluster`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from collector.store.dialect import Dialect

__all__ = ["Alone", "Engine", "Parameter", "QueryLimits", "cut"]

Parameter = str | int | float | list[str] | list[int]


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query may use; past `rows` a result is cut and marked."""

    seconds: float = 20.0
    rows: int = 1_000_000
    memory_bytes: int = 1_000_000_000
    threads: int = 2


class Engine(Protocol):
    """A ClickHouse. Safe to use from many threads."""

    @property
    def dialect(self) -> Dialect:
        """What this engine has."""

    @property
    def in_process(self) -> bool:
        """Whether no statement of it outlives this process, or the call that sent it."""

    def execute(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement without a result, with bound `{name:Type}` parameters."""

    def select(self, statement: str, parameters: Mapping[str, Parameter]) -> pa.Table:
        """Rows of a query with bound `{name:Type}` parameters, cut at the row limit."""

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert `rows` as one block, views included. Where the engine has deduplication tokens a
        block with the same token counts once.

        `table` and the column names come from the vocabulary; `token` must be plain word
        characters (the store checks it), because an insert binds no parameters.
        """

    def close(self) -> None:
        """Close all connections."""

    def anywhere(self) -> "Engine":
        """Where the tables are that each server of a cluster has whole, and schema files run."""

    def shard(self, batch_id: str) -> int:
        """Which shard holds this batch, from 0."""

    def holder(self, batch_id: str) -> "Engine":
        """The one server that takes and knows this batch, now. Raises StoreAway without one."""

    def settle(self, tables: Sequence[str]) -> None:
        """Returns when this server has all that others of its shard have of these tables.

        Raises StoreError if that takes too long: another replica has rows and does not answer.
        """

    def select_each(
        self, statement: str, parameters: Mapping[str, Parameter]
    ) -> Sequence[pa.Table]:
        """A query asked of each server that may be storing batches of this one's shard.

        Raises StoreError if one of them may be alive, but does not answer.
        """


class Alone:
    """What all that is about several servers comes to with one; for engines that are one."""

    in_process = False

    def anywhere(self: Engine) -> Engine:
        return self

    def shard(self, batch_id: str) -> int:
        return 0

    def holder(self: Engine, batch_id: str) -> Engine:
        return self

    def settle(self, tables: Sequence[str]) -> None:
        """There are no others."""

    def select_each(
        self: Engine, statement: str, parameters: Mapping[str, Parameter]
    ) -> Sequence[pa.Table]:
        return (self.select(statement, parameters),)


def cut(table: pa.Table, rows: int) -> pa.Table:
    """At most `rows` of a table; if it had more, `schema.metadata[b"truncated"]` is set."""
    if table.num_rows <= rows:
        return table.replace_schema_metadata(None)
    return table.slice(0, rows).replace_schema_metadata({b"truncated": b"1"})
