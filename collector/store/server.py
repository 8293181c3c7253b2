"""One ClickHouse server over the native protocol (clickhouse-driver): 18.16 and later.

A client runs one statement at a time, so threads share a pool of them. A client on which anything
failed is closed; the next use connects again, so that a server may restart beneath the store.
"""

import logging
import queue
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from clickhouse_driver import Client, errors  # type: ignore[import-untyped]

from collector.store.address import ServerAddress
from collector.store.dialect import Dialect, read_dialect
from collector.store.engine import Alone, Parameter, QueryLimits, cut
from collector.store.errors import QueryStopped, StoreAway, StoreError
from collector.store.escaping import substituted

__all__ = ["Server"]

CLIENTS = 8
CONNECT_S = 5
#: A statement may stay without a sign of life for this much longer than its own limit.
GRACE_S = 10
#: A list of ids makes a long statement.
QUERY_BYTES_MAX = 64_000_000
#: What a server says when the connection to another one broke.
WENT_AWAY = (errors.ErrorCodes.ATTEMPT_TO_READ_AFTER_EOF, errors.ErrorCodes.NETWORK_ERROR)
#: What is said of a statement ON CLUSTER that has not ended everywhere.
WAITS_FOR_OTHERS = "distributed_ddl_task_timeout"
STOPPED = (errors.ErrorCodes.TIMEOUT_EXCEEDED, errors.ErrorCodes.MEMORY_LIMIT_EXCEEDED)
SIMPLE_TYPES = {
    "String": pa.string(),
    "Date": pa.date32(),
    "Float32": pa.float32(),
    "Float64": pa.float64(),
} | {
    name: getattr(pa, name.lower())()
    for bits in (8, 16, 32, 64)
    for name in (f"Int{bits}", f"UInt{bits}")
}


class Server(Alone):
    """A database of a server. Safe to use from many threads."""

    def __init__(
        self,
        address: ServerAddress,
        limits: QueryLimits,
        settings_query: str,
        dialect: Dialect | None = None,
    ) -> None:
        """With a `dialect` nothing is asked yet: the server may be away."""
        _check_authorities(address.ca)
        self._address = address
        self._limits = limits
        self._settings: dict[str, Any] = {}
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        # The driver logs, with its stack, what it raises as well.
        logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)
        if dialect is None:
            self._make_database()
        for _ in range(CLIENTS):
            self._idle.put(self._client(address.database))
        try:
            self.dialect = dialect or read_dialect(self.select, settings_query)
        except BaseException:
            self.close()
            raise
        self._settings = {
            "max_threads": limits.threads,
            "max_execution_time": limits.seconds,
            "max_memory_usage": limits.memory_bytes,
            "max_query_size": QUERY_BYTES_MAX,
            **self.dialect.session,
        }

    def __str__(self) -> str:
        return str(self._address)

    def execute(self, statement: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement without a result."""
        settings = self._settings | self.dialect.correct
        if "ON CLUSTER" in statement:
            settings["max_execution_time"] = 0  # it has a time of its own
        with self._lent() as client:
            client.execute(substituted(statement, parameters or {}), settings=settings)

    def select(self, statement: str, parameters: Mapping[str, Parameter]) -> pa.Table:
        """Rows of a query, cut at the row limit as `engine.cut` says."""
        limits = {"max_result_rows": self._limits.rows + 1, "result_overflow_mode": "break"}
        with self._lent() as client:
            columns, types = client.execute(
                substituted(statement, parameters),
                with_column_types=True,
                columnar=True,
                settings=self._settings | limits,
            )
        names, kinds = [name for name, _ in types], [_arrow_type(kind) for _, kind in types]
        values = columns or [()] * len(names)
        arrays = [pa.array(column, kind) for column, kind in zip(values, kinds, strict=True)]
        return cut(pa.Table.from_arrays(arrays, names), self._limits.rows)

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert `rows` as one block, views included; see `engine.Engine`.

        The statement's id is made of table and token: the server refuses the same batch while it
        is still busy with it.
        """
        names = ", ".join(f"`{name}`" for name in rows.column_names)
        settings = self._settings | self.dialect.insert
        if self.dialect.has_tokens:
            settings["insert_deduplication_token"] = token
        with self._lent(f"The store refused a batch for {table}") as client:
            client.execute(
                f"INSERT INTO {table} ({names}) VALUES",
                [_values(column) for column in rows.combine_chunks().columns],
                columnar=True,
                query_id=f"{table} {token}",
                settings=settings,
            )

    def close(self) -> None:
        """Close all connections."""
        while not self._idle.empty():
            self._idle.get().disconnect()

    @contextmanager
    def _lent(self, what: str = "The store failed") -> Iterator[Client]:
        try:
            client = self._idle.get(timeout=self._limits.seconds)
        except queue.Empty:
            raise QueryStopped(
                f"No connection of the store was free within {self._limits.seconds:g} s: "
                "too many questions at once, ask again."
            ) from None
        try:
            yield client
        except BaseException as error:
            client.disconnect()
            if isinstance(error, errors.Error | OSError | EOFError | ValueError):
                raise self._translated(error, what) from error
            raise
        finally:
            self._idle.put(client)

    def _client(self, database: str) -> Client:
        address = self._address
        return Client(
            address.host,
            address.port,
            database=database,
            user=address.user,
            password=address.password,
            secure=address.secure,
            ca_certs=address.ca or None,
            client_name="dynoscope",
            connect_timeout=CONNECT_S,
            send_receive_timeout=self._limits.seconds + GRACE_S,
        )

    def _make_database(self) -> None:
        """Only if it is missing: who may use a database may not make one."""
        name = self._address.database
        try:
            for database, statement in (
                (name, "SELECT 1"),
                ("", f"CREATE DATABASE IF NOT EXISTS {name}"),
            ):
                if self._done(database, statement):
                    return
        except (errors.Error, OSError, EOFError) as error:
            raise self._translated(error, "The store does not open") from error

    def _done(self, database: str, statement: str) -> bool:
        """Run a statement on a connection of its own; False if there is no such database."""
        client = self._client(database)
        try:
            client.execute(statement)
            return True
        except errors.ServerException as error:
            if error.code != errors.ErrorCodes.UNKNOWN_DATABASE:
                raise
            return False
        finally:
            client.disconnect()

    def _translated(self, error: BaseException, what: str) -> StoreError:
        if isinstance(error, errors.ServerException):
            if WAITS_FOR_OTHERS in str(error.message):
                return StoreError(
                    f"{what}: one server of the cluster does not follow a change of the schema: "
                    "start it, then run this again."
                )
            if error.code in STOPPED:
                return QueryStopped(
                    f"The question needs more than {self._limits.seconds:g} s or "
                    f"{self._limits.memory_bytes // 1_000_000} MB: ask for a shorter window."
                )
            if error.code == errors.ErrorCodes.ALL_CONNECTION_TRIES_FAILED:
                return StoreError(
                    f"{what}: no replica of one shard answers, and part of an answer is none: "
                    "start a server of that shard, then ask again."
                )
            if error.code in WENT_AWAY:
                return StoreAway(f"{what}: a server of the cluster went away, ask again.")
            words = str(error.message).split("Stack trace:")[0].strip()
            return StoreError(f"{what}: {words}")
        if "CERTIFICATE_VERIFY_FAILED" in f"{error} {error.__context__}":
            return StoreError(
                f"{what}: the certificate of {self._address} is not trusted: name the file of its "
                "authority with ?ca=FILE, and the server by the name that it certifies."
            )
        if isinstance(error, errors.NetworkError | errors.SocketTimeoutError | OSError | EOFError):
            return StoreAway(
                f"{what}: the ClickHouse server {self._address} does not answer, "
                f"or has no such database for {self._address.user!r}."
            )
        return StoreError(f"{what}: {error}")


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column as Python values; twice as fast as `to_pylist` for a table, since strings repeat."""
    if pa.types.is_string(column.type) and len(column):
        encoded = column.combine_chunks().dictionary_encode()
        words = encoded.dictionary.to_pylist()
        return [words[index] for index in encoded.indices.to_numpy().tolist()]
    if pa.types.is_list(column.type):
        return list(column.to_pylist())
    return list(column.to_numpy().tolist())


def _check_authorities(path: str) -> None:
    """Raise StoreError unless a file of certificates can be read; "": none is named."""
    try:
        if path:
            ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        why = error.strerror or str(error)
        raise StoreError(f"{path} is no file of certificates in PEM: {why}") from error


def _arrow_type(kind: str) -> pa.DataType:
    # Array(LowCardinality) is left out: the driver misreads 18.16 where all lists are empty, so
    # queries turn the items into plain strings.
    if kind.startswith("LowCardinality("):
        return _arrow_type(kind[15:-1])
    if kind.startswith("Array(") and not kind.startswith("Array(Low"):
        return pa.list_(_arrow_type(kind[6:-1]))
    if kind not in SIMPLE_TYPES:
        raise ValueError(f"a column of type {kind} is not understood")
    return SIMPLE_TYPES[kind]
