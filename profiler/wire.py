"""How a batch's columns travel: the Arrow schema of each table of `WIRE`."""

import pyarrow as pa

from profiler.vocabulary import WIRE, ColumnType

__all__ = ["SCHEMAS"]

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "u8": pa.uint8(),
    "u16": pa.uint16(),
    "u32": pa.uint32(),
    "u64": pa.uint64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
    "str": pa.string(),
    "text": pa.string(),
    "u8[]": pa.list_(pa.uint8()),
    "u32[]": pa.list_(pa.uint32()),
    "u64[]": pa.list_(pa.uint64()),
    "str[]": pa.list_(pa.string()),
}

SCHEMAS: dict[str, pa.Schema] = {
    table: pa.schema([(column.name, ARROW_TYPES[column.type]) for column in columns])
    for table, columns in WIRE.items()
}
