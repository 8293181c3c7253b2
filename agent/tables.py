"""Columns -> Arrow tables of `WIRE`, cut into batches: one table, one UTC day, ROWS_MAX rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from profiler.vocabulary import ROWS_MAX
from profiler.wire import SCHEMAS

__all__ = ["DAY_MS", "batches", "ipc_bytes", "table_of", "table_of_rows"]

DAY_MS = 86_400_000


def table_of(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """A table of `WIRE[name]` out of its columns: arrays, sequences, or one value for all rows.

    `ts_ms` must be an array or a sequence; it gives the number of rows.
    """
    schema, rows = SCHEMAS[name], len(columns["ts_ms"])
    arrays = []
    for field in schema:
        values = columns[field.name]
        if isinstance(values, str | int | float):
            array = pa.repeat(pa.scalar(values, field.type), rows)
        elif isinstance(values, pa.Array | pa.ChunkedArray):
            array = values.cast(field.type)
        else:
            array = pa.array(values, field.type)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=schema)


def table_of_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of `WIRE[name]` out of few rows, each with every column."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMAS[name])


def batches(table: pa.Table) -> Iterator[pa.Table]:
    """Cut at midnight UTC and at ROWS_MAX rows; a table within both limits comes as it is."""
    days = table.column("ts_ms").to_numpy() // DAY_MS
    for day in np.unique(days):
        one_day = table if (days == day).all() else table.filter(pa.array(days == day))
        for start in range(0, one_day.num_rows, ROWS_MAX):
            yield one_day.slice(start, ROWS_MAX)


def ipc_bytes(table: pa.Table) -> bytes:
    """The batch as it travels: an Arrow IPC stream with zstd buffers."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table.combine_chunks())  # one message for all workers
    return bytes(sink.getvalue())
