"""Arrow IPC streams from strangers: sizes are checked before anything is decompressed.

Arrow decompresses each buffer to the length that the sender wrote in front of it, so the lengths
are added up first, from the message headers (flatbuffers), which are read here with bounds checks.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from collector.errors import Refused

__all__ = ["StreamLimits", "read_stream"]

#: Fields (in order) of the flatbuffers tables Message and RecordBatch in Arrow's Message.fbs.
MESSAGE_HEADER_FIELD = 2
BATCH_LENGTH_FIELD, BATCH_BUFFERS_FIELD, BATCH_COMPRESSION_FIELD = 0, 2, 3
BUFFER = struct.Struct("<qq")
LENGTH = struct.Struct("<q")
NOT_COMPRESSED = -1
#: Beginnings of streams, of some kB each, that are known to be right.
HEADS_KEPT = 64
HEAD_BYTES_MAX = 64_000
SCHEMA, RECORD_BATCH = "schema", "record batch"


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What one body may hold."""

    body_bytes: int = 32_000_000
    unpacked_bytes: int = 128_000_000
    rows: int = 50_000
    #: record batches in one stream
    messages: int = 1_000


def read_stream(
    body: bytes,
    expected: pa.Schema,
    limits: StreamLimits,
    hold: Callable[[int], None] = lambda _: None,
) -> pa.Table:
    """The rows of a stream whose columns are those of `expected`, in any order; raises Refused.

    `hold` is told how many bytes the rows will take before they do; it may raise Refused, too.
    """
    if len(body) > limits.body_bytes:
        raise Refused(413, "body", f"The body is larger than {limits.body_bytes:,} bytes.")
    try:
        hold(_check_messages(body, expected, limits))
        with pa.ipc.open_stream(body) as reader:
            table = reader.read_all()
        table.validate(full=True)
        table = table.select(expected.names).combine_chunks()
        # Names of items, and words about columns: rows of many senders are put together.
        return table if table.schema.equals(expected, True) else table.cast(expected)
    except (pa.ArrowException, struct.error, OSError, EOFError, ValueError) as error:
        raise Refused(400, "not_arrow", f"The body is not an Arrow IPC stream: {error}") from error


def _check_messages(body: bytes, expected: pa.Schema, limits: StreamLimits) -> int:
    """Bytes of all rows when they are unpacked."""
    source = pa.BufferReader(body)
    first = pa.ipc.read_message(source)
    if first.type != SCHEMA:
        raise Refused(400, "not_arrow", f"The stream starts with a {first.type}, not a schema.")
    if source.tell() > HEAD_BYTES_MAX:
        raise Refused(400, "not_arrow", f"The schema has more than {HEAD_BYTES_MAX:,} bytes.")
    _check_head(body[: source.tell()], expected)
    rows = unpacked = 0
    for _ in range(limits.messages):
        try:
            message = pa.ipc.read_message(source)
        except EOFError:
            return unpacked
        if message.type != RECORD_BATCH:
            raise Refused(
                400, "not_arrow", f"The stream has a {message.type}: send record batches."
            )
        batch_rows, batch_bytes = _declared(message)
        rows, unpacked = rows + batch_rows, unpacked + batch_bytes
        if rows > limits.rows:
            raise Refused(400, "rows", f"The batch has more than {limits.rows:,} rows: cut it.")
        if unpacked > limits.unpacked_bytes:
            sentence = f"The batch unpacks to more than {limits.unpacked_bytes:,} bytes: cut it."
            raise Refused(413, "unpacked", sentence)
    raise Refused(400, "messages", f"The stream has more than {limits.messages:,} record batches.")


@lru_cache(HEADS_KEPT)
def _check_head(head: bytes, expected: pa.Schema) -> None:
    """Senders of one release all begin with the same bytes; raises Refused, and then forgets."""
    _check_schema(pa.ipc.read_schema(pa.py_buffer(head)), expected)


def _check_schema(given: pa.Schema, expected: pa.Schema) -> None:
    for name in given.names:
        if given.names.count(name) > 1:
            raise Refused(400, "column", f"Column {name!r} is there more than once.")
        if name not in expected.names:
            raise Refused(400, "column", f"Column {name!r} is unknown: leave it out.")
    for field in expected:
        if field.name not in given.names:
            raise Refused(400, "column", f"Column {field.name!r} is missing.")
        if not _same_type(given.field(field.name).type, field.type):
            was = given.field(field.name).type
            raise Refused(400, "type", f"Column {field.name!r} is {was}, not {field.type}.")


def _same_type(given: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_list(expected):
        return pa.types.is_list(given) and bool(given.value_type == expected.value_type)
    return bool(given == expected)


def _declared(message: pa.Message) -> tuple[int, int]:
    """Rows, and bytes after decompression, that a record batch says it has."""
    meta, body = message.metadata.to_pybytes(), message.body
    batch = _follow(meta, _field(meta, _follow(meta, 0), MESSAGE_HEADER_FIELD))
    rows_at = _field(meta, batch, BATCH_LENGTH_FIELD)
    rows = struct.unpack_from("<q", meta, rows_at)[0] if rows_at else 0
    compressed = _field(meta, batch, BATCH_COMPRESSION_FIELD) != 0
    vector = _follow(meta, _field(meta, batch, BATCH_BUFFERS_FIELD))
    count = struct.unpack_from("<I", meta, vector)[0]
    if rows < 0 or count * BUFFER.size > len(meta):
        raise ValueError("a record batch with impossible lengths")
    total, view = 0, memoryview(b"" if body is None else body)
    for offset, length in BUFFER.iter_unpack(meta[vector + 4 : vector + 4 + count * BUFFER.size]):
        if offset < 0 or length < 0 or offset + length > view.nbytes:
            raise ValueError("a buffer outside of its message")
        if compressed and length >= 8:
            unpacked = LENGTH.unpack_from(view, offset)[0]
            if unpacked < NOT_COMPRESSED:
                raise ValueError("a buffer of negative length")
            total += length if unpacked == NOT_COMPRESSED else unpacked
        else:
            total += length
    return rows, total


def _follow(meta: bytes, at: int) -> int:
    """Where the offset stored at `at` points; 0 offsets and missing fields are refused."""
    (offset,) = struct.unpack_from("<I", meta, at)
    if offset == 0:
        raise ValueError("an empty reference in a message")
    return int(at + offset)


def _field(meta: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffers table lies; 0 if it is absent."""
    vtable = table - struct.unpack_from("<i", meta, table)[0]
    if not 0 <= vtable <= len(meta) - 4:
        raise ValueError("a table outside of its message")
    entry = 4 + 2 * number
    if entry + 2 > struct.unpack_from("<H", meta, vtable)[0]:
        return 0
    (offset,) = struct.unpack_from("<H", meta, vtable + entry)
    return table + offset if offset else 0
