"""The embedded ClickHouse (chDB).

chDB belongs to one process and one folder at a time and must not be forked once it is open. One
connection runs one statement at a time; several connections to the same folder run in parallel and
without the interpreter lock, so threads share a pool of them. A connection on which a statement
failed is replaced: chDB 4.4 hands what the failed statement had written to the next one's result.
"""

import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import chdb
import pyarrow as pa
from chdb.state.sqlitelike import Connection

from collector.store.dialect import TOKEN, read_dialect
from collector.store.engine import Alone, Parameter, QueryLimits, cut
from collector.store.errors import QueryStopped, StoreError, StoreInUse

__all__ = ["Embedded", "bound"]

CONNECTIONS = 6
#: Start-up settings: caches of an embedded engine stay small.
STARTUP = "mark_cache_size=134217728&uncompressed_cache_size=0"
#: Codes of TIMEOUT_EXCEEDED and MEMORY_LIMIT_EXCEEDED.
STOPPED_CODES = ("Code: 159.", "Code: 241.")


class Embedded(Alone):
    """chDB over one folder. Safe to use from many threads."""

    in_process = True

    def __init__(self, path: Path, limits: QueryLimits, settings_query: str) -> None:
        self._address = f"{path}?{STARTUP}"
        self._limits = limits
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._all: set[Connection] = set()
        try:
            for _ in range(CONNECTIONS):
                self._idle.put(self._connect())
        except RuntimeError as error:
            self.close()
            if "already initialized with path" in str(error):
                raise StoreInUse(
                    f"This process already holds another data folder than {path}: close it first."
                ) from error
            raise StoreError(f"The store in {path} does not open: {error}") from error
        self.dialect = read_dialect(self.select, settings_query)

    def execute(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement without a result."""
        with self._connection() as connection:
            self._run(connection, statement, parameters or {})

    def select(self, statement: str, parameters: Mapping[str, Parameter]) -> pa.Table:
        """Rows of a query, cut at the row limit as `engine.cut` says."""
        with self._connection() as connection:
            result = self._run(connection, statement, parameters)
        with pa.ipc.open_stream(result) as reader:
            return cut(reader.read_all(), self._limits.rows)

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert `rows` as one block, views included; see `engine.Engine`."""
        block = rows.combine_chunks()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, block.schema) as writer:
            writer.write_table(block)
        columns = ", ".join(f"`{name}`" for name in block.column_names)
        settings = ", ".join(f"{name}={value}" for name, value in self.dialect.insert.items())
        statement = f"INSERT INTO {table} ({columns}) SETTINGS {TOKEN}='{token}', {settings}"
        with self._connection() as connection:
            try:
                with connection.send_insert(statement, "ArrowStream") as stream:
                    stream.append(sink.getvalue().to_pybytes())
                    stream.finish()
            except RuntimeError as error:
                raise StoreError(f"The store refused a batch for {table}: {error}") from error

    def close(self) -> None:
        """Close all connections; the folder may then be opened again."""
        for connection in self._all:
            connection.close()
        self._all.clear()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._idle.get(timeout=self._limits.seconds)
        except queue.Empty:
            raise QueryStopped(
                f"No connection of the store was free within {self._limits.seconds:g} s: "
                "too many questions at once, ask again."
            ) from None
        try:
            yield connection
        except BaseException:
            fresh = self._connect()
            self._all.discard(connection)
            connection.close()
            connection = fresh
            raise
        finally:
            self._idle.put(connection)

    def _connect(self) -> Connection:
        limits = self._limits
        connection = chdb.connect(self._address)
        self._all.add(connection)
        connection.query(
            f"SET max_threads={limits.threads}, max_execution_time={limits.seconds}, "
            f"max_memory_usage={limits.memory_bytes}, max_result_rows={limits.rows + 1}, "
            "result_overflow_mode='break', log_queries=0"
        )
        return connection

    def _run(
        self, connection: Connection, statement: str, parameters: Mapping[str, Parameter]
    ) -> bytes:
        values = {name: bound(value) for name, value in parameters.items()}
        try:
            return bytes(connection.query(statement, "ArrowStream", values).bytes())
        except (chdb.ChdbError, RuntimeError) as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> StoreError:
        text = str(error)
        if text.startswith(STOPPED_CODES):
            return QueryStopped(
                f"The question needs more than {self._limits.seconds:g} s or "
                f"{self._limits.memory_bytes // 1_000_000} MB: ask for a shorter window."
            )
        return StoreError(f"The store failed: {text}")


def bound(value: Parameter) -> str:
    """A value in the text form in which ClickHouse reads parameters (tab-separated escapes)."""
    if isinstance(value, list):
        return "[" + ",".join(_element(item) for item in value) + "]"
    return _escaped(value) if isinstance(value, str) else repr(value)


def _element(item: str | int) -> str:
    if isinstance(item, str):
        return "'" + _escaped(item).replace("'", "\\'") + "'"
    return str(int(item))


def _escaped(text: str) -> str:
    for plain, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escape)
    return text.replace("\0", "\\0")
