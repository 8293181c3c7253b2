"""Batches as an agent would send them."""

import pyarrow as pa


def stream(
    table: pa.Table, compression: str | None = "zstd", rows_each: int | None = None
) -> bytes:
    """The Arrow IPC stream of a table, in record batches of at most `rows_each`."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows_each)
    return bytes(sink.getvalue().to_pybytes())


def with_column(table: pa.Table, name: str, values: object, kind: pa.DataType) -> pa.Table:
    """The table with one column replaced; a single value is repeated."""
    column = pa.array(values if isinstance(values, list) else [values] * table.num_rows, kind)
    return table.set_column(table.column_names.index(name), name, column)
